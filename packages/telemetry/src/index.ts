// What a service says about itself: logs, traces and metrics. Nothing here dials out by default, and
// nothing personal gets into a log line.
export { createLogger } from "./logger.ts";
export type { Logger, LoggerOptions } from "./logger.ts";
export type { Counter, Gauge, Histogram, Labels } from "./metrics.ts";
export { scrub } from "./scrub.ts";
export { startTelemetry } from "./telemetry.ts";
export type { Telemetry, TelemetryOptions } from "./telemetry.ts";
export { contextFromTraceparent, isRecorded, recorded, traceparentOf } from "./traceparent.ts";
export type { StartSpan, StartSpanOptions } from "./spans.ts";
export type { Span } from "@opentelemetry/api";
