/**
 * Exchange rates and basis points as canonical decimal text, never as floats (a float was off by
 * one minor unit in 1.2 % of conversions). A `Rate` says units of one currency per one unit of
 * another, in major units. Text is judged by a regular expression before any arithmetic.
 */
import { MoneyError } from "./errors.ts";
import { decimalText, powerOfTen, scaledDecimal } from "./decimal-text.ts";
import type { ScaledDecimal } from "./decimal-text.ts";

declare const rateBrand: unique symbol;

/** Canonical positive decimal: no leading or trailing zeros, at most 12 digits on each side. */
export type Rate = string & { readonly [rateBrand]: true };

/** Most decimals of a rate. */
export const MAX_RATE_DECIMALS = 12;

const RATE_SHAPE = /^(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,12})?$/;
const BASIS_POINTS_SHAPE = /^(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,6})?$/;
const CACHE_LIMIT = 1024;

/** Scaled forms of texts seen lately; it changes nothing but the time a call takes. */
const makeCache = (parse: (text: string) => ScaledDecimal) => {
  const cache = new Map<string, ScaledDecimal>();
  return (text: string): ScaledDecimal => {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const parsed = parse(text);
    if (cache.size >= CACHE_LIMIT) cache.clear();
    cache.set(text, parsed);
    return parsed;
  };
};

/**
 * A rate in its canonical form, or undefined: positive, no sign or exponent, no leading zeros,
 * at most 12 digits before the point and 12 decimals. Trailing zeros are dropped.
 * @example parseRate('8.1160') // '8.116'
 */
export const parseRate = (text: string): Rate | undefined => {
  if (!RATE_SHAPE.test(text)) return undefined;
  const { digits, scale } = scaledDecimal(text);
  return digits === 0n ? undefined : (decimalText(digits, scale) as Rate);
};

/**
 * Digits and scale of a rate.
 * @throws MoneyError `rate-malformed` for a string that no parser made
 */
export const scaledRate: (rate: Rate) => ScaledDecimal = makeCache((text) => {
  if (parseRate(text) !== text) throw new MoneyError("rate-malformed", "not a canonical rate");
  return scaledDecimal(text);
});

/**
 * Digits and scale of basis points (hundredths of a percent): zero or more, below a million,
 * at most 6 decimals. Trailing zeros are allowed.
 * @throws MoneyError `basis-points-malformed`
 */
export const scaledBasisPoints: (text: string) => ScaledDecimal = makeCache((text) => {
  if (!isBasisPoints(text)) throw new MoneyError("basis-points-malformed", "not basis points");
  return scaledDecimal(text);
});

/** Whether text can be basis points, for the parsers of fee schedules: `41`, `37.5`, `0`. */
export const isBasisPoints = (text: string): boolean => BASIS_POINTS_SHAPE.test(text);

/** Which rate is larger: -1, 0 or 1, as a sort function wants it. */
export const compareRates = (a: Rate, b: Rate): -1 | 0 | 1 => {
  const left = scaledRate(a);
  const right = scaledRate(b);
  const difference = left.digits * powerOfTen(right.scale) - right.digits * powerOfTen(left.scale);
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
};
