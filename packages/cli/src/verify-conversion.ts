// The question of the price: was a transfer converted as a sheet of its liquidity provider says? The
// sheet comes from a copy that nobody vouches for; the hash in the terms says whether it is the one.
import {
  noteHash,
  parseTime,
  rateSheetSchema,
  readNote,
  readStatement,
  type RateSheet,
  type Terms,
} from "@sealane/protocol";
import {
  isAmount,
  keyIndex,
  maxExpiryMs,
  minorOf,
  verifyEntry,
  type KeyHistory,
  type KeyState,
} from "@sealane/rules";
import { verifierFor, type Note } from "@sealane/tlog";
import type { SealedEntry } from "./verify-seal.ts";
import { checked, failed, notChecked, type Check } from "./verify-types.ts";

/**
 * Whether a rate-sheet key of the provider signed. A key that was revoked later, after the sheet began
 * to hold, counts: what it signed before stays signed.
 */
const providerSigned = (
  note: Note,
  sheet: RateSheet,
  state: KeyState,
  history: KeyHistory,
): boolean =>
  note.signatures.some(({ name, keyId, signature }) => {
    const key = state.keys.get(keyIndex(name, keyId));
    if (key?.participant !== sheet.provider || key.purpose !== "rate-sheet") return false;
    const revokedAtMs = key.revokedAt === undefined ? Infinity : history.times[key.revokedAt];
    if ((revokedAtMs ?? 0) <= parseTime(sheet.from)) return false;
    return verifierFor(key.key).verify(note.text, signature);
  });

/** When a transfer was reserved is not in its entry; a sheet must have held at some possible instant. */
const limitFault = (sheet: RateSheet, terms: Terms, timeMs: number): Check | undefined => {
  const earliest = Math.max(parseTime(sheet.from), parseTime(terms.expiresAt) - maxExpiryMs);
  if (earliest > timeMs || earliest >= parseTime(sheet.honourUntil)) {
    return failed("sheet-not-honoured", `sheet ${sheet.number} did not hold for this transfer`);
  }
  const { currency, amount } = terms.send;
  const most = sheet.maxTransfer;
  if (!isAmount(most, currency) || minorOf(amount, currency) > minorOf(most, currency)) {
    return failed("sheet-limit", `sheet ${sheet.number} allows at most ${most} ${currency}`);
  }
  return undefined;
};

/**
 * Judges the conversion of a committed transfer whose parties and policy were checked before.
 * @param sheets notes of sheets at hand, in any order; others than the cited one are not looked at
 */
export const checkConversion = (
  sealed: SealedEntry,
  terms: Terms,
  state: KeyState,
  history: KeyHistory,
  sheets: readonly string[],
): Check => {
  const cited = `sheet ${terms.sheet.number} of ${terms.sheet.provider}`;
  const found = sheets.find((note) => noteHash(note) === terms.sheet.hash);
  if (found === undefined) return notChecked(`${cited} is not at hand`);
  const note = readNote(found);
  if (!note.ok) return failed(note.code, note.detail);
  const read = readStatement(note.note, "rate-sheet", rateSheetSchema);
  if (!read.ok) return failed(read.code, read.detail);
  const { origin, body: sheet } = read.statement;
  if (origin !== sealed.origin) return failed("wrong-log", `${cited} is for ${origin}`);
  if (!providerSigned(note.note, sheet, state, history)) {
    return failed("signature-missing", `${cited} is not signed by a key of its provider`);
  }
  const limit = limitFault(sheet, terms, parseTime(sealed.context.time));
  if (limit !== undefined) return limit;
  const priced = verifyEntry(sealed.note, {
    origin: sealed.origin,
    history,
    signatures: false,
    sheetOf: () => sheet,
  });
  if (!priced.ok) return failed(priced.code, priced.detail);
  const { send, fees, converted, rate, receive } = terms;
  const fee = fees.map(({ amount, currency }) => `${amount} ${currency}`).join(" and ");
  return checked(
    `${cited}: ${send.amount} ${send.currency} less ${fee} is ${converted}, ` +
      `at ${rate} ${receive.amount} ${receive.currency}`,
  );
};
