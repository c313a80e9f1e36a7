// The adapter's settings, read once; see the room's README for each.
import { participantSchema } from "@sealane/protocol";
import {
  durationMs,
  filePath,
  kafkaFields,
  port,
  urlLoopbackOrHttps,
  urlsLoopbackOrHttps,
} from "@sealane/runtime";
import { z } from "zod";

export const adapterConfigSchema = z.object({
  SEALANE_PARTICIPANT: participantSchema.describe("the provider, such as hk-wallet.example"),
  SEALANE_ADAPTER_PORT: port.default(8081),
  SEALANE_LANE: z.coerce.number().int().min(0).max(1_023).default(0),
  /** The transfer policy of the key log that new terms cite. */
  SEALANE_TRANSFER_POLICY: z.string().default("transfer-1"),
  ...kafkaFields,
  DATABASE_URL: z.string().describe("postgres://user@host:port/database"),
  SEALANE_DATABASE_USER: z.string().default("sealane_adapter"),
  SEALANE_DATABASE_PASSWORD_FILE: filePath.optional(),
  SEALANE_DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_]{1,63}$/)
    .default("adapter"),
  /** One URL, or one for each lane, separated by commas, in the order in which the policy names their logs. */
  SEALANE_LEDGER_URL: urlsLoopbackOrHttps,
  /** The token that the ledger knows this participant by. */
  SEALANE_LEDGER_TOKEN_FILE: filePath,
  /** Left out where the adapter is hosted: the provider signs by itself, and keeps its key. */
  SEALANE_TRANSFER_KEY_FILE: filePath.optional(),
  SEALANE_ENVELOPE_KEY_FILE: filePath,
  /** 32 bytes, base64: tells a retry from another request. */
  SEALANE_REQUEST_KEY_FILE: filePath,
  SEALANE_WITNESS_KEY_FILE: filePath,
  SEALANE_WITNESS_STATE_FILE: filePath,
  SEALANE_POLICY_FILE: filePath,
  SEALANE_CORE_URL: urlLoopbackOrHttps,
  /** What this adapter shows its core. */
  SEALANE_CORE_TOKEN_FILE: filePath,
  /** What the core must show this adapter. */
  SEALANE_API_TOKEN_FILE: filePath,
  /** Who shows this may read what waits for operators' signatures, and nothing else: for a console. */
  SEALANE_APPROVALS_TOKEN_FILE: filePath.optional(),
  SEALANE_CREDIT_INTERVAL: durationMs.default(1_000),
  /** How often the provider signs how its own chain stands. */
  SEALANE_STATEMENT_INTERVAL: durationMs.default(24 * 3_600_000),
  SEALANE_LOG_LEVEL: z.string().default("info"),
  SEALANE_TRACES_FILE: filePath.optional(),
  SEALANE_TRACE_RATIO: z.coerce.number().min(0).max(1).default(0.001),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
});
export type AdapterConfig = z.infer<typeof adapterConfigSchema>;
