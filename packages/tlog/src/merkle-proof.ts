/**
 * Making inclusion and consistency proofs (RFC 6962 sections 2.1.1 and 2.1.2). The maker reads
 * hashes of complete subtrees through a `HashReader` (tiles, a table, memory) and hashes only
 * along the right edge, so a proof costs O(log size) reads. Checking them is verify-proof.ts.
 */
import { TlogError } from "./errors.ts";
import { EMPTY_ROOT, nodeHash } from "./hash.ts";

/**
 * The hash of the complete subtree at an RFC 6962 level and index: leaves
 * `index * 2^level` up to but not including `(index + 1) * 2^level`. Level 0 is leaf hashes.
 * Must throw when it does not have it.
 */
export type HashReader = (level: number, index: number) => Uint8Array;

const assertSize = (size: number): void => {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new TlogError("proof-malformed", "a tree size is a whole number from 0 to 2^53 - 1");
  }
};

/** The largest power of two below n, for n of 2 or more. */
const splitPoint = (n: number): number => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};

/** Hash of the leaves [start, end); start is aligned to the perfect subtrees it is made of. */
const rangeHash = (start: number, end: number, read: HashReader): Uint8Array => {
  const n = end - start;
  const k = n === 1 ? 1 : splitPoint(n);
  if (k * 2 === n || n === 1) return read(Math.log2(n), start / n);
  return nodeHash(rangeHash(start, start + k, read), rangeHash(start + k, end, read));
};

/**
 * The root of the first `size` leaves, from a tree that has as many or more.
 * @throws TlogError `proof-malformed` when the size is none
 */
export const rootAt = (size: number, read: HashReader): Uint8Array => {
  assertSize(size);
  return size === 0 ? EMPTY_ROOT.slice() : rangeHash(0, size, read);
};

/**
 * The audit path of leaf `index` in the tree of `size` leaves, from the leaf's sibling up.
 * @throws TlogError `proof-malformed` when the index is not in the tree
 */
export const inclusionProof = (index: number, size: number, read: HashReader): Uint8Array[] => {
  assertSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new TlogError("proof-malformed", `a tree of ${size} has no leaf ${index}`);
  }
  const proof: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      proof.push(rangeHash(middle, end, read));
      end = middle;
    } else {
      proof.push(rangeHash(start, middle, read));
      start = middle;
    }
  }
  return proof.reverse();
};

/**
 * The proof that the tree of `newSize` leaves begins with that of `oldSize`. Empty when the old
 * size is zero or the same.
 * @throws TlogError `proof-malformed` when the old size is larger than the new
 */
export const consistencyProof = (
  oldSize: number,
  newSize: number,
  read: HashReader,
): Uint8Array[] => {
  assertSize(oldSize);
  assertSize(newSize);
  if (oldSize > newSize) throw new TlogError("proof-malformed", "a log does not shrink");
  if (oldSize === 0 || oldSize === newSize) return [];
  const proof: Uint8Array[] = [];
  let start = 0;
  let end = newSize;
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      proof.push(rangeHash(middle, end, read));
      end = middle;
    } else {
      proof.push(rangeHash(start, middle, read));
      start = middle;
    }
  }
  // RFC 6962: a subtree that is the whole old tree is known to the verifier, and left out.
  if (start !== 0) proof.push(rangeHash(start, end, read));
  return proof.reverse();
};
