// What the console's server tells its pages, as JSON. Types only: the pages import this file and
// nothing else of the server. Amounts are decimal strings; times are RFC 3339 or ms since 1970 (`…Ms`).

export type Money = { readonly currency: string; readonly amount: string };

export type Session = {
  /** No login is asked for: the local stack on 127.0.0.1. */
  readonly open: boolean;
  readonly operator?: string;
  readonly origin: string;
};

export type ServiceState = "up" | "not-ready" | "down" | "unknown";
export type ServiceHealth = {
  readonly name: string;
  readonly url: string;
  readonly state: ServiceState;
  /** Since when it is in this state. */
  readonly sinceMs: number;
  /** How long its last answer took. */
  readonly answerMs?: number;
  /** What `/readyz` said, check by check; or what went wrong. */
  readonly checks: Readonly<Record<string, string>>;
};

export type WitnessState = "cosigning" | "behind" | "down" | "unknown";
export type WitnessHealth = {
  readonly name: string;
  readonly keyName: string;
  readonly url?: string;
  readonly state: WitnessState;
  /** The newest checkpoint that it shows: entries covered, and when it cosigned. */
  readonly size?: number;
  readonly cosignedAt?: string;
  readonly detail?: string;
};

/** One second. Null is "not known", never zero. */
export type Sample = {
  readonly atS: number;
  readonly committed: number;
  /** Rejected, expired and cancelled. */
  readonly ended: number;
  readonly sealP50Ms: number | null;
  readonly sealP99Ms: number | null;
};

export type Alert = {
  readonly code: string;
  readonly severity: "page" | "ticket";
  readonly summary: string;
  readonly action: string;
  readonly sinceMs: number;
};

export type Overview = {
  readonly nowMs: number;
  /** False while the entries' topic cannot be read: then rates are not known. */
  readonly following: boolean;
  readonly followingFault?: string;
  readonly log: {
    readonly origin: string;
    readonly size?: number;
    readonly sealedSize?: number;
    readonly sealedAt?: string;
    readonly fault?: string;
  };
  readonly ledger: {
    readonly unsealedAgeMs?: number;
    readonly openTransfers?: number;
    readonly inputLag?: number;
  };
  readonly books: {
    readonly applied?: number;
    readonly lag?: number;
    readonly transfers?: Readonly<Record<string, number>>;
    readonly fault?: string;
  };
  readonly services: readonly ServiceHealth[];
  readonly witnesses: readonly WitnessHealth[];
  readonly quorum: number;
  readonly alerts: readonly Alert[];
  readonly latest?: Sample;
};

/** A return, a recall of a transfer, or the refusal of a recall: entries of their own, linked both ways. */
export type Linked = {
  readonly kind: "return" | "recall" | "recall-refusal";
  readonly seq: number;
  readonly time: string;
  /** Its own id; a refusal has none. */
  readonly id?: string;
  readonly original: { readonly id: string; readonly seq: number };
  /** Who signed it. */
  readonly participant: string;
  /** Of the amount received: what comes back, or is asked for. */
  readonly amount?: Money;
  /** What the payer's provider gets, of a return. */
  readonly back?: Money;
  readonly reason: string;
  /** The recall that it answers. */
  readonly recall?: string;
};

export type EntryRow = {
  readonly seq: number;
  readonly time: string;
  /** Of the statement in the entry: `transfer`, `rate-sheet`, `advance` … */
  readonly kind: string;
  readonly outcome: string;
  readonly sealed: boolean;
  readonly reason?: string;
  readonly transferId?: string;
  readonly payer?: string;
  readonly payee?: string;
  readonly sent?: Money;
  readonly received?: Money;
};

export type EntryPage = {
  readonly rows: readonly EntryRow[];
  /** Ask again with `before` this for older ones; absent at the log's beginning. */
  readonly older?: number;
  /** The oldest entry that was looked at. */
  readonly searchedFrom: number;
  readonly fault?: string;
};

export type Signer = {
  /** The statement that was signed. */
  readonly statement: string;
  readonly key: string;
  readonly keyId: string;
  readonly party: string;
};

export type Verdict = { readonly ok: boolean; readonly detail: string };

export type Step = {
  readonly name: string;
  readonly state: "done" | "waiting" | "failed" | "none";
  readonly at?: string;
  readonly detail: string;
};

export type EntryDetail = EntryRow & {
  readonly note: string;
  readonly bytes: number;
  readonly leafHash: string;
  readonly keysSize: number;
  readonly rules: number;
  readonly chains: readonly { readonly participant: string; readonly n: number }[];
  readonly postings: readonly {
    readonly debit: string;
    readonly credit: string;
    readonly amount: Money;
  }[];
  readonly terms?: {
    readonly fixed: string;
    readonly fees: readonly { readonly to: string; readonly amount: Money }[];
    readonly converted: Money;
    readonly rate: string;
    readonly residue: Money;
    readonly sheetProvider: string;
    readonly sheetNumber: number;
    readonly policy: string;
    readonly quote: string;
    readonly expiresAt: string;
    readonly payerAccount: string;
    readonly payeeAccount: string;
  };
  /** Of a return, a recall, a refusal: what it is about. */
  readonly linked?: Linked;
  /** Of a transfer: what came of it since, as far as the newest entries go; the oldest first. */
  readonly links: readonly Linked[];
  readonly steps: readonly Step[];
  readonly signers: readonly Signer[];
  /** Every signature, policy and posting, recomputed by the keys in force at the entry's place. */
  readonly signatures: Verdict;
  /** The inclusion proof, against a checkpoint with a quorum. */
  readonly seal: Verdict;
  readonly cosignedBy: readonly { readonly name: string; readonly at: string }[];
  readonly checkpointSize?: number;
};

/** A transfer that has no entry, or none yet. */
export type OpenTransfer = {
  readonly transferId: string;
  readonly state: "reserved" | "refused";
  readonly time?: string;
};
export type TransferAnswer =
  | { readonly found: "entry"; readonly entry: EntryDetail }
  | { readonly found: "open"; readonly transfer: OpenTransfer };

export type PositionRow = {
  readonly participant: string;
  readonly role: string;
  readonly currency: string;
  /** Of its position: what it owes, or is owed, until a settlement. */
  readonly owes: string;
  readonly isOwed: string;
  /** Reserved, and not ended. */
  readonly pending: string;
  readonly liquidity: string;
  /** Of it, what operators advanced and no bank's statement covers. */
  readonly unbacked: string;
  readonly cap?: string;
  readonly headroom: string;
  /** Headroom of `min(liquidity, cap)`, in percent, 0 to 100. */
  readonly headroomPercent: number;
  /** What its liquidity paid for it, and is not paid back. */
  readonly shortfall: string;
  readonly suspended: boolean;
};
export type PositionsAnswer = {
  readonly asOf: number;
  readonly sealedSize: number;
  /** False while the ledger does not say what is reserved: then it is not counted. */
  readonly pendingKnown: boolean;
  readonly rows: readonly PositionRow[];
  readonly fees: readonly { readonly participant: string; readonly amount: Money }[];
  /** Liquidity that no bank's statement covers. */
  readonly unbacked: readonly {
    readonly currency: string;
    readonly amount: string;
    readonly liquidity: string;
    readonly percent: number;
  }[];
  /** Debits less credits over all accounts: zero, or the books do not balance. */
  readonly sums: readonly { readonly currency: string; readonly difference: string }[];
};

export type CheckpointView = {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly note: string;
  readonly quorum: boolean;
  readonly cosignedBy: readonly { readonly name: string; readonly at: string }[];
};
export type KeyEntryView = {
  readonly seq: number;
  readonly time: string;
  readonly kind: string;
  readonly subject: string;
  readonly summary: string;
  readonly signers: readonly string[];
};
export type LogAnswer = {
  readonly lane: CheckpointView;
  readonly keys: CheckpointView;
  readonly keyEntries: readonly KeyEntryView[];
  readonly policy: string;
  readonly url: string;
};
