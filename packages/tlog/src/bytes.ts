/**
 * Bytes and the text that stands for them. Decoders are strict: one value has one spelling, so
 * that a changed character is always a refusal and never another way to write the same thing.
 * Results are plain `Uint8Array`s that own their memory (a Buffer's `slice` is a view, and its
 * pool would travel along to a worker). Buffer is used where it exists; nothing needs it.
 */
import { decodeBase64Portable, encodeBase64Portable } from "./base64-portable.ts";
import { TlogError } from "./errors.ts";

const NodeBuffer = (globalThis as { Buffer?: typeof Buffer }).Buffer;
const encoder = new TextEncoder();
// Encoding into kept memory and copying what was written takes half the time of `encode`.
const scratch = new Uint8Array(0x10000);
const MAX_UTF8_PER_UNIT = 3;
// ignoreBOM keeps a leading U+FEFF: bytes must come back exactly as they went in.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * UTF-8 bytes of a string.
 * @throws TlogError `text-malformed` on a lone surrogate, which UTF-8 cannot say: an encoder
 * would replace it, and two different strings would become the same bytes.
 */
export const utf8 = (text: string): Uint8Array => {
  if (!text.isWellFormed()) throw new TlogError("text-malformed", "text has a lone surrogate");
  if (text.length * MAX_UTF8_PER_UNIT > scratch.length) return encoder.encode(text);
  return scratch.slice(0, encoder.encodeInto(text, scratch).written);
};

/**
 * The string that these UTF-8 bytes spell, byte order mark included.
 * @throws TlogError `text-malformed` when they are not valid UTF-8.
 */
export const fromUtf8 = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TlogError("text-malformed", "bytes are not valid UTF-8", cause);
  }
};

/** Standard base64 with padding (RFC 4648 section 4). */
export const toBase64 = (bytes: Uint8Array): string =>
  NodeBuffer === undefined
    ? encodeBase64Portable(bytes)
    : NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

/**
 * Bytes of a standard, padded, canonical base64 string: other alphabets, whitespace, missing
 * padding and non-zero spare bits are refused.
 * @throws TlogError `base64-malformed`
 * @example fromBase64('AAE=') // Uint8Array [0, 1]
 */
export const fromBase64 = (text: string): Uint8Array => {
  const bytes =
    NodeBuffer === undefined
      ? decodeBase64Portable(text)
      : new Uint8Array(NodeBuffer.from(text, "base64"));
  if (bytes === undefined || toBase64(bytes) !== text) {
    throw new TlogError("base64-malformed", "not canonical standard base64");
  }
  return bytes;
};

/** Lower-case hex, two digits per byte. */
export const toHex = (bytes: Uint8Array): string => {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
};

/**
 * Bytes of a lower-case hex string.
 * @throws TlogError `hex-malformed`
 */
export const fromHex = (text: string): Uint8Array => {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new TlogError("hex-malformed", "not lower-case hex of whole bytes");
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
};

/** All parts, one after the other, in new memory. */
export const concatBytes = (...parts: readonly Uint8Array[]): Uint8Array => {
  let total = 0;
  for (const part of parts) total += part.length;
  const joined = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
};

/** Whether two byte strings are the same. For public data: its time depends on them. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
};
