// Starting spans by hand: no auto-instrumentation, because its cost is per call and ours is per batch.
// A span that is not sampled costs next to nothing, and still hands its decision on, so that a trace
// is recorded in every service or in none.
import {
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Attributes,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import { spanContextOf } from "./traceparent.ts";

export type StartSpanOptions = {
  /** A `traceparent` of the caller; without one the span starts a trace. */
  readonly parent?: string | undefined;
  readonly attributes?: Attributes;
  /** Milliseconds since 1970, when the work began earlier than now. */
  readonly startTimeMs?: number;
};

export type StartSpan = (name: string, options?: StartSpanOptions) => Span;

const SILENT = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** Makes `startSpan` over a tracer, or one that does nothing when nobody takes the spans. */
export function makeStartSpan(tracer: Tracer | undefined): StartSpan {
  if (tracer === undefined) {
    return (_name, options) => {
      const parent = spanContextOf(options?.parent);
      return parent === undefined ? SILENT : trace.wrapSpanContext(parent);
    };
  }
  return (name, { parent, attributes, startTimeMs } = {}) => {
    const remote = spanContextOf(parent);
    if (remote !== undefined && (remote.traceFlags & TraceFlags.SAMPLED) === 0) {
      return trace.wrapSpanContext(remote);
    }
    const context =
      remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote);
    const options = {
      ...(attributes === undefined ? {} : { attributes }),
      ...(startTimeMs === undefined ? {} : { startTime: startTimeMs }),
    };
    return tracer.startSpan(name, options, context);
  };
}
