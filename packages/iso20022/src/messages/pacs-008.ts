// pacs.008, a customer's credit transfer: one transfer of the log as a bank would have been told of it.
// Who pays and who is paid are references; their names are with their providers, and not in here.
import { agent, account, inChoice } from "../codec/parties.ts";
import { amount, code, date, dateTime, max35, rate, uetr, word } from "../codec/leaves.ts";
import { counted, fixed, many, maybe, one, shape, type ModelOf } from "../codec/shape.ts";

const charge = { amount: one("Amt", amount), agent: one("Agt", agent) };

export const charges = many("ChrgsInf", shape(charge));
export const chargeBearer = word("DEBT", "CRED", "SHAR", "SLEV");

const transfer = {
  instructionId: maybe("PmtId/InstrId", max35),
  endToEndId: one("PmtId/EndToEndId", max35),
  transactionId: maybe("PmtId/TxId", max35),
  uetr: one("PmtId/UETR", uetr),
  amount: one("IntrBkSttlmAmt", amount),
  settlementDate: maybe("IntrBkSttlmDt", date),
  acceptedAt: maybe("AccptncDtTm", dateTime),
  instructed: maybe("InstdAmt", amount),
  rate: maybe("XchgRate", rate),
  chargeBearer: one("ChrgBr", chargeBearer),
  charges,
  _debtor: fixed("Dbtr/Nm", "NOTPROVIDED"),
  debtorReference: maybe("Dbtr/Id/PrvtId/Othr/Id", max35),
  debtorAccount: maybe("DbtrAcct", account),
  debtorAgent: one("DbtrAgt", agent),
  creditorAgent: one("CdtrAgt", agent),
  _creditor: fixed("Cdtr/Nm", "NOTPROVIDED"),
  creditorReference: maybe("Cdtr/Id/PrvtId/Othr/Id", max35),
  creditorAccount: maybe("CdtrAcct", account),
  purpose: maybe("Purp", inChoice(code("purpose"))),
};

const parts = {
  messageId: one("GrpHdr/MsgId", max35),
  createdAt: one("GrpHdr/CreDtTm", dateTime),
  _count: counted("GrpHdr/NbOfTxs", "transfers"),
  _method: fixed("GrpHdr/SttlmInf/SttlmMtd", "INDA"),
  instructingAgent: maybe("GrpHdr/InstgAgt", agent),
  instructedAgent: maybe("GrpHdr/InstdAgt", agent),
  transfers: many("CdtTrfTxInf", shape(transfer)),
};

export type CustomerTransfer = ModelOf<typeof transfer>;
export type Pacs008 = ModelOf<typeof parts>;
export const pacs008 = {
  name: "pacs.008.001.09",
  root: "FIToFICstmrCdtTrf",
  content: shape(parts),
};
