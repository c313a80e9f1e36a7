// What reconciliation holds in memory: the fold of the log up to its next entry, the entries that
// are folded and not stored yet, and the newest seal. In doubt it is thrown away and loaded again
// from Postgres, so a start, a lost connection and a second instance are one and the same case.
import type { Posting, Terms } from "@sealane/protocol";
import {
  corridorOf,
  logTransferOf,
  type AuditState,
  type KeyState,
  type VerifiedEntry,
} from "@sealane/rules";
import type { CompactRange } from "@sealane/tlog";
import { factsText } from "./breaks/facts.ts";
import { recentTrees, type RecentTrees } from "./recent-trees.ts";

/** The newest checkpoint that a quorum has cosigned and whose root is ours. */
export type Seal = {
  readonly size: number;
  readonly range: CompactRange;
  /** The checkpoint, a signed note; empty before the first. */
  readonly note: string;
  /** When it was cosigned, ms. */
  readonly atMs: number;
};

/** An entry that stands and waits to be stored. */
export type PendingEntry = {
  readonly seq: number;
  readonly timeMs: number;
  readonly outcome: string;
  /** The transfer or advance that had its end here. */
  readonly endedId: string | undefined;
  readonly leafHash: Uint8Array;
  /** `<participant> <n>` */
  readonly chains: readonly string[];
  readonly postings: readonly Posting[];
  readonly trace: string | undefined;
  /** Of a committed transfer or a return. */
  readonly corridor: string | undefined;
  /** Of a committed transfer: its bookings; see `breaks/facts.ts`. */
  readonly facts: string | undefined;
  readonly settlement: VerifiedEntry["settlement"];
};

export type Books = {
  readonly state: AuditState;
  /** How far the stored books go. */
  storedNext: number;
  /** Next offset of the topic; undefined: from its beginning. */
  nextOffset: bigint | undefined;
  seal: Seal;
  /** Something changed besides entries. */
  dirty: boolean;
  pending: PendingEntry[];
  /** Sheets as they are stored, by hash: what differs is written. */
  readonly storedSheets: Map<string, string>;
  readonly trees: RecentTrees;
};

export const makeBooks = (
  state: AuditState,
  seal: Seal,
  nextOffset: bigint | undefined,
  storedSheets: Map<string, string>,
): Books => {
  const trees = recentTrees();
  trees.add(state.range, state.logTimeMs);
  const storedNext = state.next;
  return { state, storedNext, nextOffset, seal, dirty: false, pending: [], storedSheets, trees };
};

/** The original's terms, of a return: it settles where the original did. */
const paidBack = (returns: VerifiedEntry["returns"]): Terms | undefined =>
  returns?.kind === "return" ? returns.original.terms : undefined;

const corridorAt = (keys: KeyState | undefined, terms: Terms | undefined): string | undefined =>
  keys === undefined || terms === undefined
    ? undefined
    : corridorOf(keys, terms.send.currency, terms.receive.currency);

export const pendingOf = (
  entry: VerifiedEntry,
  keys: KeyState | undefined,
  leafHash: Uint8Array,
  trace: string | undefined,
): PendingEntry => {
  const { context, timeMs, transferId, advance, terms, settlement, returns } = entry;
  return {
    seq: context.seq,
    timeMs,
    outcome: context.outcome,
    endedId: transferId ?? advance?.id,
    leafHash,
    chains: context.chains.map(({ participant, n }) => `${participant} ${n}`),
    postings: context.postings,
    trace,
    corridor: corridorAt(keys, context.outcome === "committed" ? terms : paidBack(returns)),
    facts: factsText(logTransferOf(entry)),
    settlement,
  };
};

/** Why the books stop: the log, or our own tables, are not as they must be. Never skipped. */
export type Fault = {
  /** The entry that does not stand, or the size of a tree that was cosigned otherwise. */
  readonly position: number;
  readonly code: string;
  readonly detail: string;
};

export class BooksFault extends Error {
  readonly code: string;
  readonly retryable = false;
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(`at ${fault.position}: ${fault.code}: ${fault.detail}`);
    this.name = "BooksFault";
    this.code = fault.code;
    this.fault = fault;
  }
}
