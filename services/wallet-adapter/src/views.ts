// What an adapter knows of one transfer, as its core sees it. Built from the ledger's messages alone,
// so that losing it costs nothing but a replay of the inbox.
import type { MoneyField, Terms } from "@sealane/protocol";

export type TransferStatus =
  | "received"
  | "reserved"
  | "committed"
  | "sealed"
  | "credited"
  | "rejected"
  | "expired"
  | "cancelled";

/** Wall-clock times of this adapter, in ms since 1970; `reserved` is the ledger's log time. */
export type Steps = {
  accepted?: number;
  reserved?: number;
  committed?: number;
  sealed?: number;
  credited?: number;
};

export type TransferView = {
  readonly id: string;
  readonly role: "payer" | "payee";
  status: TransferStatus;
  /** HMAC of the request's bytes; for the payer's side only. */
  request?: string | undefined;
  payer?: string | undefined;
  payee?: string | undefined;
  sent?: MoneyField | undefined;
  fee?: MoneyField | undefined;
  rate?: string | undefined;
  received?: MoneyField | undefined;
  expiresAt?: string | undefined;
  sheet?: Terms["sheet"] | undefined;
  /** Why it ended without being committed: ISO 20022 reason, and our own code where we have one. */
  reason?: string | undefined;
  code?: string | undefined;
  detail?: string | undefined;
  /** Why the payee's core would not credit it, after the seal. */
  creditException?: string | undefined;
  /** Why the ledger would not take it for now; means something while it is `received` only. */
  turnedAway?: { readonly code: string; readonly reason: string; readonly detail: string };
  seq?: number | undefined;
  /** Place in this provider's own chain, and in its peer's. */
  n?: number | undefined;
  peerN?: number | undefined;
  entry?: string | undefined;
  proof?: { readonly hashes: readonly string[]; readonly checkpoint: string } | undefined;
  refusal?: string | undefined;
  terms?: string | undefined;
  /** How many operators must sign before it is sent; undefined once it was, and where none must. */
  approvalsNeeded?: number | undefined;
  readonly steps: Steps;
  /** Number of the newest notice for the core. */
  notice: number;
  notified: number;
  trace?: string | undefined;
};

export const finalStatuses: ReadonlySet<TransferStatus> = new Set([
  "sealed",
  "credited",
  "rejected",
  "expired",
  "cancelled",
]);

/**
 * The ledger has turned it away for now (too few witnesses, a clock that is off), and bound nothing: the
 * same request may still be decided, so this is no end, and whoever asked repeats it.
 */
export const isTurnedAway = ({ status, turnedAway }: TransferView): boolean =>
  status === "received" && turnedAway !== undefined;

const order: Readonly<Record<TransferStatus, number>> = {
  received: 0,
  reserved: 1,
  committed: 2,
  sealed: 3,
  credited: 4,
  rejected: 5,
  expired: 5,
  cancelled: 5,
};

/** Moves a view forward; messages that come twice or late move nothing. */
export const advance = (view: TransferView, to: TransferStatus): boolean => {
  if (order[to] <= order[view.status]) return false;
  // What is sealed has ended well: no late refusal changes it.
  if (order[view.status] >= 2 && order[to] === 5) return false;
  view.status = to;
  return true;
};

/** Fills in what the terms say. */
export const withTerms = (view: TransferView, terms: Terms): void => {
  view.payer = terms.payer.participant;
  view.payee = terms.payee.participant;
  view.sent = terms.send;
  const fee = terms.fees[0];
  if (fee !== undefined) view.fee = { currency: fee.currency, amount: fee.amount };
  view.rate = terms.rate;
  view.received = terms.receive;
  view.expiresAt = terms.expiresAt;
  view.sheet = terms.sheet;
};

/** The view as the API shows it: no note, no personal data. */
export const publicView = (view: TransferView) => {
  const iso = (ms: number | undefined) =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  return {
    transferId: view.id,
    role: view.role,
    status: view.status,
    final: finalStatuses.has(view.status),
    payer: view.payer,
    payee: view.payee,
    // Before the ledger has decided, the amounts are not final and are not said.
    ...(view.status === "received"
      ? {}
      : { sent: view.sent, fee: view.fee, rate: view.rate, received: view.received }),
    approvalsNeeded: view.approvalsNeeded,
    expiresAt: view.expiresAt,
    reason: view.reason,
    code: view.code,
    detail: view.detail,
    ...(isTurnedAway(view) ? view.turnedAway : {}),
    creditException: view.creditException,
    position: view.seq,
    steps: {
      acceptedAt: iso(view.steps.accepted),
      reservedAt: iso(view.steps.reserved),
      committedAt: iso(view.steps.committed),
      sealedAt: iso(view.steps.sealed),
      creditedAt: iso(view.steps.credited),
    },
  };
};
