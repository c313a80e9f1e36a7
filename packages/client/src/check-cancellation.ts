// What a provider checks before it signs a cancellation that a hosted adapter made: it takes back this
// transfer, for this reason, and nothing else. Pure.
import {
  cancellationSchema,
  readNote,
  readStatement,
  termsSchema,
  type Cancellation,
} from "@sealane/protocol";
import { readUnsigned } from "./check-terms.ts";
import { fault, type StatementFault } from "./statement-refusal.ts";

export type AskedCancellation = {
  readonly participant: string;
  readonly origin: string;
  readonly transferId: string;
  readonly reason: string;
};

/** @returns undefined when it says what was asked for */
export const checkCancellation = (
  asked: AskedCancellation,
  statement: string,
): StatementFault | undefined => {
  const { participant, origin, transferId, reason } = asked;
  const read = readUnsigned<Cancellation>(statement, "cancellation", cancellationSchema, origin);
  if (!read.ok) return read;
  const { body, inner } = read;
  if (body.id !== transferId) return fault("id-mismatch", `it cancels ${body.id}`);
  if (body.participant !== participant) {
    return fault("payer-mismatch", `it is of ${body.participant}`);
  }
  if (body.reason !== reason) return fault("reason-mismatch", `its reason is ${body.reason}`);
  if (inner === undefined) return undefined;
  const note = readNote(inner);
  const terms = note.ok ? readStatement(note.note, "transfer", termsSchema) : undefined;
  const own =
    terms?.ok === true &&
    terms.statement.origin === origin &&
    terms.statement.body.id === transferId &&
    terms.statement.body.payer.participant === participant;
  return own ? undefined : fault("statement-malformed", "it answers other terms");
};
