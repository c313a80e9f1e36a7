// Types of the OpenTelemetry packages that `@opentelemetry/sdk-node` brings along, taken from its own
// configuration so that this room depends on no package but the ones in its package.json.
import type { NodeSDKConfiguration } from "@opentelemetry/sdk-node";

export type SpanExporter = NodeSDKConfiguration["traceExporter"];
export type ReadableSpan = Parameters<SpanExporter["export"]>[0][number];
export type Sampler = NodeSDKConfiguration["sampler"];
export type SamplingResult = ReturnType<Sampler["shouldSample"]>;
