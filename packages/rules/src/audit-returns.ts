// Returns as an auditor sees them: the original stands where the return says, to the byte; no more came
// back than was received; a recall is open when it is answered, and a cancellation is refused only for
// what had been paid out. The same memory as the lane's, folded again from the entries.
import { chainOf, type AuditState } from "./audit-state.ts";
import { sheetFault, type AuditFault } from "./audit-sheets.ts";
import { headAt } from "./chain-heads.ts";
import { citedState } from "./key-history.ts";
import { minorOf } from "./positions.ts";
import { formatTime } from "@sealane/protocol";
import { maxExpiryMs } from "./intent.ts";
import { recallFault, refusalFault, returnMemoryFault, isWhole } from "./returns/faults.ts";
import { closeRecall, takeRecall, takeReturn } from "./returns/state.ts";
import { returnProvider } from "./returns/amounts.ts";
import type { SettlementState } from "./settlement/state.ts";
import type { VerifiedEntry } from "./verify-entry.ts";

const fault = (code: string, detail: string): AuditFault => ({ code, detail });

export type PlaceFault = AuditFault & { readonly needsLeaf?: number };

/** How `lendLeaf` keeps what it was given. */
export const lentLeaf = (seq: number): string => `leaf ${seq}`;

/** Whether the entry that stands inside this one stands in the log, at the place that it says. */
const placeFault = (state: AuditState, seq: number, hash: string): PlaceFault | undefined => {
  const leaf =
    state.leaves === undefined ? state.lentHeads.get(lentLeaf(seq)) : headAt(state.leaves, seq);
  if (leaf === undefined) return { ...fault("leaf-unloaded", `entry ${seq}`), needsLeaf: seq };
  return leaf === hash ? undefined : fault("original-unknown", `entry ${seq} is another`);
};

/** Whether an entry about a return may stand here. Changes nothing. */
export const auditedReturnFault = (
  state: AuditState,
  { returns, context, timeMs }: VerifiedEntry,
): PlaceFault | undefined => {
  if (returns === undefined) return undefined;
  const { original } = returns;
  const { terms } = original;
  const keys = citedState(state.history, context.keys);
  if (keys === undefined) throw new Error("broken invariant: a verified entry cites no state");
  const place = placeFault(state, original.seq, original.hash);
  if (place !== undefined) return place;
  const { creditedTo } = chainOf(state, terms.payee.participant);
  switch (returns.kind) {
    case "return": {
      const { body } = returns;
      const why = returnMemoryFault(state.settlement, keys, body, terms);
      if (why !== undefined || body.sheet === undefined) return why;
      // Decided at once: its sheet was honoured at just that time.
      const expiresAt = formatTime(timeMs + maxExpiryMs);
      const { id, amount: send } = body;
      const priced = { id, sheet: body.sheet, expiresAt, send, converted: send.amount };
      return sheetFault(state, priced, timeMs, true);
    }
    case "recall":
      return recallFault(state.settlement, keys, returns.body, original, { timeMs, creditedTo });
    case "recall-refusal":
      return refusalFault(state.settlement, returns.body, returns.recall, creditedTo);
    default:
      return returns satisfies never;
  }
};

/** Folds what an entry about a return means, after it was found to stand. */
export const foldReturns = (state: SettlementState, { returns, timeMs }: VerifiedEntry): void => {
  if (returns === undefined) return;
  const { id, receive, payee } = returns.original.terms;
  switch (returns.kind) {
    case "return": {
      const { body, original } = returns;
      const minor = minorOf(body.amount.amount, receive.currency);
      const answers = body.recall !== undefined || isWhole(body, original.terms);
      return takeReturn(state, id, { minor, answers, timeMs });
    }
    case "recall": {
      const { payeeN } = returns.original;
      const { id: recall, cancel } = returns.body;
      const open = { id: recall, payee: payee.participant, payeeN, cancel };
      return takeRecall(state, id, open, timeMs);
    }
    case "recall-refusal":
      return closeRecall(state, id);
    default:
      return returns satisfies never;
  }
};

/** Who a return debits, and in which currency: neither goes beyond its cover by it. */
export const returnDebits = ({ returns }: VerifiedEntry): (readonly [string, string])[] => {
  if (returns?.kind !== "return") return [];
  const { body, original } = returns;
  const { terms } = original;
  const { currency } = terms.send;
  const debits = [
    [terms.payee.participant, terms.receive.currency],
    [returnProvider(body, terms), currency],
  ] as const;
  const earner = terms.fees[0]?.to;
  if (body.bearer !== "earner" || earner === undefined) return [...debits];
  return [...debits, [earner, currency]];
};
