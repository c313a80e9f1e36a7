// The fifteen promises and how an oracle answers: it holds, it is broken and where, or nothing was there to
// ask (`promises.md`). One list for the fault suite, the whole-system tests and the benchmarks.
export const promises = {
  1: "a 2xx means: in the ledger exactly once, or ended with a signed reason",
  2: "one transfer id has at most one end",
  3: "no gap, every prev right, every signature valid, every policy met",
  4: "no checkpoint ever seen is contradicted",
  5: "one size has one root",
  6: "postings sum to zero per currency",
  7: "balances in Postgres equal the fold of the log",
  8: "nobody spends beyond cover and cap",
  9: "every conversion obeys its sheet and its rounding",
  10: "one idempotency key never has two effects",
  11: "nobody reads or acts on what is another's",
  12: "nothing unsigned, expired or replayed is committed",
  13: "notifications end right at their receivers",
  14: "every transfer belongs to exactly one window",
  15: "every unknown outcome ends",
} as const;

export type PromiseNumber = keyof typeof promises;

export type Verdict = {
  readonly promise: PromiseNumber;
  readonly verdict: "holds" | "broken" | "not asked";
  /** What was looked at, or what does not hold. */
  readonly detail: string;
};

/** `holds` when nothing was found. */
export const judge = (
  promise: PromiseNumber,
  looked: string,
  findings: readonly string[],
): Verdict => {
  if (findings.length === 0) return { promise, verdict: "holds", detail: looked };
  const rest = findings.length > 5 ? ` and ${findings.length - 5} more` : "";
  return { promise, verdict: "broken", detail: findings.slice(0, 5).join("; ") + rest };
};

export const notAsked = (promise: PromiseNumber, why: string): Verdict => ({
  promise,
  verdict: "not asked",
  detail: why,
});

/** One line, as the suite prints it. */
export const verdictLine = ({ promise, verdict, detail }: Verdict): string => {
  const mark = { holds: "holds ", broken: "BROKEN", "not asked": "-     " }[verdict];
  return `${String(promise).padStart(2)} ${mark} ${promises[promise]}: ${detail}`;
};
