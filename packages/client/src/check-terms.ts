// What a provider checks before it signs the terms that a hosted adapter made: that they say what was
// asked for, to the minor unit, under a sheet and a fee schedule that others have signed. Pure. Whoever
// holds no such check signs what the adapter's host likes.
import { parseAmount, parseCurrency } from "@sealane/money";
import {
  noteHash,
  parseTime,
  rateSheetSchema,
  readNote,
  readStatement,
  termsSchema,
  transferIdOf,
  type RateSheet,
  type Terms,
} from "@sealane/protocol";
import { checkPrice, keyIndex, type KeyState } from "@sealane/rules";
import { fromBase64, fromUtf8, sha256, toBase64, TlogError, verifierFor } from "@sealane/tlog";
import type { Money, Quote, TransferRequest } from "./adapter-types.ts";
import { fault, type StatementFault } from "./statement-refusal.ts";

/** What `POST /v1/transfers/prepare` answers: nothing in it is believed. */
export type Preparation = {
  readonly transferId: string;
  /** The exact text to be signed. */
  readonly statement: string;
  /** The note of the rate sheet that the terms cite. */
  readonly sheet: string;
  /** Base64 of `salt32 ‖ bytes` behind each commitment in the terms. */
  readonly openings: {
    readonly payer: string;
    readonly payee: string;
    readonly reference?: string | undefined;
  };
};

/** What the provider knows by itself. */
export type Asked = {
  readonly participant: string;
  /** The lane's log, from the pinned policy. */
  readonly origin: string;
  readonly idempotencyKey: string;
  readonly request: TransferRequest;
  /** The quote that `request.quoteId` names, as the provider was given it. */
  readonly quote?: Quote | undefined;
  /** The key log, as the provider has checked it. */
  readonly keys: KeyState;
  readonly nowMs: number;
};

/** Clocks differ by at most this much, or the lane stops. */
const clockToleranceMs = 2_000;
const defaultExpirySeconds = 60;

const minorIn = ({ amount, currency }: Money): bigint | undefined => {
  const known = parseCurrency(currency);
  const parsed = known && parseAmount(amount, known, { allowZero: true });
  return parsed?.ok === true ? parsed.minor : undefined;
};

/** The same exact sum; `1000` is `1000.00`. */
const sameMoney = (left: Money, right: Money): boolean => {
  const minor = minorIn(left);
  return left.currency === right.currency && minor !== undefined && minor === minorIn(right);
};

/** The text behind a commitment; undefined when the opening is of another one, or is none. */
export const openedValue = (opening: string, commitment: string): string | undefined => {
  try {
    const bytes = fromBase64(opening);
    if (bytes.length < 33 || toBase64(sha256(bytes)) !== commitment) return undefined;
    return fromUtf8(bytes.subarray(32));
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
};

/** Reads a statement's text, which carries no signature yet. */
export const readUnsigned = <T>(
  text: string,
  kind: string,
  schema: Parameters<typeof readStatement<T>>[2],
  origin: string,
) => {
  // The reader takes a note's text as it is: signatures play no part in it.
  const read = readStatement({ text, signatures: [] }, kind, schema);
  if (!read.ok) return fault("statement-malformed", read.detail);
  if (read.statement.origin !== origin) {
    return fault("wrong-log", `it is for ${read.statement.origin}, not ${origin}`);
  }
  return { ok: true, ...read.statement } as const;
};

const checkParties = (asked: Asked, terms: Terms): StatementFault | undefined => {
  const { participant, idempotencyKey, request } = asked;
  if (terms.id !== transferIdOf(participant, idempotencyKey)) {
    return fault("id-mismatch", "the id is not of this idempotency key");
  }
  if (terms.payer.participant !== participant) {
    return fault("payer-mismatch", `the payer is ${terms.payer.participant}`);
  }
  if (terms.payee.participant !== request.payee.participant) {
    return fault("payee-mismatch", `the payee is ${terms.payee.participant}`);
  }
  return undefined;
};

const checkCommitments = (
  { request }: Asked,
  terms: Terms,
  { openings }: Preparation,
): StatementFault | undefined => {
  if (openedValue(openings.payer, terms.payer.account) !== request.payer.account) {
    return fault("account-mismatch", "the payer's account is another");
  }
  if (openedValue(openings.payee, terms.payee.account) !== request.payee.account) {
    return fault("account-mismatch", "the payee's account is another");
  }
  const opened =
    terms.reference === undefined
      ? undefined
      : (openedValue(openings.reference ?? "", terms.reference) ?? "");
  if (opened !== request.reference) return fault("reference-mismatch", "the reference is another");
  return undefined;
};

const checkAmounts = ({ request, quote }: Asked, terms: Terms): StatementFault | undefined => {
  const fixed = request.fixed ?? "send";
  const other = fixed === "send" ? terms.receive : terms.send;
  if (terms.fixed !== fixed || !sameMoney(terms[fixed], request.amount)) {
    const { amount, currency } = terms[fixed];
    return fault("amount-mismatch", `it says ${terms.fixed} ${amount} ${currency}`);
  }
  if (request.otherCurrency !== undefined && other.currency !== request.otherCurrency) {
    return fault("amount-mismatch", `the other currency is ${other.currency}`);
  }
  if (request.quoteId === undefined) {
    return terms.quote === terms.id ? undefined : fault("quote-mismatch", "it uses up a quote");
  }
  if (quote === undefined || quote.quoteId !== request.quoteId) {
    return fault("quote-unknown", "this client was not given that quote");
  }
  const [fee] = terms.fees;
  const asQuoted =
    terms.quote === quote.quoteId &&
    sameMoney(terms.send, quote.sent) &&
    sameMoney(terms.receive, quote.received) &&
    fee !== undefined &&
    sameMoney(fee, quote.fee) &&
    terms.rate === quote.exchangeRate;
  return asQuoted ? undefined : fault("quote-mismatch", "amounts, fee or rate are not as quoted");
};

/** The cited sheet, signed by its provider with a key in force, for the log that is asked for. */
const checkSheet = (
  { keys, origin, nowMs }: Asked,
  terms: Terms,
  note: string,
): { readonly ok: true; readonly sheet: RateSheet } | StatementFault => {
  const parsed = readNote(note);
  const read = parsed.ok ? readStatement(parsed.note, "rate-sheet", rateSheetSchema) : undefined;
  if (!parsed.ok || read?.ok !== true || read.statement.origin !== origin) {
    return fault("sheet-mismatch", "what stands for the sheet is none of this log");
  }
  const sheet = read.statement.body;
  const { provider, number, hash } = terms.sheet;
  if (noteHash(note) !== hash || sheet.provider !== provider || sheet.number !== number) {
    return fault("sheet-mismatch", "the terms cite another sheet");
  }
  const owner = keys.participants.get(provider);
  if (owner === undefined || owner.suspended || !owner.roles.includes("liquidity-provider")) {
    return fault("sheet-mismatch", `${provider} gives no rates here`);
  }
  const signed = parsed.note.signatures.some(({ name, keyId, signature }) => {
    const key = keys.keys.get(keyIndex(name, keyId));
    if (key?.participant !== provider || key.purpose !== "rate-sheet") return false;
    if (key.revokedAt !== undefined) return false;
    return verifierFor(key.key).verify(parsed.note.text, signature);
  });
  if (!signed) return fault("signature-wrong", `${provider} has not signed the sheet`);
  if (nowMs >= parseTime(sheet.honourUntil) + clockToleranceMs) {
    return fault("sheet-mismatch", `the sheet was honoured until ${sheet.honourUntil}`);
  }
  return { ok: true, sheet };
};

const checkConversion = (
  asked: Asked,
  terms: Terms,
  { sheet: note }: Preparation,
): StatementFault | undefined => {
  const { keys } = asked;
  if (!keys.policies.has(terms.policy)) return fault("policy-unknown", terms.policy);
  const sheet = checkSheet(asked, terms, note);
  if (!sheet.ok) return sheet;
  // The newest schedule of the pair: an older one may be dearer.
  const schedule = [...keys.schedules.values()].findLast(
    ({ from, to }) => from === terms.send.currency && to === terms.receive.currency,
  );
  const wrong = checkPrice(terms, sheet.sheet, schedule);
  if (wrong === undefined) return undefined;
  const fees = wrong.code === "fee-mismatch" || wrong.code === "schedule-unknown";
  return fault(fees ? "fee-mismatch" : "amount-mismatch", wrong.detail);
};

const checkExpiry = ({ request, nowMs }: Asked, terms: Terms): StatementFault | undefined => {
  const until = parseTime(terms.expiresAt);
  const latest = nowMs + (request.expiresInSeconds ?? defaultExpirySeconds) * 1_000;
  if (until > latest + clockToleranceMs) {
    return fault("expiry-mismatch", `it is valid until ${terms.expiresAt}, longer than asked for`);
  }
  return until + clockToleranceMs > nowMs
    ? undefined
    : fault("expiry-mismatch", `it was over at ${terms.expiresAt}`);
};

/**
 * Checks what is to be signed against what was asked for.
 * @returns the terms, or the first difference: then nothing may be signed
 */
export const checkTerms = (
  asked: Asked,
  prepared: Preparation,
): { readonly ok: true; readonly terms: Terms } | StatementFault => {
  const read = readUnsigned<Terms>(prepared.statement, "transfer", termsSchema, asked.origin);
  if (!read.ok) return read;
  const { body: terms, inner } = read;
  if (inner !== undefined) return fault("statement-malformed", "terms answer no other statement");
  const wrong =
    checkParties(asked, terms) ??
    checkCommitments(asked, terms, prepared) ??
    checkAmounts(asked, terms) ??
    checkConversion(asked, terms, prepared) ??
    checkExpiry(asked, terms);
  return wrong ?? { ok: true, terms };
};
