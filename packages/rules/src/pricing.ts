// The price of a transfer under one sheet and one fee schedule. Adapters price with it, the ledger
// and every verifier recompute it: a transfer converts once, and never again (`design.md` §5).
import {
  MAX_MINOR,
  parseAmount,
  parseCurrency,
  parseRate,
  quoteFixedReceive,
  quoteFixedSend,
  type Currency,
} from "@sealane/money";
import {
  isDecimal,
  type FeeSchedule,
  type RateSheet,
  type RefusalCode,
  type Terms,
} from "@sealane/protocol";
import { amountOf } from "./positions.ts";

/** The amounts of a transfer as they stand in its terms. */
export type Price = Pick<Terms, "fixed" | "send" | "converted" | "rate" | "receive" | "residue"> & {
  readonly fee: string;
};

export type PriceResult =
  | { readonly ok: true; readonly price: Price }
  | { readonly ok: false; readonly code: RefusalCode; readonly detail: string };

const refuse = (code: RefusalCode, detail: string): PriceResult => ({ ok: false, code, detail });

const amountCodes = {
  "amount-malformed": "amount-invalid",
  "amount-too-many-decimals": "amount-decimals",
  "amount-too-large": "amount-invalid",
  "amount-zero": "amount-zero",
} as const satisfies Record<string, RefusalCode>;

/**
 * Prices an amount. `fixed: send` rounds the received amount down; `fixed: receive` finds the
 * smallest amount to send. The fee is on the amount sent, rounded up.
 * @param amount in major units of the fixed side's currency, exact
 */
export const priceTransfer = (
  fixed: "send" | "receive",
  amount: string,
  sheet: RateSheet,
  schedule: FeeSchedule,
): PriceResult => {
  const from = parseCurrency(sheet.pair.from);
  const to = parseCurrency(sheet.pair.to);
  const rate = parseRate(sheet.rate);
  if (from === undefined || to === undefined || rate === undefined) {
    return refuse("sheet-pair", "the sheet has a currency or rate that cannot be used");
  }
  const side: Currency = fixed === "send" ? from : to;
  const parsed = parseAmount(amount, side);
  if (!parsed.ok) return refuse(amountCodes[parsed.code], parsed.message);
  const minimum = parseAmount(schedule.minimum, from, { allowZero: true });
  if (!minimum.ok) return refuse("schedule-unknown", minimum.message);
  const common = {
    from,
    to,
    rate,
    feeBasisPoints: schedule.basisPoints,
    feeMinimum: minimum.minor,
  };
  const quote =
    fixed === "send"
      ? quoteFixedSend({ send: parsed.minor, ...common })
      : quoteFixedReceive({ receive: parsed.minor, ...common });
  if (!quote.ok) return refuse("amount-zero", "nothing is left to convert after the fee");
  if (quote.receive <= 0n) return refuse("amount-zero", "too little to pay out");
  if (quote.send > MAX_MINOR || quote.receive > MAX_MINOR) {
    return refuse("amount-invalid", "an amount is less than 2^63 minor units");
  }
  const sent = amountOf(quote.send, from);
  const received = amountOf(quote.receive, to);
  // The asked side fits, the other may not: terms that no reader takes would never be answered.
  if (!isDecimal(sent) || !isDecimal(received)) {
    return refuse("amount-invalid", "an amount has at most 15 digits before the point");
  }
  return {
    ok: true,
    price: {
      fixed,
      send: { currency: from, amount: sent },
      fee: amountOf(quote.fee, from),
      converted: amountOf(quote.converted, from),
      rate: sheet.rate,
      receive: { currency: to, amount: received },
      residue: quote.residue,
    },
  };
};

/** Recomputes the terms' price. @returns undefined when it is right to the minor unit */
export const checkPrice = (
  terms: Terms,
  sheet: RateSheet,
  schedule: FeeSchedule | undefined,
): { readonly code: RefusalCode; readonly detail: string } | undefined => {
  if (sheet.pair.from !== terms.send.currency || sheet.pair.to !== terms.receive.currency) {
    return { code: "sheet-pair", detail: `the sheet is for ${sheet.pair.from}/${sheet.pair.to}` };
  }
  const fee = terms.fees[0];
  if (
    fee === undefined ||
    terms.fees.length !== 1 ||
    schedule === undefined ||
    fee.schedule !== schedule.schedule ||
    schedule.from !== terms.send.currency ||
    schedule.to !== terms.receive.currency ||
    fee.to !== schedule.payee
  ) {
    return { code: "schedule-unknown", detail: "cite the one fee schedule of this pair" };
  }
  const asked = terms.fixed === "send" ? terms.send.amount : terms.receive.amount;
  const result = priceTransfer(terms.fixed, asked, sheet, schedule);
  if (!result.ok) return result;
  const { price } = result;
  if (fee.currency !== price.send.currency || fee.amount !== price.fee) {
    return { code: "fee-mismatch", detail: `the fee is ${price.fee} ${price.send.currency}` };
  }
  const same =
    terms.send.amount === price.send.amount &&
    terms.converted === price.converted &&
    terms.rate === price.rate &&
    terms.receive.amount === price.receive.amount &&
    terms.residue === price.residue;
  if (same) return undefined;
  return {
    code: "amount-mismatch",
    detail:
      `sent ${price.send.amount}, converted ${price.converted} at ${price.rate}, ` +
      `received ${price.receive.amount}, residue ${price.residue}`,
  };
};
