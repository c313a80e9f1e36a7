// What every process of Sealane needs to run: checked configuration, secrets, deadlines, batching and
// an orderly end. No domain knowledge and no I/O besides reading secret files.
export { backoff, pause } from "./backoff.ts";
export type { Backoff, BackoffOptions } from "./backoff.ts";
export { makeBatcher } from "./batcher.ts";
export type { Batcher, BatcherOptions } from "./batcher.ts";
export { ConfigError, loadConfig } from "./config.ts";
export type { ConfigFault } from "./config.ts";
export {
  durationMs,
  filePath,
  flag,
  port,
  urlLoopbackOrHttps,
  urlsLoopbackOrHttps,
} from "./config-fields.ts";
export { withDeadline } from "./deadline.ts";
export type { DeadlineOutcome } from "./deadline.ts";
export { invariant, InvariantError, OperationalError } from "./errors.ts";
export { kafkaFields, kafkaSettings, readKafkaSettings } from "./kafka-settings.ts";
export type { KafkaConfig, KafkaSettings } from "./kafka-settings.ts";
export { readSecretFile } from "./secret-file.ts";
export { onShutdown, runShutdown } from "./shutdown.ts";
export type { ShutdownOptions, ShutdownStep } from "./shutdown.ts";
