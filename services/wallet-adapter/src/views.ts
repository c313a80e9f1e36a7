// What an adapter knows of one transfer, as its core sees it. Built from the ledger's messages alone,
// so that losing it costs nothing but a replay of the inbox.
import type { MoneyField, Terms } from "@sealane/protocol";
import { advance, finalStatuses, type TransferStatus } from "@sealane/rules";

export { advance, finalStatuses, type TransferStatus };

/** Wall-clock times of this adapter, in ms since 1970; `reserved` is the ledger's log time. */
export type Steps = {
  accepted?: number;
  reserved?: number;
  committed?: number;
  sealed?: number;
  credited?: number;
};

export type RecallView = {
  readonly recallId: string;
  readonly status: "open" | "returned" | "refused";
  readonly reason: string;
  /** The sender's right: it can be refused only once it was paid out. */
  readonly cancel: boolean;
  /** Why it was refused. */
  readonly answer?: string | undefined;
};

export type TransferView = {
  readonly id: string;
  readonly role: "payer" | "payee";
  status: TransferStatus;
  /** It was refused, and the refusal binds nothing: the same request may be sent again. */
  unbound?: boolean | undefined;
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
  /** A return: the transfer that it gives back; `sent` and `received` are the return's own. */
  returnOf?: string | undefined;
  /** A recall: the transfer that it asks back. It ends credited when that came, else rejected. */
  recallOf?: string | undefined;
  /** Of a transfer that came back in part or whole: how much of `received`, and by which returns. */
  returned?: MoneyField | undefined;
  returns?: readonly string[] | undefined;
  /** The newest recall of this transfer. */
  recall?: RecallView | undefined;
  /** In which lane's log it is; undefined where there is one lane only. */
  lane?: number | undefined;
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

/**
 * The ledger has turned it away for now (too few witnesses, a clock that is off), and bound nothing: the
 * same request may still be decided, so this is no end, and whoever asked repeats it.
 */
export const isTurnedAway = ({ status, turnedAway }: TransferView): boolean =>
  status === "received" && turnedAway !== undefined;

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
    returnOf: view.returnOf,
    recallOf: view.recallOf,
    returned: view.returned,
    returns: view.returns,
    recall: view.recall,
    lane: view.lane,
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
