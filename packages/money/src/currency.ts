/**
 * Currencies that amounts can be in: current ISO 4217 codes that have a minor unit. A `Currency`
 * exists only through the parser, so whoever holds one need not check it again.
 */
import { CODES_BY_EXPONENT } from "./currency-table.ts";
import type { CurrencyExponent } from "./currency-table.ts";

declare const currencyBrand: unique symbol;

/** A current ISO 4217 code with a minor unit, such as `HKD`. */
export type Currency = string & { readonly [currencyBrand]: true };

/** An exact amount: `minor` counts minor units of the currency (cents, fils, yen). */
export type Money = { readonly currency: Currency; readonly minor: bigint };

const exponents: ReadonlyMap<string, CurrencyExponent> = new Map(
  CODES_BY_EXPONENT.flatMap(([exponent, codes]) =>
    codes.split(" ").map((code) => [code, exponent] as const),
  ),
);

/**
 * The currency of a code (three upper-case letters), or undefined.
 * @example parseCurrency('HKD') // 'HKD'; parseCurrency('XXX') and parseCurrency('hkd') // undefined
 */
export const parseCurrency = (code: string): Currency | undefined =>
  exponents.has(code) ? (code as Currency) : undefined;

/** Decimals of the currency's minor unit (ISO 4217): HKD 2, JPY 0, BHD 3, CLF 4. */
export const currencyExponent = (currency: Currency): CurrencyExponent => {
  const exponent = exponents.get(currency);
  if (exponent === undefined) throw new TypeError("a currency that no parser made");
  return exponent;
};

/** All currencies, in no particular order. */
export const allCurrencies = (): Currency[] => [...exponents.keys()] as Currency[];
