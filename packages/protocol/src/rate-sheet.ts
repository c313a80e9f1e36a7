// What a liquidity provider signs: a short-lived rate for one pair, or its withdrawal.
import { z } from "zod";
import {
  counterSchema,
  currencySchema,
  decimalSchema,
  labelSchema,
  participantSchema,
  timeSchema,
} from "./fields.ts";

export const rateSheetSchema = z.strictObject({
  provider: participantSchema,
  /** Grows by one with each sheet of this provider for this pair. */
  number: counterSchema,
  pair: z.strictObject({ from: currencySchema, to: currencySchema }),
  /** Units of `to` for one unit of `from`, spread included. */
  rate: decimalSchema,
  /** What the rate was made from, so that the spread can be checked. */
  reference: z.strictObject({
    rate: decimalSchema,
    /** The day the reference was published. */
    date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
    source: z.string().max(100),
    /** `replay`: published rates of an earlier day, declared as such; `live`: today's. */
    feed: z.enum(["replay", "live"]),
  }),
  /** Taken off the reference rate, in basis points. */
  spreadBasisPoints: decimalSchema,
  from: timeSchema,
  /** Adapters quote from it until then. */
  quoteUntil: timeSchema,
  /** The ledger reserves under it until then. */
  honourUntil: timeSchema,
  /** Largest single transfer, in `from`. */
  maxTransfer: decimalSchema,
  /** Most that one lane may convert under this sheet, in `from`; pending counts. */
  totalPerLane: decimalSchema,
});
export type RateSheet = z.infer<typeof rateSheetSchema>;

export const rateWithdrawalSchema = z.strictObject({
  provider: participantSchema,
  pair: z.strictObject({ from: currencySchema, to: currencySchema }),
  number: counterSchema,
  reason: labelSchema,
});
export type RateWithdrawal = z.infer<typeof rateWithdrawalSchema>;
