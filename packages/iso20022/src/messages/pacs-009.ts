// pacs.009, a transfer between institutions: the settlement instructions of a window, one transfer for
// each leg, whose reference is the UETR.
import { agent, account, inChoice } from "../codec/parties.ts";
import { amount, code, date, dateTime, max35, uetr } from "../codec/leaves.ts";
import { counted, fixed, many, maybe, one, shape, type ModelOf } from "../codec/shape.ts";

const transfer = {
  instructionId: maybe("PmtId/InstrId", max35),
  endToEndId: one("PmtId/EndToEndId", max35),
  uetr: one("PmtId/UETR", uetr),
  amount: one("IntrBkSttlmAmt", amount),
  settlementDate: maybe("IntrBkSttlmDt", date),
  debtor: one("Dbtr", agent),
  debtorAccount: maybe("DbtrAcct", account),
  creditor: one("Cdtr", agent),
  creditorAccount: maybe("CdtrAcct", account),
  purpose: maybe("Purp", inChoice(code("purpose"))),
};

const parts = {
  messageId: one("GrpHdr/MsgId", max35),
  createdAt: one("GrpHdr/CreDtTm", dateTime),
  _count: counted("GrpHdr/NbOfTxs", "transfers"),
  // The agent that is told settles in its own books: both accounts are there.
  _method: fixed("GrpHdr/SttlmInf/SttlmMtd", "INDA"),
  instructingAgent: maybe("GrpHdr/InstgAgt", agent),
  instructedAgent: maybe("GrpHdr/InstdAgt", agent),
  transfers: many("CdtTrfTxInf", shape(transfer)),
};

export type InstitutionTransfer = ModelOf<typeof transfer>;
export type Pacs009 = ModelOf<typeof parts>;
export const pacs009 = { name: "pacs.009.001.09", root: "FICdtTrf", content: shape(parts) };
