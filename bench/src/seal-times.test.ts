import { expect, test } from "vitest";
import { parseBuckets, sealTimesBetween } from "./seal-times.ts";

const text = (counts: readonly number[]): string =>
  ["10", "25", "50", "+Inf"]
    .map((le, at) => `sealane_seal_ms_bucket{service="ledger",le="${le}"} ${counts[at]}`)
    .join("\n");

test("percentiles are of what came between two readings", () => {
  const before = parseBuckets(text([100, 100, 100, 100]));
  const after = parseBuckets(text([160, 190, 199, 200]));
  expect(sealTimesBetween(before, after)).toEqual({ p50: 10, p99: 50, within25Percent: 90 });
});
