// The payee's side of a provider whose adapter is hosted: what its core signs when the adapter calls it.
// A credit check carries the whole proposal, and its answer the provider's signature line or rejection;
// a credited statement comes with the entries that it is about. Each is checked before it is signed.
import {
  parseTime,
  readNote,
  readStatement,
  statementText,
  termsSchema,
  type Terms,
} from "@sealane/protocol";
import { keyIndex, type KeyState } from "@sealane/rules";
import { composeNote, verifierFor, type Note } from "@sealane/tlog";
import { openedValue } from "./check-terms.ts";
import type { NoteSigner } from "./note-signer.ts";
import { fault, type StatementFault } from "./statement-refusal.ts";

/** One check of `POST /v1/credit-checks`, as a hosted adapter asks it. */
export type HostedCheck = {
  readonly transferId: string;
  readonly account: string;
  readonly currency: string;
  readonly amount: string;
  readonly reference?: string | undefined;
  /** The proposal: terms with the payer's signature, whole. */
  readonly terms: string;
  /** Base64 of `salt32 ‖ bytes` behind the commitments to the account and the reference. */
  readonly openings: { readonly payee: string; readonly reference?: string | undefined };
};

export type Decision =
  | { readonly answer: "yes" }
  /** An ISO 20022 external reason code. */
  | { readonly answer: "no"; readonly reason: string };

/** What the adapter wants back: a line over the terms, or a signed rejection. */
export type HostedAnswer =
  | { readonly transferId: string; readonly answer: "yes"; readonly line: string }
  | {
      readonly transferId: string;
      readonly answer: "no";
      readonly reason: string;
      readonly note: string;
    };

export type PayeeParty = {
  readonly participant: string;
  readonly origin: string;
  readonly signer: NoteSigner;
  /** The key log as the provider has checked it itself. */
  readonly keys: () => KeyState;
  readonly clock: () => number;
};

type Read = { readonly ok: true; readonly note: Note; readonly terms: Terms } | StatementFault;

const readProposal = ({ origin }: PayeeParty, check: HostedCheck): Read => {
  const note = readNote(check.terms);
  if (!note.ok) return fault("statement-malformed", note.detail);
  const read = readStatement(note.note, "transfer", termsSchema);
  if (!read.ok) return fault("statement-malformed", read.detail);
  const { origin: log, body: terms, inner } = read.statement;
  if (log !== origin) return fault("wrong-log", `it is for ${log}, not ${origin}`);
  if (inner !== undefined) return fault("statement-malformed", "terms answer no other statement");
  return { ok: true, note: note.note, terms };
};

const payerSigned = (keys: KeyState, { text, signatures }: Note, payer: string): boolean =>
  signatures.some(({ name, keyId, signature }) => {
    const key = keys.keys.get(keyIndex(name, keyId));
    if (key?.participant !== payer || key.purpose !== "transfer") return false;
    return key.revokedAt === undefined && verifierFor(key.key).verify(text, signature);
  });

/**
 * Checks that a proposal says what the core was asked about.
 * @returns the first difference: then there is nothing to answer, neither yes nor no
 */
export const checkProposal = (party: PayeeParty, check: HostedCheck): Read => {
  const read = readProposal(party, check);
  if (!read.ok) return read;
  const { note, terms } = read;
  if (terms.id !== check.transferId) return fault("id-mismatch", `the terms are of ${terms.id}`);
  if (terms.payee.participant !== party.participant) {
    return fault("payee-mismatch", `the payee is ${terms.payee.participant}`);
  }
  const { currency, amount } = terms.receive;
  if (currency !== check.currency || amount !== check.amount) {
    return fault("amount-mismatch", `the terms pay out ${amount} ${currency}`);
  }
  if (openedValue(check.openings.payee, terms.payee.account) !== check.account) {
    return fault("account-mismatch", "the terms credit another account");
  }
  if (check.reference !== undefined) {
    const opened = openedValue(check.openings.reference ?? "", terms.reference ?? "");
    if (opened !== check.reference) {
      return fault("reference-mismatch", "the terms hold another reference");
    }
  }
  if (party.clock() >= parseTime(terms.expiresAt)) {
    return fault("expiry-mismatch", `it was over at ${terms.expiresAt}`);
  }
  if (!payerSigned(party.keys(), note, terms.payer.participant)) {
    return fault("signature-wrong", `${terms.payer.participant} has not signed`);
  }
  return read;
};

/** Signs the core's decision about one check. @returns a fault when nothing may be signed */
export const signCheck = async (
  party: PayeeParty,
  check: HostedCheck,
  decision: Decision,
): Promise<{ readonly ok: true; readonly signed: HostedAnswer } | StatementFault> => {
  const { participant, origin, signer } = party;
  const proposal = checkProposal(party, check);
  if (!proposal.ok) return proposal;
  const { transferId } = check;
  if (decision.answer === "yes") {
    const line = await signer.signLine(proposal.note.text);
    return { ok: true, signed: { transferId, answer: "yes", line } };
  }
  const { reason } = decision;
  const body = { id: transferId, participant, reason };
  const text = statementText(origin, "rejection", body, check.terms);
  const note = composeNote(text, [await signer.signLine(text)]);
  return { ok: true, signed: { transferId, answer: "no", reason, note } };
};
