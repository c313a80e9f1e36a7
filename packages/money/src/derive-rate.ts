/**
 * Rates made from other rates, where a division need not end: the only use of decimal.js. Its
 * clone keeps 80 digits. A quotient of two 24-digit numbers that is not a multiple (or the
 * middle of two multiples) of 10^-12 is more than 10^-38 away from one, so rounding it to 80
 * digits first cannot change how it then rounds to 12 decimals.
 */
import { Decimal } from "decimal.js";
import { MoneyError } from "./errors.ts";
import { MAX_RATE_DECIMALS, isBasisPoints, parseRate } from "./rate.ts";
import type { Rate } from "./rate.ts";
import type { Rounding } from "./decimal-text.ts";

const Exact = Decimal.clone({ precision: 80, rounding: Decimal.ROUND_HALF_EVEN });

const ROUNDING_MODES = {
  down: Decimal.ROUND_DOWN,
  up: Decimal.ROUND_UP,
  "half-even": Decimal.ROUND_HALF_EVEN,
} as const satisfies Record<Rounding, Decimal.Rounding>;

const roundRate = (value: Decimal, decimals: number, rounding: Rounding): Rate => {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > MAX_RATE_DECIMALS) {
    throw new MoneyError("rate-out-of-range", "a rate has 0 to 12 decimals");
  }
  const text = value.toDecimalPlaces(decimals, ROUNDING_MODES[rounding]).toFixed();
  const rate = parseRate(text);
  if (rate === undefined) throw new MoneyError("rate-out-of-range", `${text} cannot be a rate`);
  return rate;
};

const requireRate = (text: string): Rate => {
  const rate = parseRate(text);
  if (rate === undefined) throw new MoneyError("rate-malformed", "not a rate");
  return rate;
};

/**
 * The rate between two currencies that are quoted against the same third one: numerator ÷
 * denominator, rounded to `decimals`.
 * @param numerator units of the target currency per unit of the common one (PHP per EUR)
 * @param denominator units of the source currency per unit of the common one (HKD per EUR)
 * @throws MoneyError `rate-malformed` for an argument, `rate-out-of-range` for the result (it
 * rounds to zero, or has more than 12 digits before the point)
 * @example crossRate('71.143', '8.7652', 4, 'half-even') // '8.1165', PHP per HKD
 */
export const crossRate = (
  numerator: string,
  denominator: string,
  decimals: number,
  rounding: Rounding,
): Rate =>
  roundRate(new Exact(requireRate(numerator)).div(requireRate(denominator)), decimals, rounding);

/**
 * The rate less a spread: rate × (1 − basisPoints / 10000), rounded to `decimals`. A spread
 * lowers what the payee gets; `down` never rounds in the payee's favour.
 * @throws MoneyError `basis-points-malformed`, `rate-malformed`, `rate-out-of-range`
 * @example applySpread(rate8_1165, '25', 4, 'down') // '8.0962'
 */
export const applySpread = (
  rate: Rate,
  basisPoints: string,
  decimals: number,
  rounding: Rounding,
): Rate => {
  if (!isBasisPoints(basisPoints)) {
    throw new MoneyError("basis-points-malformed", "not basis points");
  }
  const kept = new Exact(10_000).minus(basisPoints);
  if (!kept.isPositive() || kept.isZero()) {
    throw new MoneyError("rate-out-of-range", "a spread of the whole rate");
  }
  return roundRate(new Exact(requireRate(rate)).times(kept).div(10_000), decimals, rounding);
};
