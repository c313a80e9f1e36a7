// What the bank writes: the answer to instructions (pacs.002), a notice of what it booked (camt.054), a
// statement (camt.053) and the lines of it that it signs. Every document is valid by its schema before
// anybody sees it.
import { formatAmount, parseCurrency, type Currency } from "@sealane/money";
import {
  bankFileParts,
  type AccountNotice,
  type Camt053,
  type Pacs002,
  type ReportEntry,
  messageName,
} from "@sealane/iso20022";
import { writeValid } from "@sealane/iso20022/schema";
import type { BankStatement } from "@sealane/protocol";
import type { BankBook } from "./bank-book.ts";
import type { Movement, Order, OrderStatus } from "./bank-types.ts";

const timeOf = (ms: number): string => new Date(ms).toISOString();

const amountOf = (minor: bigint, currency: string) => ({
  currency,
  amount: formatAmount(minor, parseCurrency(currency) as Currency),
});

/** Booked; taken and not booked yet; refused. */
const transactionStatuses = {
  booked: "ACSC",
  pending: "PDNG",
  rejected: "RJCT",
} as const satisfies Record<OrderStatus, string>;

const entryStatuses = {
  booked: "BOOK",
  pending: "PDNG",
  rejected: "INFO",
} as const satisfies Record<OrderStatus, string>;

const groupStatus = (orders: readonly Order[]): string => {
  const all = new Set(orders.map(({ status }) => transactionStatuses[status]));
  const [only = "RJCT"] = all;
  return all.size <= 1 ? only : "PART";
};

export type PaperHead = { readonly reference: string; readonly atMs: number };

/** The answer to instructions. @param duplicate other instructions were taken under this id before */
export const statusReport = (
  { reference, atMs }: PaperHead,
  messageId: string,
  orders: readonly Order[],
  duplicate = false,
): string => {
  const refused = { status: "RJCT", reason: "AM05" };
  const body: Pacs002 = {
    messageId: reference,
    createdAt: timeOf(atMs),
    original: {
      messageId,
      messageName: messageName("pacs.009"),
      ...(duplicate ? refused : { status: groupStatus(orders) }),
    },
    transactions: duplicate
      ? []
      : orders.map(({ uetr, status, reason }) => ({
          originalEndToEndId: messageId,
          uetr,
          status: transactionStatuses[status],
          ...(reason === undefined ? {} : { reason }),
        })),
  };
  return writeValid("pacs.002", body);
};

export type Line = { readonly account: string; readonly entry: ReportEntry };

const lineOf = (
  account: string,
  side: "debit" | "credit",
  one: { readonly minor: bigint; readonly currency: string; readonly status: OrderStatus },
  atMs: number,
  detail: ReportEntry["details"][number],
): Line => {
  const booked = one.status === "booked";
  const entry: ReportEntry = {
    amount: amountOf(one.minor, one.currency),
    side: side === "debit" ? "DBIT" : "CRDT",
    status: entryStatuses[one.status],
    ...(booked ? { bookedAt: timeOf(atMs), valueDate: timeOf(atMs).slice(0, 10) } : {}),
    transactionCode: {
      domain: "PMNT",
      family: side === "debit" ? "ICDT" : "RCDT",
      subFamily: "BOOK",
    },
    details: [detail],
  };
  return { account, entry };
};

/** Both sides of a payment, as far as this bank has their accounts. */
export const orderLines = (book: BankBook, order: Order): Line[] => {
  const { uetr, messageId, reason, debtorAccount, creditorAccount, covered, changedAtMs } = order;
  return (
    [
      [debtorAccount, "debit"],
      [creditorAccount, "credit"],
    ] as const
  ).flatMap(([account, side]) => {
    if (account === undefined || book.account(account) === undefined) return [];
    const status = covered && side === "credit" ? "booked" : order.status;
    // A return reason stands only with what was refused; the sets are not the same.
    const why = status === "rejected" && reason !== undefined ? { returnReason: reason } : {};
    const detail = { messageId, endToEndId: messageId, uetr, ...why };
    return lineOf(account, side, { ...order, status }, changedAtMs, detail);
  });
};

const uuid = /^[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}$/;

export const movementLine = ({ reference, account, side, atMs, ...rest }: Movement): Line => {
  const detail = uuid.test(reference) ? { uetr: reference } : { servicerReference: reference };
  return lineOf(account, side, { ...rest, status: "booked" }, atMs, detail);
};

const byAccount = (
  book: BankBook,
  bank: string,
  { reference, atMs }: PaperHead,
  lines: readonly Line[],
): AccountNotice[] => {
  const accounts = [...new Set(lines.map(({ account }) => account))];
  return accounts.map((account, at) => {
    const { currency = "", owner = "" } = book.account(account) ?? {};
    return {
      id: `${reference}-${at + 1}`,
      createdAt: timeOf(atMs),
      account,
      currency,
      owner,
      servicer: bank,
      entries: lines.filter((line) => line.account === account).map(({ entry }) => entry),
    };
  });
};

/** A notice of bookings, one account after the other. */
export const noticeOf = (book: BankBook, bank: string, head: PaperHead, lines: readonly Line[]) =>
  writeValid("camt.054", {
    messageId: head.reference,
    createdAt: timeOf(head.atMs),
    notices: byAccount(book, bank, head, lines),
  });

/** A statement of what it is about, with each account's balance of now. */
export const statementOf = (
  book: BankBook,
  bank: string,
  head: PaperHead,
  lines: readonly Line[],
): Camt053 => ({
  messageId: head.reference,
  createdAt: timeOf(head.atMs),
  statements: byAccount(book, bank, head, lines).map((notice) => {
    const { minor = 0n, currency = "" } = book.account(notice.account) ?? {};
    const side = minor < 0n ? ("DBIT" as const) : ("CRDT" as const);
    const amount = amountOf(minor < 0n ? -minor : minor, currency);
    return { ...notice, balances: [{ type: "CLBD", amount, side, date: timeOf(head.atMs) }] };
  }),
});

/** What the bank signs: just what its file says, with the file's digest. */
export const signedBody = (
  bank: string,
  reference: string,
  statement: Camt053,
  digest: string,
): BankStatement => {
  const [part] = bankFileParts({ kind: "camt.053", body: statement });
  if (part === undefined) throw new Error("broken invariant: a statement without a line");
  const { window, lines } = part;
  return {
    bank,
    reference,
    digest,
    ...(window === undefined ? {} : { window }),
    lines: [...lines],
  };
};
