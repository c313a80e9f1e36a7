/**
 * Pricing a quote: fee first, in the sent currency, then one conversion. Fees round up and
 * payouts round down, so neither rounding ever costs the one who bears the risk; the fraction
 * that is left is stated exactly and stays with the liquidity provider. Refusals are data.
 */
import { convert, exactResidue, feeAt, invertedAmount } from "./convert.ts";
import type { Currency } from "./currency.ts";
import { divideRounded, powerOfTen } from "./decimal-text.ts";
import { MoneyError } from "./errors.ts";
import { scaledBasisPoints } from "./rate.ts";
import type { Rate } from "./rate.ts";

/** The price list of a quote. `rate` is `to` per `from` in major units; the fee is in `from`. */
export type QuotePrices = {
  readonly from: Currency;
  readonly to: Currency;
  readonly rate: Rate;
  readonly feeBasisPoints: string;
  readonly feeMinimum: bigint;
};

/** A priced transfer: `send = fee + converted` in minor units of `from`, `receive` of `to`. */
export type QuoteAmounts = {
  readonly ok: true;
  readonly send: bigint;
  readonly fee: bigint;
  readonly converted: bigint;
  readonly receive: bigint;
  /** exact(converted × rate) − receive, in major units of `to`, zero or more. */
  readonly residue: string;
};

/** Why there is no price: the fee eats the amount, or nothing would be paid out. */
export type QuoteRefusal = {
  readonly ok: false;
  readonly code: "converted-not-positive" | "receive-not-positive";
};

const CONVERTED_NOT_POSITIVE: QuoteRefusal = { ok: false, code: "converted-not-positive" };
const RECEIVE_NOT_POSITIVE: QuoteRefusal = { ok: false, code: "receive-not-positive" };
const BASIS_POINT_SCALE = 4;

const quoteFee = (send: bigint, { feeBasisPoints, feeMinimum }: QuotePrices): bigint => {
  if (feeMinimum < 0n) throw new MoneyError("amount-negative", "a minimum fee is zero or more");
  const fee = feeAt(send, feeBasisPoints, "up");
  return fee > feeMinimum ? fee : feeMinimum;
};

/**
 * Prices a transfer of a fixed sent amount: fee = max(minimum, ceil(send × bp / 10000)),
 * converted = send − fee, receive = floor(converted × rate).
 * @throws MoneyError `amount-negative` (the minimum fee), `basis-points-malformed`
 */
export const quoteFixedSend = (
  request: QuotePrices & { readonly send: bigint },
): QuoteAmounts | QuoteRefusal => {
  const { send, from, to, rate } = request;
  if (send <= 0n) return CONVERTED_NOT_POSITIVE;
  const fee = quoteFee(send, request);
  const converted = send - fee;
  if (converted <= 0n) return CONVERTED_NOT_POSITIVE;
  const { minor: receive, residue } = convert(converted, from, to, rate, "down");
  if (receive === 0n) return RECEIVE_NOT_POSITIVE;
  return { ok: true, send, fee, converted, receive, residue };
};

/**
 * The smallest `send` of which at least `wanted` is left after the fee. The fee is the larger
 * of two, so both must leave enough: send − minimum >= wanted, and send − ceil(send × p) >=
 * wanted, which for whole numbers is send × (1 − p) >= wanted.
 */
const grossUp = (wanted: bigint, { feeBasisPoints, feeMinimum }: QuotePrices): bigint => {
  const { digits, scale } = scaledBasisPoints(feeBasisPoints);
  const one = powerOfTen(scale + BASIS_POINT_SCALE);
  const byRate = divideRounded(wanted * one, one - digits, "up");
  const byMinimum = wanted + feeMinimum;
  return byRate > byMinimum ? byRate : byMinimum;
};

/**
 * Prices a transfer of a fixed received amount: the smallest `send` whose fixed-send price pays
 * out at least `receive`. What is paid out is `receive` exactly; `residue` is what the
 * conversion is worth beyond it (it can be more than a minor unit where `from` is coarser).
 * @throws MoneyError `amount-negative` (the minimum fee), `basis-points-malformed`
 */
export const quoteFixedReceive = (
  request: QuotePrices & { readonly receive: bigint },
): QuoteAmounts | QuoteRefusal => {
  const { receive, from, to, rate } = request;
  if (receive <= 0n) return RECEIVE_NOT_POSITIVE;
  const { digits, scale } = scaledBasisPoints(request.feeBasisPoints);
  if (digits >= powerOfTen(scale + BASIS_POINT_SCALE)) return CONVERTED_NOT_POSITIVE;
  const send = grossUp(invertedAmount(receive, from, to, rate), request);
  const fee = quoteFee(send, request);
  const converted = send - fee;
  const residue = exactResidue(converted, from, to, rate, receive);
  return { ok: true, send, fee, converted, receive, residue };
};
