// What a wallet provider's own books say, in one neutral shape: camt.053, CSV and the API all become it.
// It is no entry of the log and nobody's signature: it is compared with the log, and moves nothing.
// A statement speaks of bookings in [from, to); a line's reference is the provider's own and counts once.
import { z } from "zod";
import {
  counterSchema,
  currencySchema,
  decimalSchema,
  hashSchema,
  participantSchema,
  timeSchema,
  transferIdSchema,
} from "./fields.ts";

/** The provider's own name of a line or a statement: visible characters, spaces inside. */
const ownReference = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);

export const providerLineSchema = z.strictObject({
  reference: ownReference(64),
  /** Which transfer the provider says that it is of; none: it does not know. */
  transfer: transferIdSchema.optional(),
  /** As the ledger has it: a debit is what the provider owes, a credit what it is owed. */
  side: z.enum(["debit", "credit"]),
  currency: currencySchema,
  amount: decimalSchema,
  /** What of the amount is a fee, where the provider's books say so. */
  fee: decimalSchema.optional(),
  /** `reversed` takes a booked line of the same side and amount back. */
  status: z.enum(["booked", "pending", "reversed"]),
  bookedAt: timeSchema,
});
export type ProviderLine = z.infer<typeof providerLineSchema>;

/** Lines of one part; more go into further parts. */
export const maxProviderLines = 5_000;

export const providerStatementSchema = z.strictObject({
  participant: participantSchema,
  /** The provider's number of the statement, and of its part; counts once. */
  reference: ownReference(64),
  /** SHA-256 of the file that it was read from, base64. */
  digest: hashSchema.optional(),
  /** Bookings from here on, and before there. */
  from: timeSchema,
  to: timeSchema,
  /** The log's size that the provider had seen when it closed the statement, where it knows. */
  position: counterSchema.optional(),
  /** More parts of the same period follow: it does not cover its period yet. */
  more: z.literal(true).optional(),
  lines: z.array(providerLineSchema).max(maxProviderLines),
});
export type ProviderStatement = z.infer<typeof providerStatementSchema>;
