/**
 * The Merkle tree of RFC 6962 as a compact range: the roots of the perfect subtrees that a tree
 * of some size is made of, one per bit of the size, left (largest) to right. Appending needs no
 * more than that, so the writer's cost does not grow with the log. Sizes and indexes are whole
 * numbers below 2^53, so there is no bit arithmetic (JS has it for 32 bits only).
 */
import { TlogError } from "./errors.ts";
import { EMPTY_ROOT, HASH_SIZE, nodeHash } from "./hash.ts";

/** Left to right, largest first; as many hashes as `size` has one bits. Never changed in place. */
export type CompactRange = { readonly size: number; readonly hashes: readonly Uint8Array[] };

const EMPTY_RANGE: CompactRange = Object.freeze({ size: 0, hashes: Object.freeze([]) });

const onesIn = (size: number): number => {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
};

/** The tree without leaves. */
export const emptyRange = (): CompactRange => EMPTY_RANGE;

/**
 * A range from stored parts, checked: the right number of 32-byte hashes for its size.
 * @throws TlogError `range-malformed`
 */
export const compactRange = (size: number, hashes: readonly Uint8Array[]): CompactRange => {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new TlogError("range-malformed", "a tree size is a whole number from 0 to 2^53 - 1");
  }
  if (hashes.length !== onesIn(size) || hashes.some((hash) => hash.length !== HASH_SIZE)) {
    throw new TlogError("range-malformed", `a tree of ${size} has ${onesIn(size)} subtrees`);
  }
  return { size, hashes: [...hashes] };
};

/** Adds one leaf hash to a stack of subtrees: equal neighbours join, as in a binary counter. */
const push = (stack: Uint8Array[], size: number, leaf: Uint8Array): void => {
  if (leaf.length !== HASH_SIZE) throw new RangeError("a leaf hash has 32 bytes");
  let hash = leaf;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = stack.pop();
    if (left === undefined) throw new TlogError("range-malformed", "a compact range is too short");
    hash = nodeHash(left, hash);
  }
  stack.push(hash);
};

/** The range with one more leaf, given its leaf hash. */
export const appendLeaf = (range: CompactRange, leafHash: Uint8Array): CompactRange =>
  appendLeaves(range, [leafHash]);

/**
 * The range with more leaves, given their leaf hashes in order. One pass, and about one node
 * hash per leaf.
 * @throws RangeError when a leaf hash does not have 32 bytes
 */
export const appendLeaves = (
  range: CompactRange,
  leafHashes: readonly Uint8Array[],
): CompactRange => {
  const hashes = [...range.hashes];
  let { size } = range;
  for (const leaf of leafHashes) {
    push(hashes, size, leaf);
    size += 1;
  }
  return { size, hashes };
};

/** The root hash of the tree (RFC 6962 section 2.1); `EMPTY_ROOT` without leaves. */
export const rangeRoot = (range: CompactRange): Uint8Array => {
  let root = range.hashes.at(-1);
  if (root === undefined) return EMPTY_ROOT.slice();
  for (let at = range.hashes.length - 2; at >= 0; at -= 1) {
    root = nodeHash(range.hashes[at] as Uint8Array, root);
  }
  return root;
};

/** The root hash of a tree with these leaf hashes. */
export const rootOf = (leafHashes: readonly Uint8Array[]): Uint8Array =>
  rangeRoot(appendLeaves(EMPTY_RANGE, leafHashes));
