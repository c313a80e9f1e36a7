// Simulated wallet cores: accounts, credits that happen once, and faults on demand. For demos, tests
// and benchmarks; it stands where a wallet provider's own systems are.
export { accountNumber, makeAccountBook } from "./account-book.ts";
export type { AccountBook, AccountStatus, Behaviour } from "./account-book.ts";
export type { CreditRecord, CreditState, CreditSummary } from "./credit-state.ts";
export type { Fault, FaultKind } from "./faults.ts";
export { startCore } from "./start-core.ts";
export type { CoreOptions, RunningCore } from "./start-core.ts";
