// From a reference rate to the body of a rate sheet. Pure: the clock is an argument.
import {
  applySpread,
  compareRates,
  formatAmount,
  parseAmount,
  parseCurrency,
  parseRate,
  type Rate,
} from "@sealane/money";
import { formatTime, type RateSheet } from "@sealane/protocol";
import { invariant } from "@sealane/runtime";
import type { Pair } from "./feed.ts";

export type SheetSettings = {
  readonly provider: string;
  readonly spreadBasisPoints: string;
  /** In major units of the currency that is sold to the desk. */
  readonly maxTransfer: string;
  readonly totalPerLane: string;
  readonly quoteMs: number;
};

/** Clocks differ by up to 2 s, or the lane stops: a sheet is in force for every one of them. */
const backdateMs = 3_000;
/** Transfers that were quoted in the last moment are still honoured. */
const honourMs = 60_000;

export const source = "European Central Bank";

const one = parseRate("1") as Rate;

/** The reference less the spread: 6 decimals, or 8 below one; never rounded in the payee's favour. */
export const sheetRate = (reference: Rate, spreadBasisPoints: string): Rate => {
  const decimals = compareRates(reference, one) >= 0 ? 6 : 8;
  return applySpread(reference, spreadBasisPoints, decimals, "down");
};

/** The amount with the decimals of its currency: `500000.00` is `500000` in yen. */
const limitIn = (text: string, code: string): string => {
  const currency = parseCurrency(code);
  invariant(currency !== undefined, `${code} is a currency of ISO 4217`);
  const bare = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  const parsed = parseAmount(bare, currency);
  invariant(parsed.ok, `${text} is an amount in ${code}`);
  return formatAmount(parsed.minor, currency);
};

export const makeSheet = (
  settings: SheetSettings,
  pair: Pair,
  reference: { readonly rate: Rate; readonly date: string },
  number: number,
  nowMs: number,
): RateSheet => ({
  provider: settings.provider,
  number,
  pair: { from: pair.from, to: pair.to },
  rate: sheetRate(reference.rate, settings.spreadBasisPoints),
  reference: { rate: reference.rate, date: reference.date, source, feed: "replay" },
  spreadBasisPoints: settings.spreadBasisPoints,
  from: formatTime(nowMs - backdateMs),
  quoteUntil: formatTime(nowMs + settings.quoteMs),
  honourUntil: formatTime(nowMs + settings.quoteMs + honourMs),
  maxTransfer: limitIn(settings.maxTransfer, pair.from),
  totalPerLane: limitIn(settings.totalPerLane, pair.from),
});
