// Verifying behind the gate for keys. A key is admitted once with noble (canonical, not small order,
// torsion free: about 1 ms), and then libsodium judges each signature, in a thread when there are many. Both halves are needed: noble alone accepts signatures that only the cofactor forgives.
import { admitPublicKey, utf8 } from "@sealane/tlog";
import { judgeOffThread } from "./verify-thread.ts";

export type SignatureToCheck = { readonly publicKey: Uint8Array; readonly signature: Uint8Array };

/** A bounded memory of admitted keys. The verdict on a key is pure, so forgetting one is harmless. */
export interface KeyRing {
  /** Whether the key passes the gate; remembered. */
  readonly admits: (publicKey: Uint8Array) => boolean;
  /** False for a key that the gate refuses, for a malformed signature, and for a wrong one. */
  readonly verify: (
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ) => Promise<boolean>;
}

const SIGNATURE_BYTES = 64;
const PUBLIC_KEY_BYTES = 32;

/** Makes a ring that remembers at most `maxKeys` verdicts; the oldest is forgotten first. */
export function makeKeyRing(options: { readonly maxKeys?: number } = {}): KeyRing {
  const { maxKeys = 4_096 } = options;
  const known = new Map<string, boolean>();
  const admits = (publicKey: Uint8Array): boolean => {
    const { buffer, byteOffset, length } = publicKey;
    const id = Buffer.from(buffer, byteOffset, length).toString("latin1");
    const seen = known.get(id);
    if (seen !== undefined) return seen;
    const verdict = publicKey.length === PUBLIC_KEY_BYTES && admitPublicKey(publicKey).ok;
    if (known.size >= maxKeys) known.delete(known.keys().next().value as string);
    known.set(id, verdict);
    return verdict;
  };
  return {
    admits,
    verify: async (publicKey, message, signature) => {
      if (signature.length !== SIGNATURE_BYTES || !admits(publicKey)) return false;
      return judgeOffThread({ publicKey, message, signature });
    },
  };
}

const sharedRing = makeKeyRing();

/** Judges one Ed25519 signature off the main thread; see KeyRing.verify. */
export function verifyOffThread(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return sharedRing.verify(publicKey, message, signature);
}

/** Judges several signatures over one text, all under way at once; one verdict each, in order. */
export function verifyLines(
  text: string,
  signatures: readonly SignatureToCheck[],
): Promise<boolean[]> {
  const message = utf8(text);
  return Promise.all(
    signatures.map((one) => sharedRing.verify(one.publicKey, message, one.signature)),
  );
}
