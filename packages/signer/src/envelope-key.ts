// X25519 keys of readers: on disk one line `SEALANE-ENVELOPE-KEY+<base64 of 32 bytes>`, mode 0600.
// Encryption keys are never signing keys, and the other way round.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { OperationalError, readSecretFile } from "@sealane/runtime";
import { fromBase64, toBase64 } from "@sealane/tlog";
import { EnvelopeError } from "./envelope-error.ts";
import { writeNewSecret } from "./key-file.ts";

/** A reader's key pair, 32 raw bytes each. */
export type EnvelopeKey = { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array };

const PREFIX = "SEALANE-ENVELOPE-KEY+";
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI_X25519 = Buffer.from("302a300506032b656e032100", "hex");
const KEY_BYTES = 32;

/** Makes a key pair, writes the private half to a new file, returns the public half. */
export async function generateEnvelopeKey(
  path: string,
): Promise<{ readonly publicKey: Uint8Array }> {
  const pair = generateX25519();
  const der = pair.privateKey.export({ format: "der", type: "pkcs8" });
  await writeNewSecret(path, `${PREFIX}${toBase64(der.subarray(-KEY_BYTES))}\n`);
  return { publicKey: pair.publicBytes };
}

/** Reads a key file; throws an OperationalError `key-malformed` or one of `readSecretFile`. */
export function readEnvelopeKey(path: string): EnvelopeKey {
  const text = readSecretFile(path);
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : "";
  const privateKey = Buffer.from(encoded, "base64");
  if (privateKey.length !== KEY_BYTES || toBase64(fromBase64(encoded)) !== encoded) {
    const message = `${path} is not an envelope key: one line "${PREFIX}<base64>"`;
    throw new OperationalError("key-malformed", message, { retryable: false });
  }
  return { privateKey, publicKey: publicBytesOf(createPublicKey(privateObject(privateKey))) };
}

/** A fresh pair in memory. */
export function generateX25519(): { privateKey: KeyObject; publicBytes: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey, publicBytes: publicBytesOf(publicKey) };
}

/** Wraps 32 private bytes. */
export function privateObject(bytes: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8_X25519, bytes]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

/** Wraps 32 public bytes; a wrong length is `envelope-malformed`. */
export function publicObject(bytes: Uint8Array): KeyObject {
  if (bytes.length !== KEY_BYTES) {
    throw new EnvelopeError("envelope-malformed", "an X25519 key has 32 bytes");
  }
  return createPublicKey({ key: Buffer.concat([SPKI_X25519, bytes]), format: "der", type: "spki" });
}

/** The 32 public bytes of a public or private key. */
export function publicBytesOf(key: KeyObject): Uint8Array {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  const der = publicKey.export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(-KEY_BYTES));
}
