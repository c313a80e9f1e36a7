// W3C trace context in the one form that crosses Kafka and HTTP here: `00-<trace>-<span>-<flags>`.
import {
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext,
} from "@opentelemetry/api";

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The span as a `traceparent`, or undefined when tracing is off. */
export function traceparentOf(span: Span): string | undefined {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return undefined;
  const flags = context.traceFlags.toString(16).padStart(2, "0");
  return `00-${context.traceId}-${context.spanId}-${flags}`;
}

/** The remote span that a `traceparent` names; undefined for anything malformed. */
export function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const found = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  if (found === null) return undefined;
  const [, traceId = "", spanId = "", flags = ""] = found;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

/** A context whose active span is the remote one; the root context when there is none. */
export function contextFromTraceparent(traceparent: string | undefined): Context {
  const context = spanContextOf(traceparent);
  return context === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, context);
}

/**
 * The same trace, recorded from here on whatever was decided where it began: of what ends badly the trace is
 * whole, although it is one of a thousand otherwise. What is no `traceparent` stays as it is.
 */
export function recorded(traceparent: string): string {
  return spanContextOf(traceparent) === undefined ? traceparent : `${traceparent.slice(0, -2)}01`;
}

/** Whether spans of this trace are recorded anyway. */
export function isRecorded(traceparent: string): boolean {
  return ((spanContextOf(traceparent)?.traceFlags ?? 0) & TraceFlags.SAMPLED) !== 0;
}
