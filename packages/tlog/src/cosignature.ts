/**
 * Timestamped Ed25519 cosignatures, cosignature/v1 (c2sp.org/tlog-cosignature): 8 bytes of
 * big-endian POSIX seconds, then 64 bytes of signature over a header, the time and the whole
 * text of the checkpoint. Times are numbers of seconds and stay below 2^53.
 */
import { utf8 } from "./bytes.ts";
import { TlogError } from "./errors.ts";

/** Bytes of a cosignature behind the key id: u64 time and Ed25519 signature. */
export const COSIGNATURE_SIZE = 72;

const malformed = (message: string): TlogError => new TlogError("cosignature-malformed", message);

const assertTime = (timeSeconds: number): void => {
  if (!Number.isSafeInteger(timeSeconds) || timeSeconds < 0) {
    throw malformed("the time of a cosignature is a whole number of seconds since 1970");
  }
};

/**
 * POSIX seconds in a cosignature's bytes (the 72 that follow the key id). Trust it only after
 * the signature was verified.
 * @throws TlogError `cosignature-malformed` on another length or a time of 2^53 or more
 */
export const cosignatureTime = (signature: Uint8Array): number => {
  if (signature.length !== COSIGNATURE_SIZE) throw malformed("a cosignature has 72 bytes");
  const view = new DataView(signature.buffer, signature.byteOffset, signature.byteLength);
  const time = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  assertTime(time);
  return time;
};

/**
 * The bytes that a cosignature signs: `cosignature/v1\ntime <seconds>\n` and the checkpoint's
 * whole text.
 * @throws TlogError `cosignature-malformed` when the time is not a whole number of seconds
 */
export const cosignatureMessage = (timeSeconds: number, checkpointText: string): Uint8Array => {
  assertTime(timeSeconds);
  return utf8(`cosignature/v1\ntime ${timeSeconds}\n${checkpointText}`);
};

/** The 72 bytes of a cosignature, from its time and its 64-byte signature. */
export const encodeCosignature = (timeSeconds: number, signature: Uint8Array): Uint8Array => {
  assertTime(timeSeconds);
  if (signature.length !== 64) throw malformed("an Ed25519 signature has 64 bytes");
  const bytes = new Uint8Array(COSIGNATURE_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(timeSeconds / 2 ** 32));
  view.setUint32(4, timeSeconds % 2 ** 32);
  bytes.set(signature, 8);
  return bytes;
};
