// The three sides of reconciliation as the matcher sees them: what the log says of a transfer, what
// Postgres has posted for it, and what a provider's own books say; and how far each side can be judged.
// Amounts are minor units; times are milliseconds.

export const breakKinds = [
  "missing-at-wallet",
  "missing-at-ledger",
  "amount",
  "currency",
  "fee",
  "duplicate",
  "late",
  "status",
  "fx-residue",
  "unmatched-bank-line",
  "default",
] as const;
export type BreakKind = (typeof breakKinds)[number];

export type Side = "debit" | "credit";

/** One booking that a participant must have for a transfer. */
export type Leg = {
  readonly participant: string;
  readonly side: Side;
  readonly currency: string;
  readonly minor: bigint;
  /** What of it is fees. */
  readonly feeMinor: bigint;
  /** How far the other rounding of the conversion would be off: 1, −1, or 0 where nothing was rounded. */
  readonly residue: bigint;
};

export type TransferEnd = "committed" | "rejected" | "expired" | "cancelled";

/** A transfer's end in the log; without legs unless it was committed. */
export type LogTransfer = {
  readonly id: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly outcome: TransferEnd;
  readonly legs: readonly Leg[];
};

/** A line of a provider's statement, read. */
export type SeenLine = {
  readonly reference: string;
  readonly side: Side;
  readonly currency: string;
  readonly minor: bigint;
  /** Undefined: the provider does not say. */
  readonly feeMinor: bigint | undefined;
  readonly status: "booked" | "pending" | "reversed";
  readonly bookedAtMs: number;
};

/** How far each side goes: nothing beyond may be judged, for it may only not be here yet. */
export type Horizon = {
  /** All entries up to this log time are known. */
  readonly logTimeMs: number;
  /** Where the provider's statements begin: what it booked before is not known. */
  readonly walletFromMs: number;
  /** All bookings before this instant are on the provider's statements. */
  readonly walletUntilMs: number;
  /** The log's size that the provider says it had seen; undefined: it does not say. */
  readonly walletPosition: number | undefined;
};

export type Tolerance = {
  /** A provider books a committed transfer, or takes back a failed one, within this time. */
  readonly bookWithinMs: number;
  /** What a provider has booked is decided in the log within this time. */
  readonly decideWithinMs: number;
};

/** The ledger ends every transfer within 300 s; providers credit within seconds, or say why not. */
export const defaultTolerance: Tolerance = { bookWithinMs: 300_000, decideWithinMs: 600_000 };

export type Finding = {
  readonly kind: BreakKind;
  /** Which two of the three disagree. */
  readonly between: "log-wallet" | "log-postgres" | "log-bank";
  /** The line, or the leg that has none: names the finding within its transfer. */
  readonly subject: string;
  readonly side: Side;
  readonly currency: string;
  /** By the log, where it says anything. */
  readonly expectedMinor?: bigint;
  readonly foundMinor?: bigint;
  readonly foundCurrency?: string;
  readonly detail: string;
};

/** When a transfer must be looked at again, though nothing new has come of it. */
export type Waits = {
  /** Log time to be reached. */
  readonly logMs?: number;
  /** What the provider's statements must cover: this instant, and this entry. */
  readonly walletMs?: number;
  readonly walletSeq?: number;
};

export type Judgement = { readonly findings: readonly Finding[]; readonly waits: Waits };

/** Hours until somebody must have resolved a break, by how much harm it may do while it is open. */
export const deadlineHours: Readonly<Record<BreakKind, number>> = {
  "missing-at-wallet": 4,
  "missing-at-ledger": 4,
  duplicate: 4,
  status: 4,
  default: 4,
  amount: 24,
  currency: 24,
  "unmatched-bank-line": 24,
  fee: 72,
  late: 72,
  "fx-residue": 72,
};
