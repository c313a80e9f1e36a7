// The service's settings, read once; see the room's README for each.
import { filePath, kafkaFields, port, urlLoopbackOrHttps } from "@sealane/runtime";
import { z } from "zod";

/** `name=url`, separated by commas: whose health is looked at. */
const servicesSchema = z
  .string()
  .transform((text) => text.split(",").map((part) => part.trim().split("=")))
  .pipe(z.array(z.tuple([z.string().regex(/^[a-z][a-z0-9-]{0,40}$/), urlLoopbackOrHttps])).max(64))
  .transform((pairs) => pairs.map(([name, url]) => ({ name, url })));

/** `name=url=tokenFile`, separated by commas: adapters that are asked what waits for operators. */
const approvalsSchema = z
  .string()
  .default("")
  .transform((text) => (text === "" ? [] : text.split(",").map((part) => part.trim().split("="))))
  .pipe(
    z
      .array(z.tuple([z.string().regex(/^[a-z][a-z0-9-]{0,40}$/), urlLoopbackOrHttps, filePath]))
      .max(64),
  )
  .transform((all) => all.map(([name, url, tokenFile]) => ({ name, url, tokenFile })));

export const consoleConfigSchema = z.object({
  SEALANE_CONSOLE_PORT: port.default(8080),
  SEALANE_CONSOLE_HOST: z.string().default("127.0.0.1"),
  /** `yes`: no login. For the local stack, on this machine's own address alone. */
  SEALANE_CONSOLE_OPEN: z.enum(["yes", "no"]).default("no"),
  /** JSON: operator → SHA-256 of the token, base64. Needed where the console is not open. */
  SEALANE_CONSOLE_TOKENS_FILE: filePath.optional(),
  SEALANE_LANE: z.coerce.number().int().min(0).max(1_023).default(0),
  ...kafkaFields,
  /** C2SP tlog-policy: the first log is the lane's, the one named `…/keys` the key log. */
  SEALANE_POLICY_FILE: filePath,
  SEALANE_LEDGER_URL: urlLoopbackOrHttps,
  /** The console's token at the ledger: for whole entries, and for where a transfer stands. */
  SEALANE_LEDGER_TOKEN_FILE: filePath,
  SEALANE_RECONCILIATION_URL: urlLoopbackOrHttps,
  SEALANE_CONSOLE_SERVICES: servicesSchema.describe("name=url, separated by commas"),
  /** Each provider decides whether to give the console a token: without one nothing is asked. */
  SEALANE_CONSOLE_APPROVALS: approvalsSchema,
  SEALANE_LOG_LEVEL: z.string().default("info"),
  SEALANE_TRACES_FILE: filePath.optional(),
  SEALANE_TRACE_RATIO: z.coerce.number().min(0).max(1).default(0.001),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
});
export type ConsoleConfig = z.infer<typeof consoleConfigSchema>;
