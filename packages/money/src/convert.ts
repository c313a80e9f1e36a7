/**
 * Conversion between currencies and fees, exactly, in whole numbers: this is the hot path. Each
 * division names its rounding, and what rounding took away is returned as an exact decimal.
 * Amounts are zero or more.
 */
import { currencyExponent } from "./currency.ts";
import type { Currency } from "./currency.ts";
import { decimalText, divideRounded, powerOfTen } from "./decimal-text.ts";
import type { Rounding } from "./decimal-text.ts";
import { MoneyError } from "./errors.ts";
import { scaledBasisPoints, scaledRate } from "./rate.ts";
import type { Rate } from "./rate.ts";

/** What was converted, and `residue = exact − rounded` in major units of the target currency. */
export type Converted = { readonly minor: bigint; readonly residue: string };

/** An exact number of minor units of the target currency: numerator / 10^scale. */
type ExactMinor = { readonly numerator: bigint; readonly scale: number };

const BASIS_POINT_SCALE = 4;

const assertNotNegative = (minor: bigint): void => {
  if (minor < 0n) throw new MoneyError("amount-negative", "only amounts of zero or more");
};

const exactConversion = (minor: bigint, from: Currency, to: Currency, rate: Rate): ExactMinor => {
  assertNotNegative(minor);
  const { digits, scale } = scaledRate(rate);
  const shift = scale + currencyExponent(from) - currencyExponent(to);
  return shift >= 0
    ? { numerator: minor * digits, scale: shift }
    : { numerator: minor * digits * powerOfTen(-shift), scale: 0 };
};

const residueText = ({ numerator, scale }: ExactMinor, minor: bigint, to: Currency): string =>
  decimalText(numerator - minor * powerOfTen(scale), scale + currencyExponent(to));

/**
 * Converts an amount.
 * @param minor minor units of `from`, zero or more
 * @param rate units of `to` per one unit of `from`, in major units
 * @returns minor units of `to`, and exact − rounded in major units of `to` (`0` when nothing
 * was rounded, negative when rounded up)
 * @throws MoneyError `amount-negative`, `rate-malformed`
 * @example convert(10000n, hkd, php, rate5_0013, 'down') // { minor: 50013n, residue: '0' }
 */
export const convert = (
  minor: bigint,
  from: Currency,
  to: Currency,
  rate: Rate,
  rounding: Rounding,
): Converted => {
  const exact = exactConversion(minor, from, to, rate);
  const rounded = divideRounded(exact.numerator, powerOfTen(exact.scale), rounding);
  return { minor: rounded, residue: residueText(exact, rounded, to) };
};

/**
 * The exact worth of `minor` in `to`, less `taken` minor units of `to`, in major units of `to`:
 * what stays behind when `taken` is paid out. Negative when more is taken than there was.
 * @throws MoneyError `amount-negative`, `rate-malformed`
 */
export const exactResidue = (
  minor: bigint,
  from: Currency,
  to: Currency,
  rate: Rate,
  taken: bigint,
): string => residueText(exactConversion(minor, from, to, rate), taken, to);

/**
 * The smallest amount of `from` that converts, rounded down, to at least `target` of `to`.
 * @throws MoneyError `amount-negative`, `rate-malformed`
 */
export const invertedAmount = (
  target: bigint,
  from: Currency,
  to: Currency,
  rate: Rate,
): bigint => {
  assertNotNegative(target);
  // floor(s × unit) >= target is s × unit >= target, as target is whole: s = ceil(target / unit).
  const unit = exactConversion(1n, from, to, rate);
  return divideRounded(target * powerOfTen(unit.scale), unit.numerator, "up");
};

/**
 * A fee in minor units: minor × basisPoints / 10000.
 * @param basisPoints decimal text, `41` or `37.5`
 * @throws MoneyError `amount-negative`, `basis-points-malformed`
 * @example feeAt(50000n, '41', 'up') // 205n
 */
export const feeAt = (minor: bigint, basisPoints: string, rounding: Rounding): bigint => {
  assertNotNegative(minor);
  const { digits, scale } = scaledBasisPoints(basisPoints);
  return divideRounded(minor * digits, powerOfTen(scale + BASIS_POINT_SCALE), rounding);
};
