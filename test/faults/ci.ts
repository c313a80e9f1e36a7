// The cases that CI runs, on one system, in less than four minutes: one of each kind.
export const ciCases: ReadonlySet<string> = new Set([
  "ledger-before-commit",
  "ledger-after-commit",
]);
