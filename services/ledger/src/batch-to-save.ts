// What a batch of a lane leaves to be stored, all of it or nothing.
import type { BatchOutcome, InboxRef, LaneState } from "@sealane/rules";
import type { LogHead } from "./lane-load.ts";

export type AssembledEntry = {
  readonly seq: number;
  readonly note: string;
  readonly leafHash: Uint8Array;
};

export type BatchToSave = {
  readonly loaded: { readonly epoch: bigint; readonly oldSize: number };
  readonly state: LaneState;
  readonly outcome: BatchOutcome;
  readonly entries: readonly AssembledEntry[];
  readonly refusalNotes: readonly string[];
  readonly head: LogHead;
  readonly checkpoint: string;
  readonly batch: number;
  readonly publishedBatch: number;
  readonly sealedSize: number;
  readonly sealed: string;
  readonly inputOffset: bigint;
  readonly inbox: readonly StoredMessage[];
};

export type StoredMessage = {
  readonly participant: string;
  readonly n: number;
  readonly batch: number;
  readonly timeMs: number;
  readonly refs: readonly InboxRef[];
};
