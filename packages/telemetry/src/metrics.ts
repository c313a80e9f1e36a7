// Counters, histograms and gauges in the terms that services use. Names are snake_case with the unit
// at the end; labels are few and small, never an id, an account or a key.
import type { Meter, ObservableGauge } from "@opentelemetry/api";

export type Labels = Readonly<Record<string, string>>;
export type Counter = { add(count?: number, labels?: Labels): void };
export type Histogram = { record(valueMs: number, labels?: Labels): void };
/** A gauge is read when somebody scrapes; it has nothing to call. */
export type Gauge = { readonly name: string };

export type MetricMakers = {
  readonly counter: (name: string, help: string) => Counter;
  readonly histogram: (name: string, help: string, bucketsMs: readonly number[]) => Histogram;
  /** Asked again for a name, with other labels, it is read as well. */
  readonly gauge: (name: string, help: string, read: () => number, labels?: Labels) => Gauge;
};

/** Makers over one meter; asking twice for a name gives the same counter or histogram. */
export function makeMetrics(meter: Meter): MetricMakers {
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  const gauges = new Map<string, ObservableGauge>();
  return {
    counter(name, help) {
      const known = counters.get(name);
      if (known !== undefined) return known;
      const counter = meter.createCounter(name, { description: help });
      const made: Counter = { add: (count = 1, labels) => counter.add(count, labels) };
      counters.set(name, made);
      return made;
    },
    histogram(name, help, bucketsMs) {
      const known = histograms.get(name);
      if (known !== undefined) return known;
      const advice = { explicitBucketBoundaries: [...bucketsMs] };
      const histogram = meter.createHistogram(name, { description: help, unit: "ms", advice });
      const made: Histogram = { record: (valueMs, labels) => histogram.record(valueMs, labels) };
      histograms.set(name, made);
      return made;
    },
    gauge(name, help, read, labels) {
      const gauge = gauges.get(name) ?? meter.createObservableGauge(name, { description: help });
      gauges.set(name, gauge);
      gauge.addCallback((result) => result.observe(read(), labels));
      return { name };
    },
  };
}
