// pacs.002, a status report: what became of instructions or of a transfer, with a reason where it is no.
import { agent } from "../codec/parties.ts";
import { code, dateTime, max35, text, uetr } from "../codec/leaves.ts";
import { many, maybe, one, shape, type ModelOf } from "../codec/shape.ts";

const transaction = {
  originalMessageId: maybe("OrgnlGrpInf/OrgnlMsgId", max35),
  originalMessageName: maybe("OrgnlGrpInf/OrgnlMsgNmId", max35),
  originalInstructionId: maybe("OrgnlInstrId", max35),
  originalEndToEndId: maybe("OrgnlEndToEndId", max35),
  originalTransactionId: maybe("OrgnlTxId", max35),
  uetr: maybe("OrgnlUETR", uetr),
  status: one("TxSts", code("transactionStatus")),
  reason: maybe("StsRsnInf/Rsn/Cd", code("statusReason")),
  information: maybe("StsRsnInf/AddtlInf", text(105)),
  acceptedAt: maybe("AccptncDtTm", dateTime),
};

const original = {
  messageId: one("OrgnlMsgId", max35),
  messageName: one("OrgnlMsgNmId", max35),
  status: maybe("GrpSts", code("groupStatus")),
  reason: maybe("StsRsnInf/Rsn/Cd", code("statusReason")),
  information: maybe("StsRsnInf/AddtlInf", text(105)),
};

const parts = {
  messageId: one("GrpHdr/MsgId", max35),
  createdAt: one("GrpHdr/CreDtTm", dateTime),
  instructingAgent: maybe("GrpHdr/InstgAgt", agent),
  instructedAgent: maybe("GrpHdr/InstdAgt", agent),
  original: maybe("OrgnlGrpInfAndSts", shape(original)),
  transactions: many("TxInfAndSts", shape(transaction)),
};

export type TransactionStatus = ModelOf<typeof transaction>;
export type Pacs002 = ModelOf<typeof parts>;
export const pacs002 = { name: "pacs.002.001.11", root: "FIToFIPmtStsRpt", content: shape(parts) };
