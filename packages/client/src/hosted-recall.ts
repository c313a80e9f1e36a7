// The payee's side of a recall, for a provider whose adapter is hosted: its core is shown the recall whole,
// and the return that would answer it; it says yes with its signature over that return, or no with a
// refusal of its own. Each is checked before it is signed.
import { statementText } from "@sealane/protocol";
import { keyIndex } from "@sealane/rules";
import { composeNote, verifierFor } from "@sealane/tlog";
import { checkReturn, readRecall } from "./check-linked.ts";
import type { PayeeParty } from "./hosted-payee.ts";
import { fault, type StatementFault } from "./statement-refusal.ts";

/** One recall of `POST /v1/recalls`, as a hosted adapter asks it. */
export type HostedRecall = {
  readonly recallId: string;
  readonly transferId: string;
  readonly currency: string;
  readonly amount: string;
  readonly cancel: boolean;
  /** The payer's signed recall, whole. */
  readonly recall: string;
  /** The return that answers it; none when it cannot be given back. */
  readonly statement?: string | undefined;
};

export type RecallDecision =
  | { readonly answer: "return" }
  /** A reason of the external set of refusals. */
  | { readonly answer: "refuse"; readonly reason: string }
  /** A person decides, and answers through the API. */
  | { readonly answer: "later" };

/** What the adapter wants back: a line over the return, or a signed refusal. */
export type HostedRecallAnswer = { readonly recallId: string } & (
  | { readonly answer: "return"; readonly line: string }
  | { readonly answer: "refuse"; readonly reason: string; readonly note: string }
  | { readonly answer: "later" }
);

const recallFault = (party: PayeeParty, asked: HostedRecall): StatementFault | undefined => {
  const { participant, origin, keys } = party;
  const read = readRecall(asked.recall, origin);
  if (read === undefined) return fault("statement-malformed", "this is no recall of this log");
  const { note, body, original } = read;
  const { payer, payee, id } = original.terms;
  if (body.id !== asked.recallId || id !== asked.transferId) {
    return fault("id-mismatch", `it recalls ${id}`);
  }
  if (payee.participant !== participant) {
    return fault("payee-mismatch", `${payee.participant} was paid`);
  }
  const { currency, amount } = body.amount;
  const same = currency === asked.currency && amount === asked.amount;
  if (!same || body.cancel !== asked.cancel) {
    return fault("amount-mismatch", `it asks for ${amount} ${currency}`);
  }
  const signed = note.signatures.some(({ name, keyId, signature }) => {
    const key = keys().keys.get(keyIndex(name, keyId));
    const own = key?.participant === payer.participant && key.purpose === "transfer";
    return own && key.revokedAt === undefined && verifierFor(key.key).verify(note.text, signature);
  });
  return signed ? undefined : fault("signature-wrong", `${payer.participant} has not signed`);
};

/** Signs the core's decision about one recall. @returns a fault when nothing may be signed */
export const signRecall = async (
  party: PayeeParty,
  asked: HostedRecall,
  decision: RecallDecision,
): Promise<{ readonly ok: true; readonly signed: HostedRecallAnswer } | StatementFault> => {
  const { participant, origin, signer } = party;
  const wrong = recallFault(party, asked);
  if (wrong !== undefined) return wrong;
  const { recallId, transferId, currency, amount, cancel, statement = "" } = asked;
  if (decision.answer === "later") return { ok: true, signed: { recallId, answer: "later" } };
  if (decision.answer === "refuse") {
    const { reason } = decision;
    const body = { recall: recallId, participant, reason };
    const text = statementText(origin, "recall-refusal", body, asked.recall);
    const note = composeNote(text, [await signer.signLine(text)]);
    return { ok: true, signed: { recallId, answer: "refuse", reason, note } };
  }
  const request = {
    amount: { currency, amount },
    reason: "FOCR",
    rate: "original",
    bearer: cancel ? "earner" : "payer",
    recallId,
  } as const;
  const idempotencyKey = `recall ${recallId}`;
  const back = { participant, origin, transferId, idempotencyKey, request, keys: party.keys() };
  const other = checkReturn(back, statement);
  if (other !== undefined) return other;
  return {
    ok: true,
    signed: { recallId, answer: "return", line: await signer.signLine(statement) },
  };
};
