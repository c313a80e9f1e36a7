// The sampling decision is the caller's where there is a caller, and a ratio of trace ids otherwise:
// the same id gives the same answer in every service.
import { trace, TraceFlags } from "@opentelemetry/api";
import type { Sampler, SamplingResult } from "./otel-types.ts";

const DROP = 0;
const RECORD = 2;

/** Samples `ratio` (0 to 1) of the traces that start here. */
export function makeSampler(ratio: number): Sampler {
  const below = Math.floor(Math.min(1, Math.max(0, ratio)) * 0x1_0000_0000);
  return {
    shouldSample(context, traceId): SamplingResult {
      const parent = trace.getSpanContext(context);
      const sampled =
        parent === undefined
          ? Number.parseInt(traceId.slice(-8), 16) < below
          : (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
      return { decision: sampled ? RECORD : DROP };
    },
    toString: () => `SealaneSampler{${ratio}}`,
  };
}
