// The ledger's settings, read once; see the room's README for each.
import { durationMs, filePath, kafkaFields, port } from "@sealane/runtime";
import { z } from "zod";

/** `2:home:8283:/keys/checkpoint-2.key`: a lane, whether it is this process's own, its port and its key. */
const laneItem = /^(\d{1,4}):(home|standby):(\d{1,5}):([^,]+)$/;
const laneItems = z
  .string()
  .refine(
    (text) => text.split(",").every((item) => laneItem.test(item)),
    "write lanes such as 0:home:8083:/keys/checkpoint.key,1:standby:8183:/keys/checkpoint-1.key",
  )
  .transform((text) =>
    text.split(",").map((item): LaneSettings => {
      const [, lane, role, door, checkpointKeyFile = ""] = laneItem.exec(item) ?? [];
      return {
        lane: Number(lane),
        standby: role === "standby",
        port: Number(door),
        checkpointKeyFile,
      };
    }),
  );

/** One lane that this process writes, or waits for. */
export type LaneSettings = {
  readonly lane: number;
  /** Of another process: taken over when that one's lease runs out. */
  readonly standby: boolean;
  /** Where the lane answers, in whichever process holds it. */
  readonly port: number;
  readonly checkpointKeyFile: string;
};

export const ledgerConfigSchema = z.object({
  SEALANE_LEDGER_PORT: port.default(8083),
  /** Where it listens. Anywhere but on 127.0.0.1 there is TLS in front of it. */
  SEALANE_LEDGER_HOST: z.union([z.ipv4(), z.ipv6()]).default("127.0.0.1"),
  SEALANE_LANE: z.coerce.number().int().min(0).max(1_023).default(0),
  /**
   * Several lanes in this process, instead of `SEALANE_LANE` with its port and checkpoint key: for each
   * `<lane>:home|standby:<port>:<checkpoint key file>`, separated by commas.
   */
  SEALANE_LEDGER_LANES: laneItems.optional(),
  /** A lane that was not renewed for so long may be taken by another instance. */
  SEALANE_LEASE: durationMs.default(2_000),
  /** Names whoever holds a lane: no two processes may have the same. */
  SEALANE_INSTANCE: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/)
    .default("ledger-1"),
  ...kafkaFields,
  DATABASE_URL: z.string().describe("postgres://user@host:port/database"),
  SEALANE_DATABASE_USER: z.string().default("sealane_ledger"),
  SEALANE_DATABASE_PASSWORD_FILE: filePath.optional(),
  SEALANE_DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_]{1,63}$/)
    .default("ledger"),
  SEALANE_ENTRY_KEY_FILE: filePath,
  SEALANE_CHECKPOINT_KEY_FILE: filePath,
  SEALANE_KEY_LOG_KEY_FILE: filePath,
  /** C2SP tlog-policy: the log, the witnesses with their URLs, the quorum. */
  SEALANE_POLICY_FILE: filePath,
  /** Statements that begin the key log, a JSON array of notes; used when it is empty. */
  SEALANE_GENESIS_FILE: filePath.optional(),
  /** Where full tiles are kept. */
  SEALANE_TILES_DIR: filePath,
  /** JSON: participant → SHA-256 of its token, base64; who may read its inbox. */
  SEALANE_PARTICIPANT_TOKENS_FILE: filePath,
  /** The same for the operator's own services that read whole bundles, such as reconciliation. */
  SEALANE_SERVICE_TOKENS_FILE: filePath.optional(),
  /** Entry bundles without a token: the local stack only; refused unless bound to 127.0.0.1. */
  SEALANE_OPEN_BUNDLES: z.enum(["yes", "no"]).default("no"),
  /** Entries a second that are read again from disk and checked, in the background; 0: none. */
  SEALANE_RECHECK_RATE: z.coerce.number().min(0).max(100_000).default(500),
  SEALANE_CLOCK_TOLERANCE: durationMs.default(2_000),
  SEALANE_LOG_LEVEL: z.string().default("info"),
  SEALANE_TRACES_FILE: filePath.optional(),
  SEALANE_TRACE_RATIO: z.coerce.number().min(0).max(1).default(0.001),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
});
export type LedgerConfig = z.infer<typeof ledgerConfigSchema>;

/** The lanes of this process. */
export const lanesOf = (config: LedgerConfig): readonly LaneSettings[] =>
  config.SEALANE_LEDGER_LANES ?? [
    {
      lane: config.SEALANE_LANE,
      standby: false,
      port: config.SEALANE_LEDGER_PORT,
      checkpointKeyFile: config.SEALANE_CHECKPOINT_KEY_FILE,
    },
  ];
