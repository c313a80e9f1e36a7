export * from './key-state.ts';
export * from './postings.ts';
export * from './positions.ts';
export * from './pricing.ts';
export * from './commands.ts';
export * from './lane-state.ts';
export * from './batch-outcome.ts';
export {
  linesOf,
  maxExpiryMs,
  maxPendingPerPayer,
  type BatchContext,
  type Refused,
} from './intent.ts';
export { sheetOverlapMs } from './provider-statements.ts';
export * from './lane.ts';
export * from './key-history.ts';
export * from './verify-entry.ts';
