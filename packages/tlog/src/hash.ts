/**
 * The hashes of RFC 6962 section 2.1 over SHA-256: a leaf is H(0x00 ‖ data), a node is
 * H(0x01 ‖ left ‖ right), and the two prefixes keep one from passing for the other.
 * Strings are hashed as UTF-8; a lone surrogate is refused, as two strings would share a hash.
 */
import { sha256 as sha256Bytes } from "#sha256";
import { TlogError } from "./errors.ts";

/** Length of every hash in this package, in bytes. */
export const HASH_SIZE = 32;

const LEAF_SCRATCH_SIZE = 1 + 0xffff;
// Hashing is synchronous, so one scratch area serves all calls and saves an allocation in each.
// The leaf's area begins with 0x00 because it is zeroed; only bytes after it are ever written.
const leafScratch = new Uint8Array(LEAF_SCRATCH_SIZE);
const nodeScratch = new Uint8Array(1 + 2 * HASH_SIZE);
nodeScratch[0] = 1;

const requireWellFormed = (text: string): void => {
  if (!text.isWellFormed()) throw new TlogError("text-malformed", "text has a lone surrogate");
};

/** SHA-256 of bytes or of a string's UTF-8 bytes: 32 bytes. */
export const sha256 = (data: Uint8Array | string): Uint8Array => {
  if (typeof data === "string") requireWellFormed(data);
  return sha256Bytes(data);
};

/** The hash of the tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1). */
export const EMPTY_ROOT: Uint8Array = sha256("");

/**
 * The hash of one leaf, H(0x00 ‖ data).
 * @example leafHash('') // 6e340b9c…, the leaf hash of an empty entry
 */
export const leafHash = (data: Uint8Array | string): Uint8Array => {
  if (typeof data === "string") {
    requireWellFormed(data);
    return sha256Bytes(`\0${data}`);
  }
  const scratch = data.length < LEAF_SCRATCH_SIZE ? leafScratch : new Uint8Array(1 + data.length);
  scratch.set(data, 1);
  return sha256Bytes(scratch.subarray(0, 1 + data.length));
};

/**
 * The hash of an inner node, H(0x01 ‖ left ‖ right). Both must be 32 bytes.
 * @throws RangeError on another length: lengths are checked where hashes are parsed.
 */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  if (left.length !== HASH_SIZE || right.length !== HASH_SIZE) {
    throw new RangeError("a tree node joins two hashes of 32 bytes");
  }
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + HASH_SIZE);
  return sha256Bytes(nodeScratch);
};
