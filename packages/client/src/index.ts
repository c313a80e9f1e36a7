// The SDK: an adapter's API for a wallet's core, and reading published logs.
export { adapterClient, type AdapterClient, type WaitOptions } from "./adapter-client.ts";
export { AdapterRefusal, AdapterUnavailable, type ProblemDetails } from "./adapter-error.ts";
export type { AdapterOptions } from "./adapter-http.ts";
export type {
  BulkAnswer,
  BulkLine,
  Money,
  Quote,
  QuoteRequest,
  Recall,
  RecallRequest,
  ReturnRequest,
  StepTimes,
  Transfer,
  TransferRequest,
  TransferStatus,
} from "./adapter-types.ts";
export type { BulkOptions } from "./bulk.ts";
export { checkCancellation, type AskedCancellation } from "./check-cancellation.ts";
export { checkTerms, type Asked, type Preparation } from "./check-terms.ts";
export {
  checkRecall,
  checkRefusal,
  checkReturn,
  type AskedRecall,
  type AskedRefusal,
  type AskedReturn,
} from "./check-linked.ts";
export { hostedClient, type HostedOptions } from "./hosted-client.ts";
export {
  checkProposal,
  signCheck,
  type Decision,
  type HostedAnswer,
  type HostedCheck,
  type PayeeParty,
} from "./hosted-payee.ts";
export {
  signRecall,
  type HostedRecall,
  type HostedRecallAnswer,
  type RecallDecision,
} from "./hosted-recall.ts";
export {
  checkOwnStatement,
  noChain,
  takeEntries,
  type CreditOutcome,
  type OwnChain,
  type ShownEntries,
} from "./own-chain.ts";
export {
  findSheet,
  keepForVerifying,
  readKeyLogFile,
  type KeepOptions,
  type KeyLogFile,
} from "./key-log-file.ts";
export { inForceOf, watchKeyLog, type KeyWatch } from "./key-watch.ts";
export { laneOrigins, laneRouter, ledgerLanes, logUrlOf, type LedgerLane } from "./ledger-lanes.ts";
export {
  fetchKeyLog,
  LogReadError,
  makeLogReader,
  readKeyLog,
  type KeyLogCopy,
  type LogReader,
} from "./log-reader.ts";
export { noteSigner, type NoteSigner } from "./note-signer.ts";
export { readOwnEntries, type OwnEntries, type OwnEntriesOptions } from "./own-entries.ts";
export { defaultRetry, type RetryPolicy } from "./retry.ts";
export {
  entryOfReceipt,
  reasonText,
  sendOne,
  sendSteps,
  type SendOneOptions,
  type SendResult,
  type SendStep,
} from "./send-one.ts";
export {
  StatementRefusal,
  type StatementFault,
  type StatementFaultCode,
} from "./statement-refusal.ts";
export { fetchProof } from "./fetch-proof.ts";
