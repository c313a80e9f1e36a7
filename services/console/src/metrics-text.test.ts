import { expect, it } from "vitest";
import { bucketsOf, parseMetrics, quantileBetween, sumOf } from "./metrics-text.ts";

const text = (counts: readonly number[]): string =>
  [
    "# HELP sealane_seal_ms From log time to a quorum",
    "# TYPE sealane_seal_ms histogram",
    ...[10, 20, Infinity].map(
      (bound, at) =>
        `sealane_seal_ms_bucket{le="${bound === Infinity ? "+Inf" : bound}"} ${counts[at]} 1795363900123`,
    ),
    'sealane_transfers_total{outcome="committed"} 7',
    'sealane_transfers_total{outcome="rejected",why="a \\"b\\" {c}"} 2',
    "sealane_unsealed_age_ms 0",
    "sealane_broken what",
  ].join("\n");

it("sums a metric over its labels, and knows what is missing from what is zero", () => {
  const metrics = parseMetrics(text([0, 0, 0]));
  expect(sumOf(metrics, "sealane_transfers_total")).toBe(9);
  expect(sumOf(metrics, "sealane_unsealed_age_ms")).toBe(0);
  expect(sumOf(metrics, "sealane_log_size")).toBeUndefined();
  expect(sumOf(metrics, "sealane_broken")).toBeUndefined();
  expect(sumOf(undefined, "sealane_log_size")).toBeUndefined();
});

it("reads labels with quotes and braces in them", () => {
  const [, second] = parseMetrics(text([0, 0, 0])).get("sealane_transfers_total") ?? [];
  expect(second?.labels).toEqual({ outcome: "rejected", why: 'a "b" {c}' });
});

const between = (before: readonly number[], after: readonly number[], quantile: number) =>
  quantileBetween(
    bucketsOf(parseMetrics(text(before)), "sealane_seal_ms"),
    bucketsOf(parseMetrics(text(after)), "sealane_seal_ms"),
    quantile,
  );

it("interpolates a quantile of what came between two readings", () => {
  // Ten below 10 ms came before; then ten from 10 to 20 ms.
  expect(between([10, 10, 10], [10, 20, 20], 0.5)).toBe(15);
  expect(between([10, 10, 10], [10, 20, 20], 1)).toBe(20);
  // Beyond the last bound nothing more can be said than the bound.
  expect(between([10, 10, 10], [10, 10, 20], 0.99)).toBe(20);
});

it("says nothing where nothing came, where there is no earlier reading, and after a restart", () => {
  expect(between([10, 20, 20], [10, 20, 20], 0.5)).toBeNull();
  expect(between([10, 20, 20], [1, 2, 3], 0.5)).toBeNull();
  const after = bucketsOf(parseMetrics(text([1, 2, 3])), "sealane_seal_ms");
  expect(quantileBetween(new Map(), after, 0.5)).toBeNull();
});
