// pacs.004, money that goes back: a return, full or partial, linked to its transfer by the UETR.
import { agent } from "../codec/parties.ts";
import { amount, code, date, dateTime, max35, rate, text, uetr } from "../codec/leaves.ts";
import { counted, fixed, many, maybe, one, shape, type ModelOf } from "../codec/shape.ts";
import { chargeBearer, charges } from "./pacs-008.ts";

const returned = {
  returnId: maybe("RtrId", max35),
  originalMessageId: maybe("OrgnlGrpInf/OrgnlMsgId", max35),
  originalMessageName: maybe("OrgnlGrpInf/OrgnlMsgNmId", max35),
  originalEndToEndId: maybe("OrgnlEndToEndId", max35),
  originalTransactionId: maybe("OrgnlTxId", max35),
  uetr: one("OrgnlUETR", uetr),
  originalAmount: maybe("OrgnlIntrBkSttlmAmt", amount),
  originalDate: maybe("OrgnlIntrBkSttlmDt", date),
  amount: one("RtrdIntrBkSttlmAmt", amount),
  settlementDate: maybe("IntrBkSttlmDt", date),
  instructed: maybe("RtrdInstdAmt", amount),
  rate: maybe("XchgRate", rate),
  chargeBearer: maybe("ChrgBr", chargeBearer),
  charges,
  reason: one("RtrRsnInf/Rsn/Cd", code("returnReason")),
  information: maybe("RtrRsnInf/AddtlInf", text(105)),
};

const parts = {
  messageId: one("GrpHdr/MsgId", max35),
  createdAt: one("GrpHdr/CreDtTm", dateTime),
  _count: counted("GrpHdr/NbOfTxs", "returns"),
  _method: fixed("GrpHdr/SttlmInf/SttlmMtd", "INDA"),
  instructingAgent: maybe("GrpHdr/InstgAgt", agent),
  instructedAgent: maybe("GrpHdr/InstdAgt", agent),
  returns: many("TxInf", shape(returned)),
};

export type PaymentReturn = ModelOf<typeof returned>;
export type Pacs004 = ModelOf<typeof parts>;
export const pacs004 = { name: "pacs.004.001.10", root: "PmtRtr", content: shape(parts) };
