// What goes to an adapter and comes back, as its OpenAPI document (/v1/openapi.json) has it. Amounts
// are decimal strings; times are RFC 3339.

export type Money = { readonly currency: string; readonly amount: string };

export type QuoteRequest = {
  readonly payee: { readonly participant: string };
  readonly amount: Money;
  /** Which side the amount is for; `send` when left out. */
  readonly fixed?: "send" | "receive";
  /** The other side's currency; the participant's first one when left out. */
  readonly otherCurrency?: string;
};

export type Quote = {
  readonly quoteId: string;
  readonly expiresAt: string;
  readonly fixed: "send" | "receive";
  readonly sent: Money;
  readonly fee: Money;
  readonly otherCharges: Money;
  readonly exchangeRate: string;
  readonly referenceRate: { readonly rate: string; readonly date: string; readonly source: string };
  readonly spreadBasisPoints: string;
  readonly converted: Money;
  readonly received: Money;
};

export type TransferRequest = {
  readonly payer: { readonly account: string };
  readonly payee: { readonly participant: string; readonly account: string };
  readonly amount: Money;
  readonly fixed?: "send" | "receive";
  readonly otherCurrency?: string;
  readonly quoteId?: string;
  /** Remittance information for the payee, at most 140 characters. */
  readonly reference?: string;
  readonly expiresInSeconds?: number;
};

export type TransferStatus =
  | "received"
  | "reserved"
  | "committed"
  | "sealed"
  | "credited"
  | "rejected"
  | "expired"
  | "cancelled";

export type StepTimes = {
  readonly acceptedAt?: string;
  readonly reservedAt?: string;
  readonly committedAt?: string;
  readonly sealedAt?: string;
  readonly creditedAt?: string;
};

/** The newest recall of a transfer. */
export type Recall = {
  readonly recallId: string;
  readonly status: "open" | "returned" | "refused";
  readonly reason: string;
  /** The sender's right: it can be refused only once it was paid out. */
  readonly cancel: boolean;
  /** Why it was refused. */
  readonly answer?: string;
};

/** What the payee's provider gives back. Reasons are ISO 20022 return reasons. */
export type ReturnRequest = {
  /** In the received currency; all that is left when left out. */
  readonly amount?: Money;
  /** `MS03` when left out. */
  readonly reason?: string;
  /** The transfer's own conversion turned round (the default), or the newest rate sheet. */
  readonly rate?: "original" | "today";
  /** Who bears the original's fee; the payer when left out. */
  readonly bearer?: "payer" | "payee" | "earner";
  /** The recall that it answers. */
  readonly recallId?: string;
};

/** What the payer's provider asks back. Reasons are ISO 20022 cancellation reasons. */
export type RecallRequest = {
  readonly amount?: Money;
  /** `CUST` when left out. */
  readonly reason?: string;
  /** The sender's right, for 30 minutes and while it is not paid out: all of it, with the fee. */
  readonly cancel?: boolean;
};

/** A transfer as one side's adapter knows it. */
export type Transfer = {
  readonly transferId: string;
  readonly role: "payer" | "payee";
  readonly status: TransferStatus;
  /** Nothing about the outcome will change. */
  readonly final: boolean;
  readonly payer?: string;
  readonly payee?: string;
  /** From `reserved` on: before, no amount is final. */
  readonly sent?: Money;
  readonly fee?: Money;
  readonly rate?: string;
  readonly received?: Money;
  readonly expiresAt?: string;
  /** Why it did not go through: ISO 20022 reason, and our own code where there is one. */
  readonly reason?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly creditException?: string;
  /** A return: the transfer that it gives back. */
  readonly returnOf?: string;
  /** A recall: the transfer that it asks back. It ends credited when that came, else rejected. */
  readonly recallOf?: string;
  /** How much of `received` came back, and by which returns. */
  readonly returned?: Money;
  readonly returns?: readonly string[];
  readonly recall?: Recall;
  /** Its entry's place in the log. */
  /** In which lane it is; undefined where there is one lane. */
  readonly lane?: number;
  readonly position?: number;
  readonly steps: StepTimes;
};

export type BulkLine = {
  /** One for each thing to do; the same when repeating. */
  readonly idempotencyKey: string;
  readonly transfer: TransferRequest;
};

/** The answer for one line; `index` counts the lines that were given, from 0. */
export type BulkAnswer =
  | {
      readonly ok: true;
      readonly index: number;
      readonly idempotencyKey: string;
      /** This key was used before with the same request: nothing was sent twice. */
      readonly replayed: boolean;
      readonly transfer: Transfer;
      /** When the request with this line was sent, in ms since 1970. */
      readonly sentAtMs: number;
    }
  | {
      readonly ok: false;
      readonly index: number;
      readonly idempotencyKey: string;
      readonly code: string;
      readonly status: number;
      readonly detail: string;
    };
