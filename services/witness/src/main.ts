// The auditor's witness process. Configuration by environment; see README.md.
import { readFileSync } from "node:fs";
import { filePath, loadConfig, onShutdown, port } from "@sealane/runtime";
import { createLogger, startTelemetry } from "@sealane/telemetry";
import { z } from "zod";
import { startWitnessService } from "./start.ts";

const { version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
) as { version: string };
const config = loadConfig(
  z.object({
    SEALANE_WITNESS_PORT: port.default(8086),
    SEALANE_WITNESS_KEY_FILE: filePath.describe("a cosigner key, mode 0600"),
    SEALANE_WITNESS_STATE_FILE: filePath.describe("where the cosigned heads are kept"),
    SEALANE_WITNESS_LOGS: filePath.describe("a file with one verifier key a line"),
    SEALANE_LOG_LEVEL: z.string().default("info"),
    SEALANE_LOG_FILE: filePath.optional(),
    SEALANE_TRACES_FILE: filePath.optional(),
  }),
);
const logger = createLogger({
  service: "witness",
  level: config.SEALANE_LOG_LEVEL,
  file: config.SEALANE_LOG_FILE,
});
const telemetry = startTelemetry({
  service: "witness",
  version,
  tracesFile: config.SEALANE_TRACES_FILE,
});
const service = await startWitnessService(
  {
    port: config.SEALANE_WITNESS_PORT,
    keyFile: config.SEALANE_WITNESS_KEY_FILE,
    stateFile: config.SEALANE_WITNESS_STATE_FILE,
    logsFile: config.SEALANE_WITNESS_LOGS,
  },
  { logger, telemetry },
);
onShutdown(
  [
    { name: "http", run: () => service.stop() },
    { name: "telemetry", run: () => telemetry.shutdown() },
  ],
  {
    onStart: (reason, err) => logger.info({ reason, ...(err ? { err } : {}) }, "stopping"),
    onStepFailed: (step, err) => logger.error({ step, err }, "a step of stopping failed"),
  },
);
