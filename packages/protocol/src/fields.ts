// The fields that statements share, as zod schemas: shapes only. What a field means (decimals of a
// currency, whether a sheet exists) is decided in `rules`.
import { z } from "zod";
import { participantPattern, transferIdPattern } from "./names.ts";

export const decimalPattern = /^(?:0|[1-9]\d{0,14})(?:\.\d{1,12})?$/;
/** Whether a statement can carry this amount: at most 15 digits before the point, 12 after it. */
export const isDecimal = (text: string): boolean => decimalPattern.test(text);
/** A non-negative decimal string without exponent, sign or leading zeros; see `money`. */
export const decimalSchema = z.string().regex(decimalPattern);
export const residuePattern = /^(?:0|[1-9]\d{0,14})(?:\.\d{1,24})?$/;
/** A residue may need as many decimals as amount and rate together. */
export const residueSchema = z.string().regex(residuePattern);
export const currencyPattern = /^[A-Z]{3}$/;
export const currencySchema = z.string().regex(currencyPattern);
export const participantSchema = z.string().max(200).regex(participantPattern);
export const transferIdSchema = z.string().regex(transferIdPattern);
export const hashPattern = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** Base64 of 32 bytes: a hash, a commitment, a public key. */
export const hashSchema = z.string().regex(hashPattern);

/** Every month has 28 days; JavaScript reads the 31st of February as the 3rd of March, others refuse. */
const isDay = (text: string): boolean =>
  text.slice(8, 10) < "29" || new Date(text).getUTCDate() === Number(text.slice(8, 10));

/** Log time: UTC, milliseconds, nothing else, so that text order is time order. */
export const timeSchema = z
  .string()
  .regex(
    /^20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}\.\d{3}Z$/,
  )
  .refine(isDay, "a day that does not exist");
/** A small counter: positions, numbers, sizes. Amounts are never JSON numbers. */
export const counterSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const labelPattern = /^[a-z0-9][a-z0-9./-]{0,99}$/;
export const labelSchema = z.string().regex(labelPattern);
export const reasonPattern = /^[A-Z][A-Z0-9]{3}$/;
/** An ISO 20022 external reason code (four characters). */
export const reasonSchema = z.string().regex(reasonPattern);

export const moneySchema = z.strictObject({ currency: currencySchema, amount: decimalSchema });
export type MoneyField = z.infer<typeof moneySchema>;
