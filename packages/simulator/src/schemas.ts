// The shapes of the core's API, for one currency's number of decimals.
import { z } from "zod";
import { FAULT_KINDS } from "./faults.ts";
import { amountPattern } from "./minor.ts";

const MAX_BATCH = 1_000;
const transferId = z.string().min(1).max(64);
const account = z.string().min(1).max(64);
const currency = z.string().regex(/^[A-Z]{3}$/, "write an ISO 4217 code");
const money = z.strictObject({ currency, amount: z.string().max(32) });

/** Makes the schemas of one core. */
export function makeSchemas(decimals: number) {
  const amount = z.string().regex(amountPattern(decimals), {
    error: `write an amount above zero with at most ${decimals} decimals`,
  });
  const batch = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(MAX_BATCH);
  return {
    checks: z.strictObject({
      checks: batch(
        z.strictObject({
          transferId,
          account,
          currency,
          amount,
          reference: z.string().max(140).optional(),
          // Of a hosted adapter: the proposal to be signed.
          terms: z
            .string()
            .max(32 * 1024)
            .optional(),
          openings: z
            .strictObject({ payee: z.string(), reference: z.string().optional() })
            .optional(),
        }),
      ),
    }),
    credited: z.strictObject({
      from: z.int().nonnegative(),
      entries: z.array(z.string().max(32 * 1024)).max(MAX_BATCH),
      statement: z
        .string()
        .max(32 * 1024)
        .optional(),
    }),
    credits: z.strictObject({
      credits: batch(
        z.strictObject({
          transferId,
          account,
          currency,
          amount,
          // Money that comes back: of which transfer, and why.
          returnOf: transferId.optional(),
          reason: z.string().max(35).optional(),
        }),
      ),
    }),
    recalls: z.strictObject({
      recalls: batch(
        z.strictObject({
          recallId: transferId,
          transferId,
          currency,
          amount,
          reason: z.string().max(35),
          cancel: z.boolean(),
          // Of a hosted adapter: the recall to be answered, and the return that would.
          recall: z
            .string()
            .max(32 * 1024)
            .optional(),
          statement: z
            .string()
            .max(32 * 1024)
            .optional(),
        }),
      ),
    }),
    notifications: z.strictObject({
      notifications: batch(
        z.strictObject({
          transferId,
          number: z.int().nonnegative(),
          status: z.string().min(1).max(32),
          reason: z.string().max(35).optional(),
          returnOf: transferId.optional(),
          recallOf: transferId.optional(),
          sent: money.optional(),
          received: money.optional(),
        }),
      ),
    }),
    fault: z.strictObject({
      kind: z.enum(FAULT_KINDS),
      ms: z.int().min(0).max(600_000).optional(),
      count: z.int().min(1).max(1_000_000).optional(),
      account: account.optional(),
    }),
  };
}

export type Schemas = ReturnType<typeof makeSchemas>;
