// The service's settings, read once; see the room's README for each.
import { durationMs, filePath, kafkaFields, port, urlsLoopbackOrHttps } from "@sealane/runtime";
import { z } from "zod";

export const reconciliationConfigSchema = z.object({
  SEALANE_RECONCILIATION_PORT: port.default(8084),
  SEALANE_LANE: z.coerce.number().int().min(0).max(1_023).default(0),
  ...kafkaFields,
  DATABASE_URL: z.string().describe("postgres://user@host:port/database"),
  SEALANE_DATABASE_USER: z.string().default("sealane_reconciliation"),
  SEALANE_DATABASE_PASSWORD_FILE: filePath.optional(),
  SEALANE_DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_]{1,63}$/)
    .default("reconciliation"),
  /** C2SP tlog-policy: the first log is the lane's, the one named `…/keys` the key log. */
  SEALANE_POLICY_FILE: filePath,
  /** Where gaps and the key log are read: one URL, or one for each lane, in the policy's order. */
  SEALANE_LEDGER_URL: urlsLoopbackOrHttps,
  /** An auditor's token, where entry bundles are not open. */
  SEALANE_LEDGER_TOKEN_FILE: filePath.optional(),
  /** After so long without a message the log's own checkpoint is looked at. */
  SEALANE_SILENCE: durationMs.default(2_000),
  /** `none` recomputes everything but leaves signatures to the audits: about a quarter of the CPU. */
  SEALANE_RECONCILIATION_SIGNATURES: z.enum(["all", "none"]).default("all"),
  /** `yes` lets everybody who reaches the port read balances: for the local stack, and said at start. */
  SEALANE_OPEN_BALANCES: z.enum(["yes", "no"]).default("no"),
  /** JSON: `operator/NAME`, `approver/NAME` or `auditor/NAME` → SHA-256 of its token, base64. */
  SEALANE_STAFF_TOKENS_FILE: filePath.optional(),
  /** Where what is not in the log is kept besides Postgres; without it a lost database loses it. */
  SEALANE_RECONCILIATION_JOURNAL: z.string().min(1).optional(),
  /** The operator's service key that cuts windows by schedule; without it only people cut. */
  SEALANE_SCHEDULER_KEY_FILE: filePath.optional(),
  /** From so much of cover or cap on, in per cent, there is an alert. */
  SEALANE_HEADROOM_WARNING: z.coerce.number().int().min(1).max(100).default(80),
  SEALANE_HEADROOM_CRITICAL: z.coerce.number().int().min(1).max(100).default(95),
  /** A provider books, or takes back, within this time of the log's entry; later is a break. */
  SEALANE_BREAK_BOOK_WITHIN: durationMs.optional(),
  /** What a provider has booked is in the log within this time; then it is missing there. */
  SEALANE_BREAK_DECIDE_WITHIN: durationMs.optional(),
  /** How far the process steps back for others on a busy machine, as `nice` has it. */
  SEALANE_RECONCILIATION_NICE: z.coerce.number().int().min(0).max(19).default(5),
  SEALANE_LOG_LEVEL: z.string().default("info"),
  SEALANE_TRACES_FILE: filePath.optional(),
  SEALANE_TRACE_RATIO: z.coerce.number().min(0).max(1).default(0.001),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
});
export type ReconciliationConfig = z.infer<typeof reconciliationConfigSchema>;
