// What a wallet's core asks for: shapes of the HTTP bodies. Amounts are strings and stay strings
// until `money` has read them.
import { participantSchema, transferIdSchema, type RefusalCode } from "@sealane/protocol";
import { z } from "zod";

const coded = (code: RefusalCode, message: string) => ({ message, params: { code } });

/** Syntax of an exact amount; decimals per currency are judged when it is priced. */
const amountSchema = z
  .string()
  .max(40)
  .superRefine((text, context) => {
    if (/^(?:0|[1-9]\d{0,14})(?:\.\d{1,12})?$/.test(text)) return;
    const { message, params } = coded(
      "amount-invalid",
      'write an exact decimal such as "1000.00": no sign, no exponent, at most 15 digits before the point',
    );
    context.addIssue({ code: "custom", message, params });
  });

export const currencyCodeSchema = z.string().regex(/^[A-Z]{3}$/, "an ISO 4217 code, such as HKD");

const accountSchema = z
  .string()
  .min(3)
  .max(64)
  .regex(/^[A-Za-z0-9+._@-]+$/, "letters, digits and + . _ @ -");

/** What XML can carry: the reference goes into ISO 20022 messages. */
const isPrintable = (text: string): boolean => !/[\p{Cc}\ufffe\uffff]/u.test(text);

export const quoteRequestSchema = z.strictObject({
  payee: z.strictObject({ participant: participantSchema }),
  amount: z.strictObject({ currency: currencyCodeSchema, amount: amountSchema }),
  /** Which side the amount is for; the other follows. */
  fixed: z.enum(["send", "receive"]).default("send"),
  /** The other side's currency; the participant's first one when left out. */
  otherCurrency: currencyCodeSchema.optional(),
});
export type QuoteRequest = z.infer<typeof quoteRequestSchema>;

export const transferRequestSchema = z.strictObject({
  payer: z.strictObject({ account: accountSchema }),
  payee: z.strictObject({ participant: participantSchema, account: accountSchema }),
  amount: z.strictObject({ currency: currencyCodeSchema, amount: amountSchema }),
  fixed: z.enum(["send", "receive"]).default("send"),
  otherCurrency: currencyCodeSchema.optional(),
  /** A quote of this adapter; it is used once, and its amounts must be the same. */
  quoteId: transferIdSchema.optional(),
  /** Remittance information for the payee; sealed to it, and only committed to in the terms. */
  reference: z.string().max(140).refine(isPrintable, "no control characters").optional(),
  /** Seconds until the transfer expires if it has not been committed. */
  expiresInSeconds: z.number().int().min(1).max(300).default(60),
});
export type TransferRequest = z.infer<typeof transferRequestSchema>;

export const bulkLineSchema = z.strictObject({
  idempotencyKey: z.string().regex(/^[\x21-\x7e]{1,255}$/, "1 to 255 visible ASCII characters"),
  transfer: transferRequestSchema,
});
