// What holds for an entry of any kind: postings and chains are what its statement gives, its reason too,
// and a transfer's id belongs to this lane.
import { expiredReason, slotOf, type EntryContext, type Posting } from "@sealane/protocol";
import { no, type EntryFault } from "./entry-signatures.ts";
import type { KeyState } from "./key-state.ts";

const samePostings = (left: readonly Posting[], right: readonly Posting[]): boolean =>
  left.length === right.length &&
  left.every(({ debit, credit, currency, amount }, at) => {
    const other = right[at];
    const sides = debit === other?.debit && credit === other.credit;
    return sides && currency === other.currency && amount === other.amount;
  });

const sameParticipants = (context: EntryContext, expected: readonly string[]): boolean =>
  context.chains.length === expected.length &&
  context.chains.every(({ participant }, at) => participant === expected[at]);

/** The reason that an entry gives is its statement's; an expiry has one of its own. */
export const reasonFault = ({ outcome, reason }: EntryContext): EntryFault | undefined => {
  const answers = outcome === "rejected" || outcome === "cancelled"; // judged with the statement
  if (answers || reason === (outcome === "expired" ? expiredReason : undefined)) return undefined;
  return no("reason-mismatch", `${outcome} for the reason ${reason ?? "none"}`);
};

/**
 * A transfer's id belongs to one lane: in another it could be committed a second time. By itself an entry
 * shows only that its lane was given the slot at some time: whether it had it is the fold's to say.
 */
export const laneFault = (
  state: KeyState,
  origin: string,
  id: string | undefined,
): EntryFault | undefined => {
  if (id === undefined) return undefined;
  const given = state.laneRecords.flatMap(({ lanes }) =>
    lanes.filter((one) => one.origin === origin),
  );
  if (given.length === 0) return no("lane-unknown", `the key log has no lane ${origin}`);
  const slot = slotOf(id);
  const isIn = ({ slots }: (typeof given)[number]): boolean =>
    slots.some(({ from, to }) => from <= slot && slot < to);
  if (given.some(isIn)) return undefined;
  return no("wrong-lane", `transfer ${id} belongs to another lane`);
};

/** Whether the entry posts, and joins the chains, that its statement gives. */
export const derivedFault = (
  context: EntryContext,
  found: {
    readonly postings: readonly Posting[];
    readonly participants: readonly string[] | undefined;
  },
): EntryFault | undefined => {
  if (!samePostings(context.postings, found.postings)) {
    return no("postings-mismatch", `entry ${context.seq} posts what its terms do not give`);
  }
  if (found.participants === undefined || sameParticipants(context, found.participants)) {
    return undefined;
  }
  return no("chains-mismatch", `entry ${context.seq} is in the wrong chains`);
};
