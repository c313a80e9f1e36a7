/**
 * The block that tlog-proof and add-checkpoint share: lines of base64 SHA-256 hashes, ended by
 * the first empty line, behind which a checkpoint follows as it is.
 */
import { fromBase64 } from "./bytes.ts";
import { HASH_SIZE } from "./hash.ts";

/** Most hashes in a proof: one per level of a tree of less than 2^63 leaves. */
export const MAX_PROOF_HASHES = 63;

/** Lines before the first empty line, and all that follows it; undefined when there is none. */
export const splitHead = (
  body: string,
): { readonly lines: readonly string[]; readonly rest: string } | undefined => {
  const end = body.indexOf("\n\n");
  if (end < 0) return undefined;
  return { lines: body.slice(0, end).split("\n"), rest: body.slice(end + 2) };
};

/** The hash on a line, or undefined when it is not canonical base64 of 32 bytes. */
export const parseHashLine = (line: string): Uint8Array | undefined => {
  // 44 characters are the only length of 32 bytes, and keep garbage away from the decoder.
  if (line.length !== 44) return undefined;
  try {
    const hash = fromBase64(line);
    return hash.length === HASH_SIZE ? hash : undefined;
  } catch {
    return undefined;
  }
};
