export * from "./key-state.ts";
export * from "./postings.ts";
export * from "./positions.ts";
export * from "./pricing.ts";
export * from "./commands.ts";
export * from "./lane-state.ts";
export * from "./batch-outcome.ts";
export {
  linesOf,
  maxExpiryMs,
  maxPendingPerPayer,
  maxStatementBytes,
  type BatchContext,
  type EntryReader,
  type LinkReader,
  type Refused,
} from "./intent.ts";
export * from "./credit-run.ts";
export * from "./transfer-status.ts";
export { hasInbox, sheetOverlapMs } from "./provider-statements.ts";
export * from "./lane.ts";
export * from "./lane-rows.ts";
export * from "./key-history.ts";
export * from "./pinned-roots.ts";
export * from "./verify-entry.ts";
export * from "./carried.ts";
export * from "./audit-moves.ts";
export {
  auditEntry,
  auditRoot,
  auditTotals,
  lendHead,
  lendLeaf,
  type AuditedBalance,
  type AuditRefusal,
  type AuditResult,
  type AuditTotals,
} from "./audit.ts";
export {
  auditSnapshot,
  chainOf,
  beginAudit,
  resumeAudit,
  type AuditedSheet,
  type AuditOptions,
  type AuditSnapshot,
  type AuditState,
  type StoredBalance,
} from "./audit-state.ts";
export * from "./settlement/index.ts";
export { noteSettlement } from "./audit-settlement.ts";
export { settlementOperators } from "./settlement-statements.ts";
export { slotsWait } from "./slot-statements.ts";
export {
  letGoOf,
  settlementKinds,
  slotsGoneOf,
  type SettlementEntry,
} from "./verify-settlement.ts";
export { returnKinds, type ReturnKind } from "./returns/kinds.ts";
export type { ReturnEntry } from "./verify-returns.ts";
export { isNamed, readOriginal, refOf, type Original } from "./returns/original.ts";
export { backAtOriginal, backToday } from "./returns/amounts.ts";
export { originalPlace } from "./return-statements.ts";
export { cancelPeriodMs, returnPeriodMs } from "./returns/state.ts";
export { approvalsAmong, operatorsNeeded } from "./policy.ts";
export { keyLagMs } from "./audit-cover.ts";
export { auditorOf } from "./auditor-access.ts";
export { isTimely, sealTimeMs } from "./seal-time.ts";
export { setAsideOperators } from "./set-aside.ts";
export * from "./reconcile/index.ts";
