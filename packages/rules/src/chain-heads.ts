// The leaf hashes of one participant's chain, from some number on: what a `credited` statement may
// name. 32 bytes an entry in one growing block, so that a million entries are 32 MB and no objects.
import { fromBase64, toBase64 } from "@sealane/tlog";

const hashBytes = 32;

/** Numbers `from` (inclusive) to `to` (exclusive) are held. */
export type ChainHeads = { from: number; to: number; bytes: Uint8Array };

export const emptyHeads = (from = 0): ChainHeads => ({
  from,
  to: from,
  bytes: new Uint8Array(0),
});

/** Adds the leaf hash of the next number. */
export const pushHead = (heads: ChainHeads, hash: Uint8Array): void => {
  const at = (heads.to - heads.from) * hashBytes;
  if (at === heads.bytes.length) {
    const grown = new Uint8Array(Math.max(64 * hashBytes, heads.bytes.length * 2));
    grown.set(heads.bytes);
    heads.bytes = grown;
  }
  heads.bytes.set(hash, at);
  heads.to += 1;
};

/** Base64 of the leaf hash of number `n`, or undefined when it is not held. */
export const headAt = (heads: ChainHeads, n: number): string | undefined => {
  if (n < heads.from || n >= heads.to) return undefined;
  const at = (n - heads.from) * hashBytes;
  return toBase64(heads.bytes.subarray(at, at + hashBytes));
};

/** Forgets numbers below `n`. */
export const dropHeads = (heads: ChainHeads, n: number): void => {
  if (n <= heads.from) return;
  const from = Math.min(n, heads.to);
  const used = heads.bytes.slice(
    (from - heads.from) * hashBytes,
    (heads.to - heads.from) * hashBytes,
  );
  heads.bytes = used;
  heads.from = from;
};

/** From stored hashes, base64, the first of which is number `from`. */
export const headsFrom = (from: number, hashes: readonly string[]): ChainHeads => {
  const heads = emptyHeads(from);
  for (const hash of hashes) pushHead(heads, fromBase64(hash));
  return heads;
};
