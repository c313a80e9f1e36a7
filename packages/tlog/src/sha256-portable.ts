/**
 * SHA-256 by noble, for browsers. Chosen by the condition "default" of the package's imports.
 * The same function as sha256-node.ts; a test compares the two.
 */
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

const encoder = new TextEncoder();

/** SHA-256 of bytes, or of a string's UTF-8 bytes (which must be well formed). */
export const sha256 = (data: Uint8Array | string): Uint8Array =>
  nobleSha256(typeof data === "string" ? encoder.encode(data) : data);
