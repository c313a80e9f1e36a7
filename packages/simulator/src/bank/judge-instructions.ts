// Which payments of instructions the bank does not even try, with the code that says why.
import { parseAmount, parseCurrency } from "@sealane/money";
import type { InstitutionTransfer, Pacs009 } from "@sealane/iso20022";
import type { BankBook, BankEvent } from "./bank-book.ts";
import type { BankFault } from "./bank-types.ts";

type Instructed = Extract<BankEvent, { kind: "instructed" }>;

const minorOf = ({ amount: { currency, amount } }: InstitutionTransfer): bigint => {
  const known = parseCurrency(currency);
  const parsed = known && parseAmount(amount, known, { allowZero: true });
  if (parsed?.ok === true) return parsed.minor;
  throw new Error("broken invariant: a message was read with an amount that is none");
};

/** Codes of ExternalStatusReason1Code. */
const reasonAgainst = (
  book: BankBook,
  transfer: InstitutionTransfer,
  seen: ReadonlySet<string>,
): string | undefined => {
  const { uetr, amount, debtorAccount, creditorAccount } = transfer;
  if (seen.has(uetr) || book.order(uetr) !== undefined) return "AM05";
  if (debtorAccount === undefined && creditorAccount === undefined) return "AC03";
  for (const [account, unknown] of [
    [debtorAccount, "AC02"],
    [creditorAccount, "AC03"],
  ] as const) {
    if (account === undefined) continue;
    const found = book.account(account);
    if (found === undefined) return unknown;
    if (found.currency !== amount.currency) return "AM03";
  }
  return minorOf(transfer) === 0n ? "AM01" : undefined;
};

const touches = ({ debtorAccount, creditorAccount }: InstitutionTransfer, account: string) =>
  debtorAccount === account || creditorAccount === account;

/** What is written down about instructions that are new. */
export const judgeInstructions = (
  book: BankBook,
  { messageId, transfers }: Pacs009,
  digest: string,
  atMs: number,
  faults: { readonly late: BankFault | undefined; readonly partial: BankFault | undefined },
): Instructed => {
  const { late, partial } = faults;
  const struck =
    partial && (transfers.find((one) => touches(one, partial.account ?? "")) ?? transfers[0]);
  const seen = new Set<string>();
  const orders = transfers.map((transfer) => {
    const { uetr, amount, debtorAccount, creditorAccount } = transfer;
    const against = reasonAgainst(book, transfer, seen);
    const rejected = transfer === struck ? (against ?? partial?.reason ?? "AC04") : against;
    seen.add(uetr);
    return {
      uetr,
      ...(debtorAccount === undefined ? {} : { debtorAccount }),
      ...(creditorAccount === undefined ? {} : { creditorAccount }),
      currency: amount.currency,
      minor: minorOf(transfer).toString(),
      ...(rejected === undefined ? {} : { rejected }),
    };
  });
  return { kind: "instructed", atMs, messageId, digest, held: late !== undefined, orders };
};
