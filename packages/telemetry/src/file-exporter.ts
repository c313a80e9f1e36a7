// Spans as JSON lines in a local file: tracing that works on one machine with no collector.
import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { HrTime } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter } from "./otel-types.ts";

const OK = 0;
const FAILED = 1;

/** Appends to `path`, one object a line; times are in milliseconds. */
export function makeFileExporter(path: string): SpanExporter {
  const stream: WriteStream = createWriteStream(path, { flags: "a", mode: 0o600 });
  let broken: Error | undefined;
  stream.on("error", (error) => (broken = error));
  return {
    export(spans, done) {
      if (broken !== undefined) return done({ code: FAILED, error: broken });
      stream.write(spans.map(lineOf).join(""), (error) => {
        done(error ? { code: FAILED, error } : { code: OK });
      });
    },
    async shutdown() {
      if (broken !== undefined) return;
      stream.end();
      await finished(stream);
    },
  };
}

function lineOf(span: ReadableSpan): string {
  const { traceId, spanId } = span.spanContext();
  const line = {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    service: span.resource.attributes["service.name"],
    name: span.name,
    startMs: toMs(span.startTime),
    durationMs: toMs(span.duration),
    status: span.status,
    attributes: span.attributes,
    events: span.events.map((event) => ({ name: event.name, timeMs: toMs(event.time) })),
    links: span.links.map((link) => link.context),
  };
  return `${JSON.stringify(line)}\n`;
}

function toMs([seconds, nanos]: HrTime): number {
  return seconds * 1_000 + nanos / 1_000_000;
}
