// Rate sheets as an auditor sees them. When a transfer was reserved is not in the log, only that it
// was at most 300 s before its terms expire and not after its entry: a sheet must have been honoured
// at some instant of that span.
import { parseTime, type RateSheet, type RateWithdrawal, type Terms } from "@sealane/protocol";
import { keepSheet, pairKey, type AuditedSheet, type AuditState } from "./audit-state.ts";
import { maxExpiryMs } from "./intent.ts";
import { minorOf } from "./positions.ts";
import { sheetOverlapMs } from "./provider-statements.ts";

export type AuditFault = { readonly code: string; readonly detail: string };

const fault = (code: string, detail: string): AuditFault => ({ code, detail });

/** Whether the sheet held at some instant at which these terms can have been reserved. */
const wasHonoured = (
  audited: AuditedSheet,
  terms: Pick<Terms, "expiresAt">,
  timeMs: number,
): boolean => {
  const { sheet, endsAtMs, withdrawnAtMs } = audited;
  const earliest = Math.max(
    audited.timeMs,
    parseTime(sheet.from),
    parseTime(terms.expiresAt) - maxExpiryMs,
  );
  if (earliest > timeMs || earliest >= parseTime(sheet.honourUntil)) return false;
  if (endsAtMs !== undefined && earliest >= endsAtMs) return false;
  // A withdrawal counts in log order: others of the same instant may stand before it.
  return withdrawnAtMs === undefined || earliest <= withdrawnAtMs;
};

/** The sheet of an ended transfer: logged before, honoured, and not used beyond its limits. */
export const sheetFault = (
  state: AuditState,
  terms: Pick<Terms, "id" | "sheet" | "expiresAt" | "send" | "converted">,
  timeMs: number,
  committed: boolean,
): AuditFault | undefined => {
  const audited = state.sheets.get(terms.sheet.hash);
  if (audited === undefined) return fault("sheet-unknown", `transfer ${terms.id}`);
  if (!wasHonoured(audited, terms, timeMs)) {
    return fault("sheet-not-honoured", `sheet ${audited.sheet.number} for transfer ${terms.id}`);
  }
  if (!committed) return undefined;
  const { currency } = terms.send;
  if (minorOf(terms.send.amount, currency) > minorOf(audited.sheet.maxTransfer, currency)) {
    return fault("sheet-limit", `transfer ${terms.id} sends more than the sheet allows`);
  }
  const used = audited.usedMinor + minorOf(terms.converted, currency);
  if (used > minorOf(audited.sheet.totalPerLane, currency)) {
    return fault("sheet-exhausted", `sheet ${audited.sheet.number} is used beyond its total`);
  }
  return undefined;
};

/** Numbers of a provider's sheets for a pair only grow. */
export const newSheetFault = (state: AuditState, sheet: RateSheet): AuditFault | undefined => {
  const newest = state.newest.get(pairKey(sheet));
  if (newest === undefined || sheet.number > newest.sheet.number) return undefined;
  return fault("sheet-number", `number ${sheet.number} is not above ${newest.sheet.number}`);
};

/** Of a pair the lane knows two sheets: the newest, and the one that it ended. Those can be withdrawn. */
const isRecent = (state: AuditState, { sheet }: AuditedSheet, newer = 0): boolean => {
  let count = newer;
  for (const other of state.sheets.values()) {
    const later = other.sheet.number > sheet.number && pairKey(other.sheet) === pairKey(sheet);
    if (later) count += 1;
  }
  return count < 2;
};

/** Adds a sheet, which ends the one before it, and forgets those that no open transfer can cite. */
export const addSheet = (
  state: AuditState,
  sheet: RateSheet,
  at: { readonly hash: string; readonly seq: number; readonly timeMs: number },
): void => {
  const previous = state.newest.get(pairKey(sheet));
  if (previous !== undefined) previous.endsAtMs ??= at.timeMs + sheetOverlapMs;
  const oldest = at.timeMs - maxExpiryMs;
  for (const [hash, known] of state.sheets) {
    const endsAtMs = known.withdrawnAtMs ?? known.endsAtMs ?? Number.POSITIVE_INFINITY;
    const over = endsAtMs < oldest || parseTime(known.sheet.honourUntil) < oldest;
    const newer = pairKey(known.sheet) === pairKey(sheet) ? 1 : 0;
    if (over && !isRecent(state, known, newer)) state.sheets.delete(hash);
  }
  keepSheet(state, { ...at, sheet, endsAtMs: undefined, withdrawnAtMs: undefined, usedMinor: 0n });
};

const findByNumber = (state: AuditState, { provider, pair, number }: RateWithdrawal) =>
  [...state.sheets.values()].find(
    ({ sheet }) => sheet.number === number && pairKey(sheet) === pairKey({ provider, pair }),
  );

/** What a withdrawal withdraws, or undefined where there is nothing to withdraw. */
export const withdrawnSheet = (
  state: AuditState,
  withdrawal: RateWithdrawal,
): AuditedSheet | undefined => {
  const found = findByNumber(state, withdrawal);
  if (found === undefined || !isRecent(state, found)) return undefined;
  return found.withdrawnAtMs === undefined ? found : undefined;
};
