// Logs: one JSON line per outcome, at the edge, with the trace's id when there is one. Lines are
// written asynchronously; what is buffered is written out when the process exits.
import { trace } from "@opentelemetry/api";
import { destination, pino, stdTimeFunctions, type Logger } from "pino";
import { scrub, scrubText } from "./scrub.ts";

export type { Logger } from "pino";

export type LoggerOptions = {
  readonly service: string;
  /** `trace` to `fatal`, or `silent`; default `info`. */
  readonly level?: string;
  /** A file to append to; default standard output. */
  readonly file?: string | undefined;
};

const MAX_CAUSES = 4;

/** Makes the service's logger. */
export function createLogger({ service, level = "info", file }: LoggerOptions): Logger {
  const out = destination({ dest: file ?? 1, sync: false, mkdir: true });
  process.once("exit", () => flush(out));
  return pino(
    {
      level,
      base: { service },
      timestamp: stdTimeFunctions.isoTime,
      mixin: () => traceFields(),
      formatters: { level: (label) => ({ level: label }), log: scrub, bindings: scrub },
      serializers: { err: errorFields, error: errorFields },
    },
    out,
  );
}

function traceFields(): { traceId?: string } {
  const context = trace.getActiveSpan()?.spanContext();
  return context === undefined ? {} : { traceId: context.traceId };
}

/** Only what errors say on purpose: their other properties may carry requests. */
function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? scrubText(error) : typeof error;
  const { code, retryable } = error as { code?: unknown; retryable?: unknown };
  const cause = depth < MAX_CAUSES && error.cause !== undefined;
  return {
    type: error.name,
    message: scrubText(error.message),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof retryable === "boolean" ? { retryable } : {}),
    stack: scrubText(error.stack ?? ""),
    ...(cause ? { cause: errorFields(error.cause, depth + 1) } : {}),
  };
}

function flush(out: { flushSync(): void }): void {
  try {
    out.flushSync();
  } catch {
    // The file was never opened, or is gone: there is nowhere left to say so.
  }
}
