// What a simulated bank keeps and tells. Amounts are minor units inside, decimal text in files.
import type { NoteSigner } from "@sealane/client";

export type AccountPlan = {
  /** The participant, or the operator. */
  readonly owner: string;
  readonly account: string;
  readonly currency: string;
  /** What lies there when the bank opens; default enough for any demo. */
  readonly opening?: string;
};

/** How a bank can fail those who wait for it; each for its next `count` uses, default 1. */
export const BANK_FAULTS = [
  /** Instructions are taken and not booked, until `release` or for `ms`. */
  "late",
  /** The payment that touches `account` (or the first one) is refused with `reason`, default AC04. */
  "partial",
  /** A statement says one minor unit more on its first booked line, or that of `account`. */
  "wrong-amount",
  /** A statement has its first line twice. */
  "duplicate-line",
  /** The statement comes a second time, under another reference. */
  "duplicate-statement",
  /** The file beside the signed statement is another than the one whose digest was signed. */
  "wrong-file",
] as const;
export type BankFaultKind = (typeof BANK_FAULTS)[number];
export type BankFault = {
  readonly kind: BankFaultKind;
  readonly count?: number | undefined;
  readonly account?: string | undefined;
  readonly reason?: string | undefined;
  readonly ms?: number | undefined;
};

export type OrderStatus = "pending" | "booked" | "rejected";

/** One payment that was instructed. Without an account it is the bank's clearing account's side. */
export type Order = {
  readonly uetr: string;
  readonly messageId: string;
  readonly debtorAccount?: string;
  readonly creditorAccount?: string;
  readonly currency: string;
  readonly minor: bigint;
  status: OrderStatus;
  reason: string | undefined;
  /** Taken by the fault `late`: not booked before it is released. */
  held: boolean;
  /** Refused to its debtor, and paid from somebody else's account: its creditor has the money. */
  covered: boolean;
  changedAtMs: number;
};

/** A deposit (credit) or withdrawal. */
export type Movement = {
  /** The bank's own, or an advance's id. */
  readonly reference: string;
  readonly account: string;
  readonly currency: string;
  readonly side: "debit" | "credit";
  readonly minor: bigint;
  readonly atMs: number;
};

export type BankDocumentKind = "pacs.002" | "camt.053" | "camt.054" | "note";
export type BankDocument = {
  /** Of the file, in the folder `out`. */
  readonly name: string;
  readonly kind: BankDocumentKind;
  /** The statement's or report's own. */
  readonly reference: string;
  /** Of the instructions that it is about. */
  readonly messageId?: string;
};

export type BankOptions = {
  /** Its name as a participant, such as `bank.example`. */
  readonly bank: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The bearer token that the operator presents, 16 characters or more. */
  readonly token: string;
  /** It reads `in`, writes `out`, and remembers in `journal.jsonl`. */
  readonly directory: string;
  readonly accounts: readonly AccountPlan[];
  /** Signs its statements, for this log; without it there are files and no signed statements. */
  readonly signing?: { readonly signer: NoteSigner; readonly origin: string };
  readonly clock?: () => number;
  /** How often `in` is looked at; default 200 ms. */
  readonly pollMs?: number;
};
