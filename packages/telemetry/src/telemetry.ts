// Starts OpenTelemetry for one service. Spans go to a file, or to a collector, only when told so;
// metrics are scraped from the service's own port (`metricsHandler`): no second port, no dialling out.
import type { IncomingMessage, ServerResponse } from "node:http";
import { metrics, trace, type Tracer } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { makeFileExporter } from "./file-exporter.ts";
import { makeMetrics, type MetricMakers } from "./metrics.ts";
import type { SpanExporter } from "./otel-types.ts";
import { measureProcess } from "./process-metrics.ts";
import { makeSampler } from "./sampler.ts";
import { makeStartSpan, type StartSpan } from "./spans.ts";

export type TelemetryOptions = {
  readonly service: string;
  readonly version: string;
  /** Spans are appended to this file as JSON lines. */
  readonly tracesFile?: string | undefined;
  /** Or sent to this OTLP endpoint over HTTP, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly otlpEndpoint?: string | undefined;
  /** The share of traces that are recorded, 0 to 1; default 0.01. */
  readonly sampleRatio?: number;
};

export type Telemetry = MetricMakers & {
  readonly tracer: Tracer;
  readonly startSpan: StartSpan;
  /** Answers a scrape in Prometheus's text format. */
  readonly metricsHandler: (req: IncomingMessage, res: ServerResponse) => void;
  /** Flushes what is buffered and stops. */
  readonly shutdown: () => Promise<void>;
};

/** Starts telemetry; once per process, before anything else is constructed. */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const { service, version, sampleRatio = 0.01 } = options;
  const prometheus = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
  const exporter = exporterOf(options);
  const sdk = new NodeSDK({
    serviceName: service,
    autoDetectResources: false,
    instrumentations: [],
    textMapPropagator: null,
    logRecordProcessors: [],
    metricReaders: [prometheus],
    sampler: makeSampler(sampleRatio),
    ...(exporter === undefined ? { spanProcessors: [] } : { traceExporter: exporter }),
  });
  sdk.start();
  const meter = metrics.getMeter(service, version);
  const tracer = trace.getTracer(service, version);
  const stopMeasuring = measureProcess(meter);
  return {
    ...makeMetrics(meter),
    tracer,
    startSpan: makeStartSpan(exporter === undefined ? undefined : tracer),
    metricsHandler: (req, res) => {
      prometheus.getMetricsRequestHandler(req, res);
      // Set before the exporter's asynchronous answer: it says only `text/plain`.
      res.setHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    },
    shutdown: async () => {
      stopMeasuring();
      await sdk.shutdown();
    },
  };
}

function exporterOf(options: TelemetryOptions): SpanExporter | undefined {
  if (options.otlpEndpoint !== undefined)
    return new OTLPTraceExporter({ url: options.otlpEndpoint });
  if (options.tracesFile !== undefined) return makeFileExporter(options.tracesFile);
  return undefined;
}
