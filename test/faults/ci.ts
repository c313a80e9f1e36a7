// The cases that CI runs, on one system, in less than four minutes: one of each kind. The others run with
// `npm run faults`.
export const ciCases: ReadonlySet<string> = new Set([
  "ledger-after-commit",
  "hk-wallet-after-command",
  "ph-wallet-before-command",
  "reconciliation-after-books",
  "writer-wakes-before-commit",
  "kafka-resets",
  "postgres-answers-dropped",
  "duplicates",
]);
