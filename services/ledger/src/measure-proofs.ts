// What the tree costs, measured by itself for `npm run bench -- proofs`: leaves appended as batches append
// them, full tiles written, then inclusion proofs of leaves that are picked at random from tiles on disk. Run
// with a channel to its parent, which gets the figures: `[directory, leaves, proofs]`.
import { performance } from "node:perf_hooks";
import { appendLeaves, emptyRange, leafHash, rangeRoot, verifyInclusion } from "@sealane/tlog";
import { openTree } from "./tree.ts";

export type TreeFigures = {
  readonly leaves: number;
  /** CPU of hashing an entry, building tiles and writing full ones, µs a leaf. */
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

const measure = (directory: string, leaves: number, proofs: number): TreeFigures => {
  const growing = openTree(directory);
  let range = emptyRange();
  const entry = Buffer.alloc(entryBytes, "sealane ");
  const began = cpuMicros();
  for (let from = 0; from < leaves; from += batch) {
    const hashes = Array.from({ length: Math.min(batch, leaves - from) }, (_, at) => {
      entry.writeUInt32BE(from + at);
      return leafHash(entry);
    });
    range = appendLeaves(range, hashes); // what the checkpoint is made of
    growing.append(hashes);
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
  process.send(measure(directory, Number(leaves), Number(proofs)), () => process.disconnect());
}
