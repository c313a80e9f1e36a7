/**
 * Amounts as text: in from outside, judged by a regular expression before any arithmetic
 * (`1e50000000` took a decimal library 7 s), and out again with all their decimals.
 */
import { currencyExponent } from "./currency.ts";
import type { Currency } from "./currency.ts";
import { fixedText } from "./decimal-text.ts";

/** Why an amount was refused, in the order of checking. */
export type AmountRefusalCode =
  | "amount-malformed"
  | "amount-too-large"
  | "amount-too-many-decimals"
  | "amount-zero";

/** An amount in minor units, or why there is none. */
export type ParsedAmount =
  | { readonly ok: true; readonly minor: bigint }
  | { readonly ok: false; readonly code: AmountRefusalCode; readonly message: string };

/** The most minor units an amount can have: the largest bigint of Postgres and of int64. */
export const MAX_MINOR = 2n ** 63n - 1n;

const MAX_INTEGER_DIGITS = 15;
// Longer text is not looked at. Far above what any amount needs, and short enough to be cheap.
const MAX_TEXT_LENGTH = 64;
const SHAPE = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

const refuse = (code: AmountRefusalCode, message: string): ParsedAmount => ({
  ok: false,
  code,
  message,
});

/**
 * Parses an amount in major units: digits, optionally a point and at most as many decimals as
 * the currency has. No sign, exponent, spaces, separators or leading zeros; at most 15 digits
 * before the point, and at most 2^63 - 1 minor units (which only 4 decimals can reach).
 * @param options.allowZero accept zero, which is otherwise refused
 * @example parseAmount('1000.5', hkd) // { ok: true, minor: 100050n }
 */
export const parseAmount = (
  text: string,
  currency: Currency,
  options: { readonly allowZero?: boolean } = {},
): ParsedAmount => {
  const match = text.length > MAX_TEXT_LENGTH ? null : SHAPE.exec(text);
  const whole = match?.[1];
  if (whole === undefined) {
    return refuse("amount-malformed", "an amount is digits, and a point between digits at most");
  }
  if (whole.length > MAX_INTEGER_DIGITS) {
    return refuse("amount-too-large", "an amount has at most 15 digits before the point");
  }
  const fraction = match?.[2] ?? "";
  const exponent = currencyExponent(currency);
  if (fraction.length > exponent) {
    return refuse("amount-too-many-decimals", `${currency} has ${exponent} decimals`);
  }
  const minor = BigInt(whole + fraction.padEnd(exponent, "0"));
  if (minor > MAX_MINOR)
    return refuse("amount-too-large", "an amount is less than 2^63 minor units");
  if (minor === 0n && options.allowZero !== true) {
    return refuse("amount-zero", "an amount is more than zero");
  }
  return { ok: true, minor };
};

/**
 * Minor units as text in major units, with all decimals of the currency and `-` when negative.
 * @example formatAmount(100000n, hkd) // '1000.00'
 */
export const formatAmount = (minor: bigint, currency: Currency): string =>
  fixedText(minor, currencyExponent(currency));
