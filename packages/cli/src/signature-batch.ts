// Signatures of many entries in a form that travels to a thread, and how the thread judges them.
import { verifierFor, type Verifier, type VerifierKey } from "@sealane/tlog";

export type SignatureJob = {
  readonly key: VerifierKey;
  readonly text: string;
  readonly signature: Uint8Array;
};

/** One batch. `signatures` has them one after the other, 64 bytes each. */
export type SignatureBatch = {
  readonly id: number;
  readonly keys: readonly VerifierKey[];
  /** Which of `keys`, per signature. */
  readonly keyOf: Uint32Array<ArrayBuffer>;
  readonly texts: readonly string[];
  readonly signatures: Uint8Array<ArrayBuffer>;
};

/** Places in the batch of the signatures that do not verify, ascending. */
export type SignatureAnswer = { readonly id: number; readonly bad: readonly number[] };

export const signatureBytes = 64;

/** @param jobs whose signatures all have 64 bytes */
export const packBatch = (id: number, jobs: readonly SignatureJob[]): SignatureBatch => {
  const places = new Map<VerifierKey, number>();
  const keyOf = new Uint32Array(jobs.length);
  const signatures = new Uint8Array(jobs.length * signatureBytes);
  for (const [at, { key, signature }] of jobs.entries()) {
    const place = places.get(key) ?? places.size;
    places.set(key, place);
    keyOf[at] = place;
    signatures.set(signature, at * signatureBytes);
  }
  return { id, keys: [...places.keys()], keyOf, signatures, texts: jobs.map(({ text }) => text) };
};

export const judgeBatch = (batch: SignatureBatch): SignatureAnswer => {
  const verifiers = batch.keys.map(verifierFor);
  const bad: number[] = [];
  for (const [at, text] of batch.texts.entries()) {
    const verifier = verifiers[batch.keyOf[at] as number] as Verifier;
    const signature = batch.signatures.subarray(at * signatureBytes, (at + 1) * signatureBytes);
    if (!verifier.verify(text, signature)) bad.push(at);
  }
  return { id: batch.id, bad };
};
