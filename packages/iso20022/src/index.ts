/**
 * ISO 20022 messages between Sealane and banks: written and read by one description each, exact
 * amounts, codes of the external sets only, no names of persons. Pure; `./schema` binds the published
 * schemas. Read message.ts, then codec/shape.ts.
 */
export { codeSets, isCode } from "./code-sets.ts";
export type { CodeSet } from "./code-sets.ts";
export type { IsoAmount } from "./codec/leaves.ts";
export { Iso20022Error } from "./errors.ts";
export type { Iso20022ErrorCode, Iso20022Refusal } from "./errors.ts";
export { messageKinds, messageName, readMessage, readMessageOf, writeMessage } from "./message.ts";
export type { Message, MessageBodies, MessageKind } from "./message.ts";
export type {
  AccountNotice,
  AccountStatement,
  Camt052,
  Camt053,
  Camt054,
  EntryDetail,
  ReportBalance,
  ReportEntry,
} from "./messages/account-reports.ts";
export type { Pacs002, TransactionStatus } from "./messages/pacs-002.ts";
export type { Pacs004, PaymentReturn } from "./messages/pacs-004.ts";
export type { CustomerTransfer, Pacs008 } from "./messages/pacs-008.ts";
export type { InstitutionTransfer, Pacs009 } from "./messages/pacs-009.ts";
export type {
  Camt029,
  Camt056,
  CancellationAnswer,
  CancellationRequest,
} from "./messages/recalls.ts";
export { defaultLimits } from "./xml/read-xml.ts";
export type { XmlLimits } from "./xml/read-xml.ts";
export { balancesClose, detailsFault } from "./settlement/entry-sums.ts";
export { bankFileParts, saysTheSame } from "./settlement/bank-file.ts";
export type { BankFileLine, BankFilePart } from "./settlement/bank-file.ts";
export {
  settlementInstructions,
  windowOfReference,
  windowReference,
} from "./settlement/instructions.ts";
export type { InstructionsInput, SettlementLeg, WindowName } from "./settlement/instructions.ts";
export {
  participantCamt052,
  participantCamt053,
  participantCsv,
} from "./settlement/participant-statement.ts";
export type {
  AccountPeriod,
  Booking,
  ParticipantPeriod,
} from "./settlement/participant-statement.ts";
export { transferPacs002, transferPacs008 } from "./settlement/single-transfer.ts";
export type { TransferFacts } from "./settlement/single-transfer.ts";
export { recallCamt029, recallCamt056, returnPacs004 } from "./settlement/return-messages.ts";
export type {
  OriginalFacts,
  RecallAnswerFacts,
  RecallFacts,
  ReturnFacts,
} from "./settlement/return-messages.ts";
