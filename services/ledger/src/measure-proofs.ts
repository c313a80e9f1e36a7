// What the tree costs, measured by itself for `npm run bench -- proofs`: leaves appended as batches append
// them, full tiles written, then inclusion proofs of leaves that are picked at random from tiles on disk. Run
// with a channel to its parent, which gets the figures: `[directory, leaves, proofs]`.
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import {
  appendLeaves,
  emptyRange,
  leafHash,
  rangeRoot,
  TILE_WIDTH,
  verifyInclusion,
} from "@sealane/tlog";
import { compressBundle } from "./bundle-files.ts";
import { openTree } from "./tree.ts";

export type TreeFigures = {
  readonly leaves: number;
  /** CPU of hashing an entry, building tiles, writing full ones and compressing bundles, µs a leaf. */
  readonly buildMicros: number;
  /** Of each proof, ms, ascending. */
  readonly proofMs: readonly number[];
};

const batch = 64;
const entryBytes = 2_000;

const cpuMicros = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Entries that compress like real ones, by a fifth: a third of each is hashes and signatures. */
const sampleEntries = (): Buffer[] =>
  Array.from({ length: TILE_WIDTH }, () => {
    const entry = Buffer.alloc(entryBytes, '{"currency":"HKD","amount":"1000.00"}');
    entry.write(randomBytes(450).toString("base64"), entryBytes / 2);
    return entry;
  });

const measure = async (directory: string, leaves: number, proofs: number): Promise<TreeFigures> => {
  const growing = openTree(directory);
  let range = emptyRange();
  const entries = sampleEntries();
  const entry = entries[0] as Buffer;
  const began = cpuMicros();
  for (let from = 0; from < leaves; from += batch) {
    const hashes = Array.from({ length: Math.min(batch, leaves - from) }, (_, at) => {
      entry.writeUInt32BE(from + at);
      return leafHash(entry);
    });
    range = appendLeaves(range, hashes); // what the checkpoint is made of
    growing.append(hashes);
    if (growing.size() % TILE_WIDTH === 0) await compressBundle(entries);
  }
  const buildMicros = (cpuMicros() - began) / leaves;
  const root = rangeRoot(range);
  const proofMs = Array.from({ length: proofs }, () => {
    const index = Math.floor(Math.random() * leaves);
    const startMs = performance.now();
    const path = growing.inclusion(index, leaves);
    const tookMs = performance.now() - startMs;
    entry.writeUInt32BE(index);
    verifyInclusion(leafHash(entry), index, leaves, path, root);
    return tookMs;
  });
  return { leaves, buildMicros, proofMs: proofMs.toSorted((a, b) => a - b) };
};

const [directory = "", leaves = "", proofs = ""] = process.argv.slice(2);
if (process.send !== undefined) {
  const figures = await measure(directory, Number(leaves), Number(proofs));
  process.send(figures, () => process.disconnect());
}
