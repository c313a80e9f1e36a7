// The desk's settings, read once; see the room's README for each.
import { participantSchema } from "@sealane/protocol";
import { durationMs, filePath, kafkaFields, port, urlsLoopbackOrHttps } from "@sealane/runtime";
import { z } from "zod";

const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "write a day such as 2026-10-30");
const amount = z
  .string()
  .regex(/^[1-9]\d{0,14}(?:\.\d{1,4})?$/, "write an amount such as 500000.00");

const shippedRates = new URL("../data/ecb-reference-rates.csv", import.meta.url).pathname;

/** `HKD/PHP,PHP/HKD` */
const pairs = z
  .string()
  .regex(/^[A-Z]{3}\/[A-Z]{3}(?:,[A-Z]{3}\/[A-Z]{3})*$/, "write pairs such as HKD/PHP,PHP/HKD")
  .transform((text) =>
    [...new Set(text.split(","))].map((pair) => ({ from: pair.slice(0, 3), to: pair.slice(4) })),
  )
  .refine((list) => list.every(({ from, to }) => from !== to), "a pair has two currencies");

export const deskConfigSchema = z.object({
  SEALANE_PARTICIPANT: participantSchema.default("fx-desk.example"),
  SEALANE_FX_PORT: port.default(8085),
  SEALANE_LANE: z.coerce.number().int().min(0).max(1_023).default(0),
  ...kafkaFields,
  /** One URL, or one for each lane, separated by commas, in the order in which the policy names their logs. */
  SEALANE_LEDGER_URL: urlsLoopbackOrHttps,
  /** The token that the ledger knows this participant by; fills gaps of the inbox. */
  SEALANE_LEDGER_TOKEN_FILE: filePath.optional(),
  SEALANE_RATE_KEY_FILE: filePath,
  SEALANE_WITNESS_KEY_FILE: filePath,
  SEALANE_WITNESS_STATE_FILE: filePath,
  /** What the desk has signed, and how far it has read its inbox; a further lane's is `<file>.<lane>`. */
  SEALANE_STATE_FILE: filePath,
  SEALANE_POLICY_FILE: filePath,
  /** What an operator of the desk must show. */
  SEALANE_API_TOKEN_FILE: filePath,
  SEALANE_PAIRS: pairs.default([
    { from: "HKD", to: "PHP" },
    { from: "PHP", to: "HKD" },
  ]),
  SEALANE_SPREAD_BASIS_POINTS: z
    .string()
    .regex(/^\d{1,4}(?:\.\d{1,6})?$/)
    .default("50"),
  /** How long adapters quote from a sheet; the ledger honours it 60 s longer. */
  SEALANE_SHEET_LIFE: durationMs.default(600_000),
  SEALANE_MAX_TRANSFER: amount.default("500000.00"),
  SEALANE_TOTAL_PER_LANE: amount.default("1000000000.00"),
  SEALANE_FEED_FILE: filePath.default(shippedRates),
  /** The replay's "today"; its newest row when left out. */
  SEALANE_FEED_DATE: date.optional(),
  /** Five days: the longest the bank is closed, over Easter and around Christmas. */
  SEALANE_FEED_MAX_AGE_DAYS: z.coerce.number().int().min(0).max(10_000).default(5),
  /** Largest change between two published days, in percent. */
  SEALANE_MAX_JUMP_PERCENT: z.coerce.number().min(0.01).max(99).default(10),
  /** How often the desk signs what its own chain is, up to then. */
  SEALANE_STATEMENT_INTERVAL: durationMs.default(86_400_000),
  SEALANE_LOG_LEVEL: z.string().default("info"),
  SEALANE_TRACES_FILE: filePath.optional(),
  SEALANE_TRACE_RATIO: z.coerce.number().min(0).max(1).default(0.001),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
});
export type DeskConfig = z.infer<typeof deskConfigSchema>;
