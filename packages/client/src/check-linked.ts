// What a provider checks before it signs a return, a recall or a refusal that a hosted adapter made: it is
// about this transfer, with these amounts, for this reason, and nothing else. Pure. The original's entry
// below it is read, not judged: the ledger holds it against its own, so another one only leads to a no.
import {
  linkedIdOf,
  noteHash,
  rateSheetSchema,
  readNote,
  readStatement,
  recallRefusalSchema,
  recallSchema,
  returnSchema,
  type Recall,
  type RecallRefusal,
  type Return,
} from "@sealane/protocol";
import {
  backAtOriginal,
  backToday,
  isAmount,
  isNamed,
  keyIndex,
  minorOf,
  readOriginal,
  type KeyState,
  type Original,
} from "@sealane/rules";
import { verifierFor } from "@sealane/tlog";
import type { RecallRequest, ReturnRequest } from "./adapter-types.ts";
import { readUnsigned } from "./check-terms.ts";
import { fault, type StatementFault } from "./statement-refusal.ts";

type Party = { readonly participant: string; readonly origin: string };

export type AskedReturn = Party & {
  readonly transferId: string;
  readonly idempotencyKey: string;
  readonly request: ReturnRequest;
  readonly keys: KeyState;
  /** The rate sheet that a return at today's rate cites, whole. */
  readonly sheet?: string | undefined;
};

export type AskedRecall = Party & {
  readonly transferId: string;
  readonly idempotencyKey: string;
  readonly request: RecallRequest;
};

export type AskedRefusal = Party & { readonly transferId: string; readonly reason: string };

type Linked = Pick<Return | Recall, "id" | "original" | "participant" | "amount" | "reason">;

type Asked = Party & {
  readonly transferId: string;
  readonly idempotencyKey: string;
  readonly side: "payer" | "payee";
  readonly amount: { readonly currency: string; readonly amount: string } | undefined;
  readonly reason: string;
};

const sameMoney = (one: Linked["amount"], other: Linked["amount"]): boolean =>
  one.currency === other.currency &&
  isAmount(other.amount, other.currency) &&
  minorOf(one.amount, one.currency) === minorOf(other.amount, other.currency);

/** What is so of returns and recalls alike; with the original's entry, which stands below. */
const checkLinked = (
  asked: Asked,
  body: Linked,
  inner: string | undefined,
): { readonly ok: true; readonly original: Original } | StatementFault => {
  const { participant, origin, transferId, idempotencyKey, amount } = asked;
  const original = inner === undefined ? undefined : readOriginal(origin, inner);
  if (original === undefined || !isNamed(original, body.original)) {
    return fault("statement-malformed", "it does not carry the transfer's entry");
  }
  const { terms } = original;
  if (terms.id !== transferId) return fault("id-mismatch", `it is about ${terms.id}`);
  if (body.id !== linkedIdOf(transferId, participant, idempotencyKey)) {
    return fault("id-mismatch", "the id is not of this idempotency key");
  }
  if (body.participant !== participant || terms[asked.side].participant !== participant) {
    return fault(`${asked.side}-mismatch`, `it is of ${body.participant}`);
  }
  if (body.reason !== asked.reason) {
    return fault("reason-mismatch", `its reason is ${body.reason}`);
  }
  const { currency, amount: received } = terms.receive;
  const fits =
    body.amount.currency === currency &&
    isAmount(body.amount.amount, currency) &&
    minorOf(body.amount.amount, currency) <= minorOf(received, currency);
  if (!fits || (amount !== undefined && !sameMoney(body.amount, amount))) {
    return fault("amount-mismatch", `it is about ${body.amount.amount} ${body.amount.currency}`);
  }
  return { ok: true, original };
};

/** What today's rate gives, by a sheet that its provider has signed. */
const backByToday = (
  { origin, keys, sheet: note = "" }: AskedReturn,
  body: Return,
  { terms }: Original,
): Return["back"] | undefined => {
  const read = readNote(note);
  const sheet = read.ok ? readStatement(read.note, "rate-sheet", rateSheetSchema) : undefined;
  if (!read.ok || sheet?.ok !== true || sheet.statement.origin !== origin) return undefined;
  const { provider, number } = sheet.statement.body;
  const signed = read.note.signatures.some(({ name, keyId, signature }) => {
    const key = keys.keys.get(keyIndex(name, keyId));
    const own = key?.participant === provider && key.purpose === "rate-sheet";
    return (
      own && key.revokedAt === undefined && verifierFor(key.key).verify(read.note.text, signature)
    );
  });
  const { sheet: cited } = body;
  const same =
    cited?.hash === noteHash(note) && cited.provider === provider && cited.number === number;
  return signed && same ? backToday(body, terms, sheet.statement.body) : undefined;
};

/** @returns undefined when the return says what was asked for */
export const checkReturn = (asked: AskedReturn, statement: string): StatementFault | undefined => {
  const read = readUnsigned<Return>(statement, "return", returnSchema, asked.origin);
  if (!read.ok) return read;
  const { body, inner } = read;
  const { amount, reason = "MS03", rate = "original", bearer = "payer", recallId } = asked.request;
  const linked = checkLinked({ ...asked, side: "payee", amount, reason }, body, inner);
  if (!linked.ok) return linked;
  if (body.rate !== rate) return fault("sheet-mismatch", `it is at the rate ${body.rate}`);
  if (body.bearer !== bearer) return fault("fee-mismatch", `the ${body.bearer} bears the fee`);
  if (body.recall !== recallId) return fault("id-mismatch", "it answers another recall");
  const { terms } = linked.original;
  const { currency, amount: received } = terms.receive;
  const sum = minorOf(body.before, currency) + minorOf(body.amount.amount, currency);
  if (sum > minorOf(received, currency)) {
    return fault("amount-mismatch", "it gives back more than was received");
  }
  if (amount === undefined && sum !== minorOf(received, currency)) {
    return fault("amount-mismatch", "it leaves something behind");
  }
  const back =
    rate === "original" ? backAtOriginal(body, terms) : backByToday(asked, body, linked.original);
  if (back === undefined) return fault("sheet-mismatch", "its rate sheet is not a good one");
  if (sameMoney(back, body.back)) return undefined;
  return fault("amount-mismatch", `the payer gets ${body.back.amount}, and not ${back.amount}`);
};

/** @returns undefined when the recall says what was asked for */
export const checkRecall = (asked: AskedRecall, statement: string): StatementFault | undefined => {
  const read = readUnsigned<Recall>(statement, "recall", recallSchema, asked.origin);
  if (!read.ok) return read;
  const { body, inner } = read;
  const { amount, reason = "CUST", cancel = false } = asked.request;
  const linked = checkLinked({ ...asked, side: "payer", amount, reason }, body, inner);
  if (!linked.ok) return linked;
  if (body.cancel !== cancel) return fault("statement-malformed", "it asks as another right");
  return undefined;
};

/** A recall, as it stands below a refusal, with the entry of what it asks back. */
export const readRecall = (note: string | undefined, origin: string) => {
  const read = readNote(note ?? "");
  const recall = read.ok ? readStatement(read.note, "recall", recallSchema) : undefined;
  if (!read.ok || recall?.ok !== true || recall.statement.origin !== origin) return undefined;
  const { body, inner } = recall.statement;
  const original = inner === undefined ? undefined : readOriginal(origin, inner);
  if (original === undefined || !isNamed(original, body.original)) return undefined;
  return { note: read.note, body, original };
};

/** @returns undefined when the refusal is of an open recall of this transfer, for this reason */
export const checkRefusal = (
  asked: AskedRefusal,
  statement: string,
): StatementFault | undefined => {
  const { participant, origin, transferId, reason } = asked;
  const read = readUnsigned<RecallRefusal>(
    statement,
    "recall-refusal",
    recallRefusalSchema,
    origin,
  );
  if (!read.ok) return read;
  const { body, inner } = read;
  const recall = readRecall(inner, origin);
  if (recall === undefined) return fault("statement-malformed", "it answers no recall");
  if (recall.original.terms.id !== transferId || body.recall !== recall.body.id) {
    return fault("id-mismatch", `it is about ${recall.original.terms.id}`);
  }
  const own = recall.original.terms.payee.participant === participant;
  if (body.participant !== participant || !own) {
    return fault("payee-mismatch", `it is of ${body.participant}`);
  }
  return body.reason === reason
    ? undefined
    : fault("reason-mismatch", `its reason is ${body.reason}`);
};
