// Percentiles by rank, of measured values and never of averages.

export type Distribution = {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

/** @param values in any order; an empty list gives NaN throughout */
export const distributionOf = (values: readonly number[]): Distribution => {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => {
    const rank = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
    return Math.round((sorted[Math.max(0, rank)] ?? Number.NaN) * 10) / 10;
  };
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
};
