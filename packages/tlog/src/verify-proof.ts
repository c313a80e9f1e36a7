/**
 * Checking inclusion and consistency proofs, by the algorithms of RFC 9162 sections 2.1.3.2 and
 * 2.1.4.2 (the proofs are those of RFC 6962). A proof must have exactly the hashes that its
 * place in the tree calls for: one too many or too few is refused, so no proof has two forms.
 */
import { equalBytes } from "./bytes.ts";
import { TlogError } from "./errors.ts";
import { EMPTY_ROOT, HASH_SIZE, nodeHash } from "./hash.ts";

const assertShape = (sizes: readonly number[], hashes: readonly Uint8Array[]): void => {
  for (const size of sizes) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new TlogError("proof-malformed", "not a whole number from 0 to 2^53 - 1");
    }
  }
  for (const hash of hashes) {
    if (hash.length !== HASH_SIZE) throw new TlogError("proof-malformed", "a hash has 32 bytes");
  }
};

const half = (n: number): number => Math.floor(n / 2);

/**
 * Checks that `leaf` (a leaf hash) is at `index` in the tree of `size` leaves with `root`.
 * @throws TlogError `proof-malformed` (numbers, lengths), `inclusion-mismatch` (all else)
 */
export const verifyInclusion = (
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void => {
  assertShape([index, size], [leaf, root, ...proof]);
  const mismatch = (why: string): TlogError => new TlogError("inclusion-mismatch", why);
  if (index >= size) throw mismatch(`a tree of ${size} has no leaf ${index}`);
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const step of proof) {
    if (sn === 0) throw mismatch("the inclusion proof is too long");
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(step, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      hash = nodeHash(hash, step);
    }
    fn = half(fn);
    sn = half(sn);
  }
  if (sn !== 0) throw mismatch("the inclusion proof is too short");
  if (!equalBytes(hash, root)) throw mismatch("the inclusion proof leads to another root");
};

const mismatch = (why: string): TlogError => new TlogError("consistency-mismatch", why);

/** The cases without hashes; true when they settled the matter. */
const verifyTrivialConsistency = (
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
): boolean => {
  if (oldSize > newSize) throw mismatch("the log shrank");
  if (oldSize === 0 && !equalBytes(oldRoot, EMPTY_ROOT)) {
    throw mismatch("the old root is not that of an empty tree");
  }
  if (oldSize !== 0 && oldSize !== newSize) return false;
  if (proof.length !== 0) throw mismatch("the consistency proof is too long");
  if (oldSize === newSize && !equalBytes(oldRoot, newRoot)) {
    throw mismatch("two roots for one size");
  }
  return true;
};

/**
 * Checks that the tree (`newSize`, `newRoot`) begins with the tree (`oldSize`, `oldRoot`).
 * From size zero the proof is empty, and the old root must be that of the empty tree.
 * @throws TlogError `proof-malformed` (numbers, lengths), `consistency-mismatch` (all else)
 */
export const verifyConsistency = (
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
): void => {
  assertShape([oldSize, newSize], [oldRoot, newRoot, ...proof]);
  if (verifyTrivialConsistency(oldSize, newSize, proof, oldRoot, newRoot)) return;
  const [fr, sr] = climb(oldSize, newSize, proof, oldRoot) ?? [];
  if (fr === undefined || sr === undefined) throw mismatch("the consistency proof is too short");
  if (!equalBytes(fr, oldRoot)) throw mismatch("the consistency proof leads to another old root");
  if (!equalBytes(sr, newRoot)) throw mismatch("the consistency proof leads to another new root");
};

/**
 * The root at `oldSize` of the tree that has `newRoot` at `newSize`, by a consistency proof: what a log that
 * signed `newRoot` has bound itself to, whatever else it signed.
 * @param said by anybody: the old root where the proof does not hold it, with which it has to lead to the new one
 * @returns undefined where the proof does not hold it, being from a power of two, and nobody said it
 * @throws TlogError `proof-malformed`, `consistency-mismatch` when it is no proof of `newRoot`
 */
export const oldRootWithin = (
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  newRoot: Uint8Array,
  said?: Uint8Array,
): Uint8Array | undefined => {
  assertShape([oldSize, newSize], [newRoot, ...proof, ...(said === undefined ? [] : [said])]);
  if (oldSize === 0 || oldSize >= newSize) throw mismatch("not a proof of growth");
  const found = climb(oldSize, newSize, proof, said);
  if (found === undefined) return undefined;
  const [old, all] = found;
  if (!equalBytes(all, newRoot)) throw mismatch("the consistency proof leads to another new root");
  return old;
};

/**
 * The two roots that a consistency proof leads to.
 * @param known the old root: a proof from a power of two begins with it and leaves it out
 */
const climb = (
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  known: Uint8Array | undefined,
): readonly [old: Uint8Array, all: Uint8Array] | undefined => {
  let fn = oldSize - 1;
  let sn = newSize - 1;
  while (fn % 2 === 1) {
    fn = half(fn);
    sn = half(sn);
  }
  // After that loop fn is zero exactly when the old size is a power of two: then the old root is
  // itself the first node of the path, and is not in the proof.
  const path = fn === 0 ? known && [known, ...proof] : proof;
  if (path === undefined) return undefined;
  const [first, ...rest] = path;
  if (first === undefined) throw mismatch("the consistency proof is too short");
  let fr = first;
  let sr = first;
  for (const step of rest) {
    if (sn === 0) throw mismatch("the consistency proof is too long");
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(step, fr);
      sr = nodeHash(step, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      sr = nodeHash(sr, step);
    }
    fn = half(fn);
    sn = half(sn);
  }
  if (sn !== 0) throw mismatch("the consistency proof is too short");
  return [fr, sr];
};
