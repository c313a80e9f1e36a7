// A bank's statement at the desk: one note, or several parts that make one statement, by the books of now.
import {
  bankStatementSchema,
  readNote,
  readStatement,
  type BankStatement,
} from "@sealane/protocol";
import {
  bankStatementFault,
  joinParts,
  standingOf,
  type AuditState,
  type KeyState,
  type SettlementFault,
  type StatementContext,
} from "@sealane/rules";
import { verifierFor, type Note, type VerifierKey } from "@sealane/tlog";

const fault = (code: string, detail: string): SettlementFault => ({ code, detail });

/** Whether this key's signature is on the note. */
export const signedBy = ({ text, signatures }: Note, key: VerifierKey): boolean =>
  signatures.some(
    ({ name, keyId, signature }) =>
      name === key.name && keyId === key.keyId && verifierFor(key).verify(text, signature),
  );

export type StatementAtDesk =
  | { readonly ok: true; readonly statement: BankStatement; readonly hash: string }
  | ({ readonly ok: false } & SettlementFault);

const no = (code: string, detail: string): StatementAtDesk => ({ ok: false, code, detail });

/** Reads what the bank has signed, all of it, and puts it together. */
export const readBankStatement = (
  notes: readonly string[],
  { keys, origin }: { readonly keys: KeyState; readonly origin: string },
): StatementAtDesk => {
  const parts: { body: BankStatement; text: string }[] = [];
  for (const text of notes) {
    const read = readNote(text);
    if (!read.ok) return no(read.code, read.detail);
    const found = readStatement(read.note, "bank-statement", bankStatementSchema);
    if (!found.ok) return no(found.code, found.detail);
    const { origin: of, body } = found.statement;
    if (of !== origin) return no("wrong-log", `signed for ${of}, this is ${origin}`);
    const signers = [...keys.keys.values()].filter(
      ({ participant, purpose, revokedAt }) =>
        participant === body.bank && purpose === "bank-statement" && revokedAt === undefined,
    );
    if (!signers.some(({ key }) => signedBy(read.note, key))) {
      return no("signature-missing", `no good signature of ${body.bank}`);
    }
    parts.push({ body, text: read.note.text });
  }
  return joinParts(parts);
};

/** The books of now: what is pending is the lane's to know, so it judges again. */
export const contextNow = (
  { settlement, balances }: AuditState,
  keys: KeyState,
): StatementContext => ({
  keys,
  balances,
  mayLeave: (name, currency) => {
    const record = keys.participants.get(name);
    if (record === undefined) return 0n;
    return standingOf(balances, record, currency, settlement).headroom;
  },
});

/** Why it cannot stand by the books of now; the lane judges again, and its word counts. */
export const bankStatementNow = (
  state: AuditState,
  keys: KeyState,
  { statement, hash }: Extract<StatementAtDesk, { ok: true }>,
): SettlementFault | undefined =>
  bankStatementFault(state.settlement, contextNow(state, keys), statement, hash);

export const noStatement = fault("statement-malformed", "only a bank's statement comes in parts");
