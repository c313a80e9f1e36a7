/**
 * Base 64 (RFC 4648 section 4) for places without Buffer, on `atob` and `btoa` alone.
 * Decoding here is lenient about what `atob` is lenient about: `fromBase64` in bytes.ts checks
 * that the result encodes to the very same string, which makes the pair strict.
 */

const CHUNK = 0x2000;

/** Bytes to standard base64 with padding. */
export const encodeBase64Portable = (bytes: Uint8Array): string => {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary);
};

/** Base64 to bytes, or undefined where `atob` refuses. */
export const decodeBase64Portable = (text: string): Uint8Array | undefined => {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
};
