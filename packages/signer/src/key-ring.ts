// Verifying off the main thread, behind the gate for keys. A key is admitted once with noble
// (canonical, not small order, torsion free: about 1 ms), and then OpenSSL judges each signature in
// libuv's pool (13,000 a second on two cores). Both halves are needed: OpenSSL alone accepts the
// identity key, and noble alone accepts signatures that only the cofactor forgives.
import { createPublicKey, verify as verifyCallback, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { admitPublicKey, utf8 } from "@sealane/tlog";

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

const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");
const SIGNATURE_BYTES = 64;
const PUBLIC_KEY_BYTES = 32;
const verifyInPool = promisify<null, Uint8Array, KeyObject, Uint8Array, boolean>(verifyCallback);

/** Makes a ring that remembers at most `maxKeys` verdicts; the oldest is forgotten first. */
export function makeKeyRing(options: { readonly maxKeys?: number } = {}): KeyRing {
  const { maxKeys = 4_096 } = options;
  const known = new Map<string, KeyObject | "refused">();
  const lookUp = (publicKey: Uint8Array): KeyObject | "refused" => {
    const id = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.length).toString(
      "hex",
    );
    const seen = known.get(id);
    if (seen !== undefined) return seen;
    const verdict = judge(publicKey);
    if (known.size >= maxKeys) known.delete(known.keys().next().value as string);
    known.set(id, verdict);
    return verdict;
  };
  return {
    admits: (publicKey) => lookUp(publicKey) !== "refused",
    verify: async (publicKey, message, signature) => {
      const key = lookUp(publicKey);
      if (key === "refused" || signature.length !== SIGNATURE_BYTES) return false;
      return verifyInPool(null, message, key, signature);
    },
  };
}

const sharedRing = makeKeyRing();

/** Judges one Ed25519 signature in libuv's pool; see KeyRing.verify. */
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

function judge(publicKey: Uint8Array): KeyObject | "refused" {
  if (publicKey.length !== PUBLIC_KEY_BYTES || !admitPublicKey(publicKey).ok) return "refused";
  const der = Buffer.concat([SPKI_ED25519, publicKey]);
  return createPublicKey({ key: der, format: "der", type: "spki" });
}
