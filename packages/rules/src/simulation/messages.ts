// What the simulated ledger publishes: the inboxes' numbered batches as they are, and seals and entries
// without the frames around them.
import type { InboxBatch } from "@sealane/protocol";

/** A checkpoint that a quorum of the simulated witnesses has cosigned. */
export type SealedTree = {
  readonly size: number;
  readonly root: Uint8Array;
  /** True times of the cosignatures, in whole seconds. */
  readonly seconds: readonly number[];
};

export type SealMessage = {
  readonly type: "seal";
  readonly to: string;
  /** Chain numbers, both inclusive. */
  readonly fromN: number;
  readonly toN: number;
  readonly sealed: SealedTree;
  readonly proofs: readonly { readonly seq: number; readonly hashes: readonly Uint8Array[] }[];
};

export type InboxMessage = InboxBatch | SealMessage;

export type EntriesMessage = {
  readonly from: number;
  readonly notes: readonly string[];
  readonly sealed?: SealedTree;
};
