// The state of one lane: a fold over its input. Mutable for speed and owned by one writer: when a
// batch could not be saved, the whole state is thrown away and loaded again.
import type { EnvelopeField, Posting, RateSheet, Terms } from "@sealane/protocol";
import type { Balances } from "./positions.ts";
import type { VerifiedEntry } from "./verify-entry.ts";
import { emptySettlement, type SettlementState } from "./settlement/state.ts";

export type OpenTransfer = {
  readonly id: string;
  readonly request: string;
  readonly terms: Terms;
  /** The terms' text, which the payee signs too. */
  readonly text: string;
  /** The payer's good signature lines. */
  readonly lines: readonly string[];
  readonly envelope: EnvelopeField | undefined;
  readonly trace: string | undefined;
  readonly postings: readonly Posting[];
  readonly reservedAtMs: number;
  readonly expiresAtMs: number;
  proposedAtMs: number;
};

export type SheetState = {
  readonly sheet: RateSheet;
  readonly hash: string;
  readonly seq: number;
  /** Log time from which it no longer holds, by a higher number or a withdrawal. */
  endsAtMs: number | undefined;
  withdrawn: boolean;
  /** Reserved and committed under it, in minor units of `from`. */
  usedMinor: bigint;
};

/** A payee's committed transfers that its provider has not yet signed as credited. */
export type Uncredited = {
  readonly n: number;
  readonly seq: number;
  readonly payer: string;
  readonly id: string;
};

/** What an entry makes its receiver owe a person: a committed transfer, or a return. */
export const creditOwed = (
  entry: Pick<VerifiedEntry, "context" | "terms" | "returns">,
): { readonly payee: string; readonly owed: Uncredited } | undefined => {
  const { context, terms, returns } = entry;
  const { seq, chains, outcome } = context;
  const at = (payee: string, payer: string, id: string) => {
    const n = chains.find(({ participant }) => participant === payee)?.n ?? 0;
    return { payee, owed: { n, seq, payer, id } };
  };
  if (returns?.kind === "return") {
    const { payer, payee } = returns.original.terms;
    return at(payer.participant, payee.participant, returns.body.id);
  }
  if (outcome !== "committed" || terms === undefined) return undefined;
  return at(terms.payee.participant, terms.payer.participant, terms.id);
};

/** Places in the lane of a participant's entries `first`, `first + 1`, … of its own chain. */
export type ChainSeqs = { first: number; seqs: number[] };

export type LaneState = {
  readonly origin: string;
  readonly lane: number;
  /** Next entry's place. */
  size: number;
  logTimeMs: number;
  readonly balances: Balances;
  readonly open: Map<string, OpenTransfer>;
  /** By `provider from/to`, newest first; at most two are kept that can still be cited. */
  readonly sheets: Map<string, SheetState[]>;
  /** Next number of each participant's chain. */
  readonly chains: Map<string, number>;
  /** Next number of each participant's inbox. */
  readonly inboxes: Map<string, number>;
  /** Pending transfers of each payer. */
  readonly pendingByPayer: Map<string, number>;
  readonly uncredited: Map<string, Uncredited[]>;
  /** From each payee's first uncredited entry on, else its last: what it may sign as its head. */
  readonly chainSeqs: Map<string, ChainSeqs>;
  /** Windows, unbacked advances, what was taken from banks' statements. */
  readonly settlement: SettlementState;
  /** First chain number that is not covered by a credited statement, per payee. */
  readonly creditedTo: Map<string, number>;
};

export const emptyLaneState = (origin: string, lane: number): LaneState => ({
  origin,
  lane,
  size: 0,
  logTimeMs: 0,
  balances: new Map(),
  open: new Map(),
  sheets: new Map(),
  chains: new Map(),
  inboxes: new Map(),
  pendingByPayer: new Map(),
  uncredited: new Map(),
  creditedTo: new Map(),
  chainSeqs: new Map(),
  settlement: emptySettlement(),
});

export const sheetKey = (provider: string, pair: { from: string; to: string }): string =>
  `${provider} ${pair.from}/${pair.to}`;

/** What is remembered of an id that is no longer open: loaded with the batch that needs it. */
export type KnownTransfer = {
  readonly id: string;
  /** Undefined for a cancellation that came before its intent: it answers any request. */
  readonly request: string | undefined;
  readonly payer: string;
  /** The lane that decided it, where it may have been another; undefined: this one. */
  readonly lane?: number | undefined;
  /** The entry that ended it; undefined for a refusal. */
  readonly seq: number | undefined;
};

/** Remembers where a participant's entry n stands, for as long as a statement may name it. */
export const noteChainSeq = (
  state: LaneState,
  participant: string,
  n: number,
  seq: number,
): void => {
  const known = state.chainSeqs.get(participant);
  const waits = (state.uncredited.get(participant)?.length ?? 0) > 0;
  if (known !== undefined && waits) known.seqs.push(seq);
  else state.chainSeqs.set(participant, { first: n, seqs: [seq] });
};

/** Where entry n of a participant's own chain stands in the lane, if a statement may name it. */
export const seqOfChain = (
  state: LaneState,
  participant: string,
  n: number,
): number | undefined => {
  const known = state.chainSeqs.get(participant);
  return known?.seqs[n - known.first];
};
