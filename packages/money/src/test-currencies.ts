/**
 * For tests only: one currency of each number of decimals, and rates from text.
 */
import { parseCurrency } from "./currency.ts";
import type { Currency } from "./currency.ts";
import { parseRate } from "./rate.ts";
import type { Rate } from "./rate.ts";

/** A currency that must exist. */
export const currency = (code: string): Currency => {
  const parsed = parseCurrency(code);
  if (parsed === undefined) throw new TypeError(`no currency ${code}`);
  return parsed;
};

/** A rate that must be one. */
export const rate = (text: string): Rate => {
  const parsed = parseRate(text);
  if (parsed === undefined) throw new TypeError(`no rate ${text}`);
  return parsed;
};

export const JPY = currency("JPY");
export const HKD = currency("HKD");
export const PHP = currency("PHP");
export const BHD = currency("BHD");
export const CLF = currency("CLF");
