// Takes a cosigned checkpoint: its root must be the root of our own fold at that size, and its
// seal (the middle one of its cosignatures' times) no older than the last entry that it covers. A quorum that signed another root is
// evidence: the books end.
import { isTimely } from "@sealane/rules";
import { equalBytes, rangeRoot, type TlogPolicy } from "@sealane/tlog";
import { BooksFault, type Books } from "./books.ts";
import type { BooksStore } from "./books-store.ts";
import { cosignedAtMs, judgeCheckpoint, type JudgedCheckpoint } from "./judge-checkpoint.ts";
import type { TreeAt } from "./recent-trees.ts";

export type Judged = Extract<JudgedCheckpoint, { readonly ok: true }>;

export type SealTakerDeps = {
  readonly policy: TlogPolicy;
  readonly origin: string;
  readonly store: Pick<BooksStore, "treeAt">;
};

export const makeSealTaker = ({ policy, origin, store }: SealTakerDeps) => {
  const treeOf = async ({ trees, seal }: Books, size: number): Promise<TreeAt> => {
    const tree = trees.at(size) ?? (await store.treeAt(seal.range, size));
    if (tree !== undefined) return tree;
    const detail = `the entries of a tree of ${size} are not all stored`;
    throw new BooksFault({ position: size, code: "entries-missing", detail });
  };

  /** @param judged of the note, and of no more entries than the fold has */
  const take = async (books: Books, note: string, judged: Judged): Promise<void> => {
    const { checkpoint, cosignedBy } = judged;
    const { size, root } = checkpoint;
    if (size === 0 || note === books.seal.note) return;
    // Smaller than the seal and forgotten: it was compared when it was new, or never came.
    if (size < books.seal.size && books.trees.at(size) === undefined) return;
    const tree = await treeOf(books, size);
    if (!equalBytes(rangeRoot(tree.range), root)) {
      const detail = `a quorum cosigned another root of ${size} entries: ${JSON.stringify(note)}`;
      throw new BooksFault({ position: size, code: "root-mismatch", detail });
    }
    if (!isTimely(judged, tree.timeMs)) {
      const detail = `entry ${size - 1} is over 2 s later than its cosignatures`;
      throw new BooksFault({ position: size - 1, code: "time-ahead", detail });
    }
    if (size < books.seal.size) return; // an older one, told again
    books.seal = { size, range: tree.range, note, atMs: cosignedAtMs(cosignedBy) };
    books.dirty = true;
  };

  return { judge: (note: string) => judgeCheckpoint(policy, origin, note), take };
};
