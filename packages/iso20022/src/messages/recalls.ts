// camt.056, a recall asked for, and camt.029, the answer to it. Assigner and assignee are who asks and
// who is asked; a case has one id in both messages.
import { agent } from "../codec/parties.ts";
import { amount, code, date, dateTime, max35, text, uetr, word } from "../codec/leaves.ts";
import { many, maybe, one, shape, type ModelOf } from "../codec/shape.ts";

const assignment = {
  assignmentId: one("Assgnmt/Id", max35),
  assigner: one("Assgnmt/Assgnr/Agt", agent),
  assignee: one("Assgnmt/Assgne/Agt", agent),
  createdAt: one("Assgnmt/CreDtTm", dateTime),
};

const caseOf = (path: string) => ({
  case: maybe(path, shape({ id: one("Id", max35), creator: one("Cretr/Agt", agent) })),
});

const cancellation = {
  cancellationId: maybe("CxlId", max35),
  originalMessageId: maybe("OrgnlGrpInf/OrgnlMsgId", max35),
  originalMessageName: maybe("OrgnlGrpInf/OrgnlMsgNmId", max35),
  originalEndToEndId: maybe("OrgnlEndToEndId", max35),
  originalTransactionId: maybe("OrgnlTxId", max35),
  uetr: one("OrgnlUETR", uetr),
  originalAmount: maybe("OrgnlIntrBkSttlmAmt", amount),
  originalDate: maybe("OrgnlIntrBkSttlmDt", date),
  reason: one("CxlRsnInf/Rsn/Cd", code("cancellationReason")),
  information: maybe("CxlRsnInf/AddtlInf", text(105)),
};

const request = {
  ...assignment,
  ...caseOf("Case"),
  cancellations: many("Undrlyg/TxInf", shape(cancellation)),
};

const answer = {
  statusId: maybe("CxlStsId", max35),
  originalMessageId: maybe("OrgnlGrpInf/OrgnlMsgId", max35),
  originalMessageName: maybe("OrgnlGrpInf/OrgnlMsgNmId", max35),
  originalEndToEndId: maybe("OrgnlEndToEndId", max35),
  originalTransactionId: maybe("OrgnlTxId", max35),
  uetr: one("OrgnlUETR", uetr),
  /** Accepted, rejected, pending. */
  status: maybe("TxCxlSts", word("ACCR", "RJCR", "PDCR")),
  /** Why it is rejected. */
  reason: maybe("CxlStsRsnInf/Rsn/Cd", code("cancellationRejection")),
  information: maybe("CxlStsRsnInf/AddtlInf", text(105)),
};

const resolution = {
  ...assignment,
  ...caseOf("RslvdCase"),
  status: one("Sts/Conf", code("investigation")),
  answers: many("CxlDtls/TxInfAndSts", shape(answer)),
};

export type CancellationRequest = ModelOf<typeof cancellation>;
export type CancellationAnswer = ModelOf<typeof answer>;
export type Camt056 = ModelOf<typeof request>;
export type Camt029 = ModelOf<typeof resolution>;
export const camt056 = {
  name: "camt.056.001.09",
  root: "FIToFIPmtCxlReq",
  content: shape(request),
};
export const camt029 = {
  name: "camt.029.001.10",
  root: "RsltnOfInvstgtn",
  content: shape(resolution),
};
