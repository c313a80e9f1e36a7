// What verifying a receipt says: one verdict per question, each with a sentence for people and, where
// it failed, a code for programs.

/** In the order in which they are asked and printed. */
export const questions = [
  "sealed",
  "keys",
  "parties",
  "policy",
  "conversion",
  "disclosures",
] as const;
export type Question = (typeof questions)[number];

export type Check =
  | { readonly status: "checked"; readonly detail: string }
  | { readonly status: "failed"; readonly code: string; readonly detail: string }
  | { readonly status: "not checked"; readonly detail: string };

export const checked = (detail: string): Check => ({ status: "checked", detail });
export const failed = (code: string, detail: string): Check => ({ status: "failed", code, detail });
export const notChecked = (detail: string): Check => ({ status: "not checked", detail });

export type MoneyFact = { readonly currency: string; readonly amount: string };

/** What a sealed entry says, for display: known only once `sealed` is checked. */
export type ReceiptFacts = {
  readonly log: string;
  /** Place of the entry in the log. */
  readonly position: number;
  readonly logTime: string;
  /** The middle one of the cosignatures' times, RFC 3339. */
  readonly sealedAt: string;
  readonly cosignedBy: readonly string[];
  readonly kind: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly transferId?: string;
  readonly payer?: string;
  readonly payee?: string;
  /** Of a return or a recall: the transfer that is given or asked back. */
  readonly returnOf?: string;
  readonly recallOf?: string;
  readonly sent?: MoneyFact;
  readonly fees?: readonly MoneyFact[];
  readonly rate?: string;
  readonly received?: MoneyFact;
};

export type Verdict = {
  /** `sealed` is checked and nothing failed. */
  readonly ok: boolean;
  readonly checks: Readonly<Record<Question, Check>>;
  readonly facts: ReceiptFacts | undefined;
};

/** A copy of the key log, with the notes of the rate sheets that are at hand. */
export type KeysCopy = {
  readonly checkpoint: string;
  readonly entries: readonly string[];
  readonly sheets: readonly string[];
};
