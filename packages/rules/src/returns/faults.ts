// Why a return, a recall or a refusal may not stand: one ladder for whoever has the lane's memory, the
// ledger before it writes and an auditor after. What an entry alone can say is in `verify-returns.ts`.
import type {
  FeeBearer,
  Recall,
  RecallRefusal,
  RefusalCode,
  Return,
  ReturnRate,
  Terms,
} from "@sealane/protocol";
import type { KeyState } from "../key-state.ts";
import { amountOf, isAmount, minorOf } from "../positions.ts";
import { isNamed, type Original } from "./original.ts";
import { cancelPeriodMs, returnPeriodMs, type ReturnsState } from "./state.ts";

export type ReturnFault = { readonly code: RefusalCode; readonly detail: string };

const fault = (code: RefusalCode, detail: string): ReturnFault => ({ code, detail });

/** What policies allow that say nothing. */
const defaults: { readonly rates: readonly ReturnRate[]; readonly bearers: readonly FeeBearer[] } =
  { rates: ["original", "today"], bearers: ["payer", "payee"] };

const allowedBy = (keys: KeyState, { policy }: Terms) =>
  keys.policies.get(policy)?.returns ?? defaults;

/** A cancellation gives the fee back whatever the policy says; that it is one, the memory knows. */
const mayAnswerCancellation = ({ bearer, recall }: Return): boolean =>
  bearer === "earner" && recall !== undefined;

const policyFault = (keys: KeyState, body: Return, terms: Terms): ReturnFault | undefined => {
  const { rate, bearer, sheet } = body;
  const { rates, bearers } = allowedBy(keys, terms);
  if (!rates.includes(rate)) {
    return fault("return-terms", `${terms.policy} has no returns at ${rate} rates`);
  }
  if (!bearers.includes(bearer) && !mayAnswerCancellation(body)) {
    return fault("return-terms", `by ${terms.policy} the ${bearer} does not bear the fee`);
  }
  if (rate === "today" && bearer === "payee") {
    return fault("return-terms", "at today's rate the payee does not bear the fee");
  }
  if ((rate === "today") === (sheet !== undefined)) return undefined;
  return fault("return-terms", "today's rate cites a sheet, and nothing else does");
};

const periodFault = ({ timeMs: then }: Original, timeMs: number): ReturnFault | undefined =>
  timeMs - then <= returnPeriodMs ? undefined : fault("return-late", "more than 30 days ago");

const suspendedFault = (keys: KeyState, { payer, payee }: Terms): ReturnFault | undefined => {
  const stopped = ({ participant }: Terms["payer"]): boolean =>
    keys.participants.get(participant)?.suspended === true;
  if (stopped(payee)) return fault("payer-suspended", payee.participant);
  return stopped(payer) ? fault("payee-suspended", payer.participant) : undefined;
};

/** An exact amount in the one way to write it. */
const isWritten = (amount: string, currency: string): boolean =>
  isAmount(amount, currency) && amountOf(minorOf(amount, currency), currency) === amount;

const amountFault = (
  { currency, amount }: Return["amount"],
  { receive }: Terms,
): ReturnFault | undefined => {
  if (currency !== receive.currency) {
    return fault("currency-not-served", `it was received in ${receive.currency}`);
  }
  return isWritten(amount, currency) ? undefined : fault("amount-invalid", amount);
};

/** What the return itself and its original say, without any memory. */
export const returnShapeFault = (
  keys: KeyState,
  body: Return,
  original: Original,
  timeMs: number,
): ReturnFault | undefined => {
  const { terms } = original;
  if (!isNamed(original, body.original)) return fault("original-unknown", body.original.id);
  if (body.participant !== terms.payee.participant) {
    return fault("return-not-yours", `${body.participant} did not receive it`);
  }
  const amount = amountFault(body.amount, terms);
  if (amount !== undefined) return amount;
  const { currency } = terms.receive;
  const nothing = body.before === amountOf(0n, currency);
  if (!nothing && !isWritten(body.before, currency)) return fault("amount-invalid", body.before);
  const after = minorOf(body.before, currency) + minorOf(body.amount.amount, currency);
  if (after > minorOf(terms.receive.amount, currency)) {
    return fault("return-exceeds", `${terms.receive.amount} ${currency} were received`);
  }
  return (
    periodFault(original, timeMs) ?? suspendedFault(keys, terms) ?? policyFault(keys, body, terms)
  );
};

/** Whether a return gives back all that there was left. */
export const isWhole = ({ before, amount }: Return, { receive }: Terms): boolean => {
  const { currency } = receive;
  const after = minorOf(before, currency) + minorOf(amount.amount, currency);
  return after === minorOf(receive.amount, currency);
};

/** What the memory says of a return that has its shape. */
export const returnMemoryFault = (
  state: ReturnsState,
  keys: KeyState,
  body: Return,
  terms: Terms,
): ReturnFault | undefined => {
  const { rate, bearer, recall } = body;
  const before = state.returned.get(terms.id)?.minor ?? 0n;
  if (minorOf(body.before, terms.receive.currency) !== before) {
    return fault("return-conflict", `returned before was ${before} in minor units`);
  }
  if (recall === undefined) return undefined;
  const open = state.recalls.get(terms.id);
  if (open?.id !== recall) return fault("recall-unknown", recall);
  if (open.cancel) {
    const right = isWhole(body, terms) && bearer === "earner" && rate === "original";
    return right ? undefined : fault("recall-binding", "a cancellation gives all of it back");
  }
  if (allowedBy(keys, terms).bearers.includes(bearer)) return undefined;
  return fault("return-terms", "it answers no cancellation");
};

/** @param creditedTo the first number of the payee's chain that no credited statement covers */
export const recallFault = (
  state: ReturnsState,
  keys: KeyState,
  body: Recall,
  original: Original,
  at: { readonly timeMs: number; readonly creditedTo: number },
): ReturnFault | undefined => {
  const { terms } = original;
  if (!isNamed(original, body.original)) return fault("original-unknown", body.original.id);
  if (body.participant !== terms.payer.participant) {
    return fault("return-not-yours", `${body.participant} did not send it`);
  }
  const early = amountFault(body.amount, terms) ?? periodFault(original, at.timeMs);
  if (early !== undefined) return early;
  if (keys.participants.get(body.participant)?.suspended === true) {
    return fault("payer-suspended", body.participant);
  }
  const open = state.recalls.get(terms.id);
  if (open !== undefined && (open.cancel || !body.cancel)) {
    return fault("recall-open", `${open.id} has no answer yet`);
  }
  const { currency } = terms.receive;
  const received = minorOf(terms.receive.amount, currency);
  const asked = minorOf(body.amount.amount, currency);
  const left = received - (state.returned.get(terms.id)?.minor ?? 0n);
  if (asked > left) return fault("return-exceeds", `${left} are left, in minor units`);
  if (!body.cancel) return undefined;
  if (at.timeMs - original.timeMs > cancelPeriodMs) {
    return fault("not-cancellable", "it was sent more than 30 minutes ago");
  }
  if (original.payeeN < at.creditedTo) return fault("not-cancellable", "it has been paid out");
  return asked === received ? undefined : fault("not-cancellable", "all of it, or a recall");
};

/** @param creditedTo as above, of the payee that refuses */
export const refusalFault = (
  state: ReturnsState,
  body: RecallRefusal,
  recall: Recall,
  creditedTo: number,
): ReturnFault | undefined => {
  const open = state.recalls.get(recall.original.id);
  if (open === undefined || open.id !== body.recall) return fault("recall-unknown", body.recall);
  if (open.payee !== body.participant) return fault("return-not-yours", body.participant);
  if (!open.cancel || open.payeeN < creditedTo) return undefined;
  return fault("not-paid-out", "the sender may cancel until it has been paid out");
};
