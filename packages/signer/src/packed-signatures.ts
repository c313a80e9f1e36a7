// Signatures on their way to the thread that judges them: all in one piece of memory that is handed
// over, since one object per signature would cost as much as judging it.
// For each: length of the message (4 bytes, little-endian), public key (32), signature (64), message.
import { verifyEd25519 } from "@sealane/tlog";

export type SignatureJob = {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

const LENGTH_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const HEAD_BYTES = LENGTH_BYTES + PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

/** @param jobs whose keys have 32 and whose signatures have 64 bytes */
export function packSignatures(jobs: readonly SignatureJob[]): Uint8Array<ArrayBuffer> {
  const size = jobs.reduce((sum, { message }) => sum + HEAD_BYTES + message.length, 0);
  const packed = new Uint8Array(size);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const { publicKey, signature, message } of jobs) {
    view.setUint32(at, message.length, true);
    packed.set(publicKey, at + LENGTH_BYTES);
    packed.set(signature, at + LENGTH_BYTES + PUBLIC_KEY_BYTES);
    packed.set(message, at + HEAD_BYTES);
    at += HEAD_BYTES + message.length;
  }
  return packed;
}

/** One byte for each signature, in order: 1 when it is the key's over the message. */
export function judgePacked(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const verdicts: number[] = [];
  for (let at = 0; at < packed.length;) {
    const length = view.getUint32(at, true);
    const end = at + HEAD_BYTES + length;
    const key = packed.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + PUBLIC_KEY_BYTES);
    const signature = packed.subarray(at + LENGTH_BYTES + PUBLIC_KEY_BYTES, at + HEAD_BYTES);
    const good = verifyEd25519(key, packed.subarray(at + HEAD_BYTES, end), signature);
    verdicts.push(good ? 1 : 0);
    at = end;
  }
  return Uint8Array.from(verdicts);
}
