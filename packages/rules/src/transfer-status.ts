// How a transfer stands for one of its providers, and how that moves: forward only, whatever comes twice
// or late. Built from the ledger's messages alone.

export type TransferStatus =
  | "received"
  | "reserved"
  | "committed"
  | "sealed"
  | "credited"
  | "rejected"
  | "expired"
  | "cancelled";

export const finalStatuses: ReadonlySet<TransferStatus> = new Set([
  "sealed",
  "credited",
  "rejected",
  "expired",
  "cancelled",
]);

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

export type Moving = {
  status: TransferStatus;
  /** It was refused, and the refusal binds nothing: the same request may yet be reserved. */
  unbound?: boolean | undefined;
};

/**
 * Moves a view forward; messages that come twice or late move nothing.
 * @param binding false for a refusal that binds no id: whatever is decided later outranks it
 * @returns whether it moved
 */
export const advance = (view: Moving, to: TransferStatus, binding = true): boolean => {
  if (!binding && view.status !== "received") return false;
  const late = order[to] <= order[view.status];
  // What is sealed has ended well: no late refusal changes it.
  const over = order[view.status] >= 2 && order[to] === 5;
  if (view.unbound !== true && (late || over)) return false;
  view.status = to;
  view.unbound = binding ? undefined : true;
  return true;
};

/** Of the notice that a payee's core will not credit what is sealed. */
const exceptionRank = 3;

const rankOf = (
  role: "payer" | "payee",
  to: TransferStatus,
  binding: boolean,
): number | undefined => {
  if (to === "rejected" && !binding) return 1;
  if (to === "rejected" || to === "expired" || to === "cancelled") return 2;
  if (role === "payee") return undefined;
  if (to === "sealed") return 2;
  return to === "credited" ? exceptionRank + 1 : undefined;
};

/**
 * The number of the notice that a core is owed when a view has moved; the one before where it is owed none.
 * The payer's is told how it ended, and that it was credited; the payee's, that a transfer it said yes to
 * will not come: that it came is its order to credit. A number stands for what is said, and is not a count:
 * an adapter that begins again may learn in one step what it had told in two, and a core that holds a
 * higher number believes no lower one. It only grows.
 */
export const noticeOf = (
  { role, notice }: { readonly role: "payer" | "payee"; readonly notice: number },
  to: TransferStatus,
  binding = true,
): number => {
  const rank = rankOf(role, to, binding);
  return rank === undefined ? notice : Math.max(rank, notice + 1);
};

/** The same, when a payee's core would not credit what is sealed. */
export const exceptionNotice = ({ notice }: { readonly notice: number }): number =>
  Math.max(exceptionRank, notice + 1);
