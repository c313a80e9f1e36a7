// What one batch decided: the entries to append, the rows to keep and the messages to send. The
// edge turns references into bytes; nothing here has been hashed or signed yet.
import type { EntryDraft, Refusal } from "@sealane/protocol";
import {
  noteChainSeq,
  type KnownTransfer,
  type LaneState,
  type OpenTransfer,
  type SheetState,
} from "./lane-state.ts";
import { rulesVersion } from "./postings.ts";
import type { Posting, Outcome } from "@sealane/protocol";

export type NewEntry = EntryDraft & {
  readonly trace?: string | undefined;
  /** The transfer that this entry ends, if it ends one. */
  readonly transferId?: string | undefined;
};

/** A reference that the edge resolves when it builds an inbox message. */
export type InboxRef =
  | { readonly type: "proposal"; readonly id: string }
  | { readonly type: "reserved"; readonly id: string; readonly timeMs: number }
  | { readonly type: "entry"; readonly seq: number }
  /** A refusal by its place in this batch, or a remembered one by id. */
  | { readonly type: "refusal"; readonly id: string; readonly index: number | undefined }
  /** Numbers begin anew with this message: only a recovery writes it. */
  | { readonly type: "renumbered" };

export type Ended = KnownTransfer & { readonly outcome: Outcome | "refused" };

export type RejectedInput = {
  readonly offset: bigint;
  readonly code: string;
  readonly detail: string;
};

export type BatchOutcome = {
  readonly timeMs: number;
  readonly entries: NewEntry[];
  readonly reserved: OpenTransfer[];
  readonly ended: Ended[];
  readonly refusals: Refusal[];
  /** Open transfers that ended without being posted. */
  readonly released: OpenTransfer[];
  /** Sheets that were recorded, ended or withdrawn. */
  readonly sheets: SheetState[];
  /** Sheets whose used total changed. */
  readonly usedSheets: Set<SheetState>;
  readonly usedQuotes: { readonly quote: string; readonly id: string }[];
  readonly inbox: Map<string, InboxRef[]>;
  readonly deadLetters: RejectedInput[];
  /** Commands that operators have set aside: kept in the batch's transaction. */
  readonly setAside: { readonly offset: bigint; readonly decision: string }[];
};

export type KeysCited = { readonly size: number; readonly root: string };

export const emptyOutcome = (timeMs: number): BatchOutcome => ({
  timeMs,
  entries: [],
  reserved: [],
  ended: [],
  refusals: [],
  released: [],
  sheets: [],
  usedSheets: new Set(),
  usedQuotes: [],
  inbox: new Map(),
  deadLetters: [],
  setAside: [],
});

export const tell = (outcome: BatchOutcome, participant: string, ref: InboxRef): void => {
  const refs = outcome.inbox.get(participant);
  if (refs === undefined) outcome.inbox.set(participant, [ref]);
  else refs.push(ref);
};

/** Remembers how an id ended, for the rest of this batch and for the rows to keep. */
export const remember = (
  context: { readonly known: Map<string, KnownTransfer>; readonly outcome: BatchOutcome },
  ended: Ended,
): void => {
  context.known.set(ended.id, ended);
  context.outcome.ended.push(ended);
};

/** Appends an entry: takes the next place in the log and in each participant's chain. */
export const append = (
  state: LaneState,
  outcome: BatchOutcome,
  entry: {
    readonly keys: KeysCited;
    readonly time: string;
    readonly result: Outcome;
    readonly reason?: string | undefined;
    readonly participants: readonly string[];
    readonly postings: readonly Posting[];
    readonly inner: string;
    readonly ownInner?: true | undefined;
    readonly trace?: string | undefined;
    readonly transferId?: string | undefined;
  },
): NewEntry => {
  const chains = entry.participants.map((participant) => {
    const n = state.chains.get(participant) ?? 0;
    state.chains.set(participant, n + 1);
    noteChainSeq(state, participant, n, state.size);
    return { participant, n };
  });
  const created: NewEntry = {
    seq: state.size,
    time: entry.time,
    keys: entry.keys,
    outcome: entry.result,
    reason: entry.reason,
    rules: rulesVersion,
    chains,
    postings: entry.postings,
    inner: entry.inner,
    ownInner: entry.ownInner,
    trace: entry.trace,
    transferId: entry.transferId,
  };
  state.size += 1;
  outcome.entries.push(created);
  return created;
};
