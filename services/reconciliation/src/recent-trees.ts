// The tree after each of the last entries: a seal comes a moment after its entries, and its root is
// then one look-up away. Ranges share their hashes, so that thousands of them cost little.
import { rangeRoot, type CompactRange } from "@sealane/tlog";

export type TreeAt = {
  readonly range: CompactRange;
  /** Log time of the last entry in it, ms. */
  readonly timeMs: number;
};

export type RecentTrees = {
  add(range: CompactRange, timeMs: number): void;
  at(size: number): TreeAt | undefined;
};

/** @param kept how many sizes are remembered; 8,192 cost about 2 MB */
export const recentTrees = (kept = 8_192): RecentTrees => {
  const trees = new Map<number, TreeAt>();
  return {
    add: (range, timeMs) => {
      trees.set(range.size, { range, timeMs });
      const oldest = trees.keys().next();
      if (trees.size > kept && oldest.done !== true) trees.delete(oldest.value);
    },
    at: (size) => trees.get(size),
  };
};

export const rootOfTree = ({ range }: TreeAt): Uint8Array => rangeRoot(range);
