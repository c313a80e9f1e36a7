// Prometheus' text format, as our services write it: enough to read gauges, counters and histograms.
// Pure. What cannot be read is left out: a metric that is missing is "not known".

export type MetricSample = {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};
/** By name, `_total`, `_bucket` and such included. */
export type Metrics = ReadonlyMap<string, readonly MetricSample[]>;

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

const labelsOf = (text: string | undefined): Record<string, string> => {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of (text ?? "").matchAll(LABEL)) {
    labels[name] = value.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
  }
  return labels;
};

const valueOf = (text: string): number =>
  text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);

export const parseMetrics = (text: string): Metrics => {
  const metrics = new Map<string, MetricSample[]>();
  for (const line of text.split("\n")) {
    const [, name, labels, value = "NaN"] = line.startsWith("#") ? [] : (LINE.exec(line) ?? []);
    if (name === undefined || Number.isNaN(valueOf(value))) continue;
    const samples = metrics.get(name) ?? [];
    samples.push({ labels: labelsOf(labels), value: valueOf(value) });
    metrics.set(name, samples);
  }
  return metrics;
};

/** The sum over all labels; undefined when there is no such metric. */
export const sumOf = (metrics: Metrics | undefined, name: string): number | undefined =>
  metrics?.get(name)?.reduce((sum, { value }) => sum + value, 0);

/** A histogram's cumulative counts by upper bound, in order. */
export const bucketsOf = (metrics: Metrics | undefined, name: string): Map<number, number> => {
  const counts = new Map<number, number>();
  for (const { labels, value } of metrics?.get(`${name}_bucket`) ?? []) {
    const bound = valueOf(labels.le ?? "NaN");
    if (!Number.isNaN(bound)) counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return new Map([...counts].toSorted(([a], [b]) => a - b));
};

/**
 * The quantile of what was recorded between two readings, interpolated inside its bucket; null when
 * nothing was, or when the counter began again.
 */
export const quantileBetween = (
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  quantile: number,
): number | null => {
  const grown = [...after].map(([bound, count]) => ({
    bound,
    count: count - (before.get(bound) ?? 0),
  }));
  const total = grown.at(-1)?.count ?? 0;
  if (total <= 0 || before.size === 0 || grown.some(({ count }) => count < 0)) return null;
  const wanted = total * quantile;
  let from = { bound: 0, count: 0 };
  for (const bucket of grown) {
    if (bucket.count >= wanted) {
      if (bucket.bound === Infinity) return from.bound;
      const share = (wanted - from.count) / (bucket.count - from.count);
      return from.bound + (bucket.bound - from.bound) * share;
    }
    from = bucket;
  }
  return from.bound;
};
