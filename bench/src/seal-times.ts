// How long the ledger's entries waited for their quorum after they were committed, by its own histogram.

/** Entries by the upper bound of their bucket, ms, cumulative; as Prometheus writes it. */
export type Buckets = ReadonlyMap<number, number>;

export const parseBuckets = (text: string): Buckets => {
  const buckets = new Map<number, number>();
  for (const [, le = "", count = ""] of text.matchAll(
    /^sealane_seal_ms_bucket\{[^}]*le="([^"]+)"[^}]*\} (\d+)/gm,
  )) {
    buckets.set(le === "+Inf" ? Infinity : Number(le), Number(count));
  }
  return buckets;
};

export const readBuckets = async (ledgerUrl: string): Promise<Buckets> => {
  const answer = await fetch(`${ledgerUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  return parseBuckets(await answer.text());
};

export type SealTimes = {
  /** Upper bounds of the buckets in which the percentiles lie, ms. */
  readonly p50: number;
  readonly p99: number;
  /** Of 100 entries, how many had their quorum within 25 ms of their commit. */
  readonly within25Percent: number;
};

/** What came between two readings. */
export const sealTimesBetween = (before: Buckets, after: Buckets): SealTimes => {
  const since = [...after]
    .map(([le, count]) => ({ le, count: count - (before.get(le) ?? 0) }))
    .toSorted((one, other) => one.le - other.le);
  const total = since.at(-1)?.count ?? 0;
  const below = (share: number): number =>
    since.find(({ count }) => count >= share * total)?.le ?? Number.NaN;
  const within = since.find(({ le }) => le === 25)?.count ?? 0;
  return {
    p50: below(0.5),
    p99: below(0.99),
    within25Percent: Math.round((within * 1_000) / Math.max(1, total)) / 10,
  };
};
