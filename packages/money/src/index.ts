/**
 * Exact money: currencies, amounts, rates, conversion, fees, quotes, with every rounding named.
 * Pure; the only user of decimal.js in the repository. Read convert.ts first.
 */
export { allCurrencies, currencyExponent, parseCurrency } from "./currency.ts";
export type { Currency, Money } from "./currency.ts";
export type { CurrencyExponent } from "./currency-table.ts";
export { MAX_MINOR, formatAmount, parseAmount } from "./amount.ts";
export type { AmountRefusalCode, ParsedAmount } from "./amount.ts";
export type { Rounding } from "./decimal-text.ts";
export { compareRates, isBasisPoints, parseRate } from "./rate.ts";
export type { Rate } from "./rate.ts";
export { applySpread, crossRate } from "./derive-rate.ts";
export { convert, exactResidue, feeAt, invertedAmount } from "./convert.ts";
export type { Converted } from "./convert.ts";
export { splitProRata } from "./split.ts";
export { quoteFixedReceive, quoteFixedSend } from "./quote.ts";
export type { QuoteAmounts, QuotePrices, QuoteRefusal } from "./quote.ts";
export { MoneyError } from "./errors.ts";
export type { MoneyErrorCode } from "./errors.ts";
