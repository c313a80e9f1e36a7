// camt.052, camt.053 and camt.054: a report during the day, a statement, a notice. The three differ in a few
// names: one description of an account with its entries serves all of them.
import { agent, account, inChoice } from "../codec/parties.ts";
import {
  amount,
  code,
  dateOrTime,
  dateTime,
  max35,
  numeric,
  text,
  trueOrFalse,
  uetr,
  word,
} from "../codec/leaves.ts";
import { anyOf, many, maybe, one, shape, type ModelOf } from "../codec/shape.ts";

const side = word("CRDT", "DBIT");

/** What an entry or a payment has cost: the sum of it, or each part. */
const charges = {
  charged: maybe("Chrgs/TtlChrgsAndTaxAmt", amount),
  charges: anyOf("Chrgs/Rcrd", shape({ amount: one("Amt", amount) })),
};

const detail = {
  messageId: maybe("Refs/MsgId", max35),
  servicerReference: maybe("Refs/AcctSvcrRef", max35),
  instructionId: maybe("Refs/InstrId", max35),
  endToEndId: maybe("Refs/EndToEndId", max35),
  uetr: maybe("Refs/UETR", uetr),
  transactionId: maybe("Refs/TxId", max35),
  amount: maybe("Amt", amount),
  side: maybe("CdtDbtInd", side),
  ...charges,
  returnReason: maybe("RtrInf/Rsn/Cd", code("returnReason")),
  information: maybe("AddtlTxInf", text(500)),
};

/** Domain, family and sub-family of a bank transaction, such as PMNT RCDT BOOK. */
const transactionCode = {
  domain: one("Cd", text(4)),
  family: one("Fmly/Cd", text(4)),
  subFamily: one("Fmly/SubFmlyCd", text(4)),
};

const entry = {
  reference: maybe("NtryRef", max35),
  amount: one("Amt", amount),
  side: one("CdtDbtInd", side),
  reversal: maybe("RvslInd", trueOrFalse),
  status: one("Sts", inChoice(code("entryStatus"))),
  bookedAt: maybe("BookgDt", dateOrTime),
  valueDate: maybe("ValDt", dateOrTime),
  servicerReference: maybe("AcctSvcrRef", max35),
  transactionCode: maybe("BkTxCd/Domn", shape(transactionCode)),
  ...charges,
  details: many("NtryDtls/TxDtls", shape(detail)),
  information: maybe("AddtlNtryInf", text(500)),
};

const balance = {
  type: one("Tp/CdOrPrtry", inChoice(code("balanceType"))),
  amount: one("Amt", amount),
  side: one("CdtDbtInd", side),
  date: one("Dt", dateOrTime),
};

const head = {
  id: one("Id", max35),
  sequence: maybe("ElctrncSeqNb", numeric(18)),
  createdAt: maybe("CreDtTm", dateTime),
  from: maybe("FrToDt/FrDtTm", dateTime),
  to: maybe("FrToDt/ToDtTm", dateTime),
  account: one("Acct", account),
  currency: maybe("Acct/Ccy", text(3)),
  /** Whose account it is, as an institution. */
  owner: maybe("Acct/Ownr/Id/OrgId/Othr/Id", max35),
  servicer: maybe("Acct/Svcr", agent),
};

const entries = many("Ntry", shape(entry));
const withBalances = { ...head, balances: many("Bal", shape(balance)), entries };

const header = {
  messageId: one("GrpHdr/MsgId", max35),
  createdAt: one("GrpHdr/CreDtTm", dateTime),
};

const report = { ...header, reports: many("Rpt", shape(withBalances)) };
/** A long statement may come in pages, each a message of its own. */
const { id, ...behindId } = withBalances;
const paged = {
  id,
  page: maybe(
    "StmtPgntn",
    shape({ number: one("PgNb", numeric(5)), last: one("LastPgInd", trueOrFalse) }),
  ),
  ...behindId,
};
const statement = { ...header, statements: many("Stmt", shape(paged)) };
const notification = { ...header, notices: many("Ntfctn", shape({ ...head, entries })) };

export type EntryDetail = ModelOf<typeof detail>;
export type ReportEntry = ModelOf<typeof entry>;
export type ReportBalance = ModelOf<typeof balance>;
export type AccountStatement = ModelOf<typeof withBalances>;
export type AccountNotice = Omit<AccountStatement, "balances">;
export type Camt052 = ModelOf<typeof report>;
export type Camt053 = ModelOf<typeof statement>;
export type Camt054 = ModelOf<typeof notification>;
export const camt052 = {
  name: "camt.052.001.08",
  root: "BkToCstmrAcctRpt",
  content: shape(report),
};
export const camt053 = {
  name: "camt.053.001.08",
  root: "BkToCstmrStmt",
  content: shape(statement),
};
export const camt054 = {
  name: "camt.054.001.08",
  root: "BkToCstmrDbtCdtNtfctn",
  content: shape(notification),
};
