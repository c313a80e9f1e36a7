// Simulated wallet cores and a simulated settlement bank: what happens happens once, and faults come on
// demand. For demos, tests and benchmarks; they stand where others' own systems are.
export { accountNumber, makeAccountBook } from "./account-book.ts";
export type { AccountBook, AccountStatus, Behaviour } from "./account-book.ts";
export type { CreditRecord, CreditState, CreditSummary } from "./credit-state.ts";
export type { Fault, FaultKind } from "./faults.ts";
export { startCore } from "./start-core.ts";
export type { CoreOptions, RunningCore } from "./start-core.ts";
export { startBank } from "./bank/start-bank.ts";
export type { RunningBank } from "./bank/start-bank.ts";
export type { IssuedStatement, MoveResult, Taken } from "./bank/bank.ts";
export type {
  AccountPlan,
  BankDocument,
  BankFault,
  BankFaultKind,
  BankOptions,
} from "./bank/bank-types.ts";
