// From a bank's statement or notice to the lines of what the bank signs. Who pays what is told by the
// UETR; a booking without one (a deposit, a withdrawal) by the bank's own reference. What two readers
// could take for different things is refused whole.
import { Iso20022Error } from "../errors.ts";
import type { Message } from "../message.ts";
import type { AccountNotice, EntryDetail, ReportEntry } from "../messages/account-reports.ts";
import { detailsFault } from "./entry-sums.ts";
import { windowOfReference, windowReference, type WindowName } from "./instructions.ts";

export type BankFileLine = {
  readonly reference: string;
  readonly account: string;
  readonly currency: string;
  readonly side: "debit" | "credit";
  readonly amount: string;
  readonly status: "booked" | "pending" | "rejected";
  readonly reason?: string | undefined;
};

/** The lines of one window's instructions, or, without a window, deposits and withdrawals. */
export type BankFilePart = {
  readonly window?: WindowName;
  readonly lines: readonly BankFileLine[];
};

const statuses: Readonly<Record<string, BankFileLine["status"]>> = {
  BOOK: "booked",
  PDNG: "pending",
  FUTR: "pending",
  // Told, and not booked: a payment that was refused.
  INFO: "rejected",
};

const ambiguous = (what: string): Iso20022Error => new Iso20022Error("line-ambiguous", what);

const lineOf = (account: string, entry: ReportEntry, detail: EntryDetail): BankFileLine => {
  const { currency, amount } = detail.amount ?? entry.amount;
  const reference =
    detail.uetr ?? detail.servicerReference ?? entry.servicerReference ?? entry.reference;
  const status = statuses[entry.status];
  if (reference === undefined || status === undefined)
    throw ambiguous("an entry says not what it is");
  const side = (detail.side ?? entry.side) === "DBIT" ? "debit" : "credit";
  const { returnReason: reason } = detail;
  const line = { reference, account, currency, side, amount, status } as const;
  return reason === undefined ? line : { ...line, reason };
};

const detailsOf = (entry: ReportEntry): readonly EntryDetail[] => {
  const { details } = entry;
  if (entry.reversal === "true") throw ambiguous("an entry takes another one back");
  if (details.length === 0) return [{}];
  const why = detailsFault(entry);
  if (why !== undefined) throw ambiguous(why);
  return details;
};

const accountsOf = (message: Message): readonly AccountNotice[] => {
  if (message.kind === "camt.053") return message.body.statements;
  if (message.kind === "camt.054") return message.body.notices;
  throw new Iso20022Error("message-unknown", "a bank's file is a camt.053 or a camt.054");
};

/**
 * What a bank's file says, by window; the part without a window is the last.
 * @throws Iso20022Error `line-ambiguous`, `message-unknown`
 */
export const bankFileParts = (message: Message): BankFilePart[] => {
  const parts = new Map<string, { window: WindowName | undefined; lines: BankFileLine[] }>();
  for (const { account, entries } of accountsOf(message)) {
    for (const entry of entries) {
      for (const detail of detailsOf(entry)) {
        const window = windowOfReference(detail.messageId ?? detail.endToEndId ?? "");
        const key = window === undefined ? "" : windowReference(window);
        const part = parts.get(key) ?? { window, lines: [] };
        parts.set(key, part);
        part.lines.push(lineOf(account, entry, detail));
      }
    }
  }
  return [...parts.values()]
    .toSorted((a, b) => Number(a.window === undefined) - Number(b.window === undefined))
    .map(({ window, lines }) => (window === undefined ? { lines } : { window, lines }));
};

const textOf = ({ reference, account, currency, side, amount, status, reason }: BankFileLine) =>
  [reference, account, currency, side, amount, status, reason ?? ""].join(" ");

/** Whether a signed statement says just what its file does, in any order. */
export const saysTheSame = (
  message: Message,
  {
    window,
    lines,
  }: { readonly window?: WindowName | undefined; readonly lines: readonly BankFileLine[] },
): boolean => {
  const key = window === undefined ? "" : windowReference(window);
  const part = bankFileParts(message).find(
    (one) => (one.window === undefined ? "" : windowReference(one.window)) === key,
  );
  if (part === undefined || part.lines.length !== lines.length) return false;
  const said = part.lines.map(textOf).toSorted();
  return lines
    .map(textOf)
    .toSorted()
    .every((line, at) => line === said[at]);
};
