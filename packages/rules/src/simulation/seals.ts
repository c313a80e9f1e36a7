// Four witnesses, of which three are a quorum. Each remembers what it cosigned last, asks for a proof
// that the log only grew, and keeps what contradicts it: the run fails on the first such evidence.
import {
  consistencyProof,
  EMPTY_ROOT,
  equalBytes,
  inclusionProof,
  rootOf,
  TlogError,
  toHex,
  verifyConsistency,
  type HashReader,
} from "@sealane/tlog";
import type { SealedTree, SealMessage } from "./messages.ts";
import { BrokenPromise, type Sim } from "./sim.ts";
import type { StoredEntry } from "./store.ts";

const witnessCount = 4;
const quorum = 3;

export type Sealer = {
  /** Offers a checkpoint to every witness that answers. @returns undefined without a quorum */
  readonly seal: (size: number, root: Uint8Array) => SealedTree | undefined;
  /** What each witness cosigned last. */
  readonly heads: () => readonly { readonly size: number; readonly root: Uint8Array }[];
  readonly newest: () => SealedTree | undefined;
  /** What to tell of the entries from `from` on: one message for each participant that has some. */
  readonly messages: (sealed: SealedTree, from: number) => SealMessage[];
};

/** Whole subtrees never change: each is hashed once. */
const treeReader = (entries: readonly StoredEntry[]): HashReader => {
  const known = new Map<string, Uint8Array>();
  return (level, index) => {
    const key = `${level}/${index}`;
    const span = 2 ** level;
    const part = entries.slice(index * span, (index + 1) * span);
    const hash = known.get(key) ?? rootOf(part.map((entry) => entry.hash));
    known.set(key, hash);
    return hash;
  };
};

export const makeSealer = (sim: Sim, entries: readonly StoredEntry[]): Sealer => {
  const heads = Array.from({ length: witnessCount }, () => ({ size: 0, root: EMPTY_ROOT }));
  const roots = new Map<number, string>();
  const awayUntilMs = heads.map(() => 0);
  const dice = sim.dice("witnesses");
  const read = treeReader(entries);
  let newest: SealedTree | undefined;

  const cosigns = (at: number, size: number, root: Uint8Array): boolean => {
    if (sim.hits("witness", 0.05)) awayUntilMs[at] = sim.now + dice.int(9_000);
    if (!sim.calm && sim.now < (awayUntilMs[at] ?? 0)) return false;
    const head = heads[at] ?? { size: 0, root: EMPTY_ROOT };
    if (size < head.size) return false;
    if (size === head.size && !equalBytes(root, head.root)) {
      throw new BrokenPromise(5, `two roots of ${size} entries were offered to a witness`);
    }
    try {
      const proof = consistencyProof(head.size, size, read);
      verifyConsistency(head.size, size, proof, head.root, root);
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      throw new BrokenPromise(4, `${size} entries do not go on from ${head.size}`);
    }
    heads[at] = { size, root };
    return true;
  };

  return {
    seal: (size, root) => {
      const before = roots.get(size) ?? toHex(root);
      if (before !== toHex(root)) throw new BrokenPromise(5, `two roots of ${size} entries`);
      roots.set(size, before);
      const answered = heads.filter((_, at) => cosigns(at, size, root)).length;
      if (answered < quorum) return undefined;
      const second = Math.floor(sim.now / 1_000);
      newest = { size, root, seconds: Array.from({ length: answered }, () => second) };
      sim.count("sealed");
      return newest;
    },
    heads: () => heads,
    newest: () => newest,
    messages: (sealed, from) => sealsOf(sealed, entries, from, read),
  };
};

const sealsOf = (
  sealed: SealedTree,
  entries: readonly StoredEntry[],
  from: number,
  read: HashReader,
): SealMessage[] => {
  const own = new Map<string, { fromN: number; toN: number; seqs: number[] }>();
  for (const [at, { chains }] of entries.slice(from, sealed.size).entries()) {
    for (const { participant, n } of chains) {
      const known = own.get(participant) ?? { fromN: n, toN: n, seqs: [] };
      known.toN = n;
      known.seqs.push(from + at);
      own.set(participant, known);
    }
  }
  return [...own].map(([to, { fromN, toN, seqs }]) => {
    const proofs = seqs.map((seq) => ({ seq, hashes: inclusionProof(seq, sealed.size, read) }));
    return { type: "seal", to, fromN, toN, sealed, proofs };
  });
};
