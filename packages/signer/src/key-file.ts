// A signing key on disk: one line `PRIVATE+KEY+<name>+<key id>+<base64(type ‖ seed)>`, the form that
// Go's sumdb/note tools read and write, in a file that nobody else on the machine can open.
// The key id in the line is checked, so a file whose name was edited is refused.
import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { readSecretFile, OperationalError } from "@sealane/runtime";
import { formatVerifierKey, fromBase64, keyIdOf, publicKeyOf, toBase64 } from "@sealane/tlog";

/** Signature types of C2SP signed notes that a key file may hold. */
export const KEY_TYPE = { ed25519: 0x01, cosignature: 0x04 } as const;
export type KeyType = (typeof KEY_TYPE)[keyof typeof KEY_TYPE];

/** A private key with all that is derived from it. Never log or serialise it. */
export type KeyMaterial = {
  readonly name: string;
  readonly type: KeyType;
  readonly keyId: number;
  readonly vkey: string;
  readonly publicKey: Uint8Array;
  readonly seed: Uint8Array;
};

const PREFIX = "PRIVATE+KEY+";
const NAME = /^[^\s+\p{Cc}]{1,200}$/u;
const SEED_BYTES = 32;

/**
 * Makes a new key and writes it with mode 0600; an existing file is never overwritten.
 * Returns the public half. Throws an OperationalError `key-exists` or `key-name-invalid`.
 */
export async function generateKeyFile(
  path: string,
  name: string,
  type: KeyType = KEY_TYPE.ed25519,
): Promise<{ readonly vkey: string; readonly publicKey: Uint8Array; readonly keyId: number }> {
  const material = materialOf(name, type, new Uint8Array(randomBytes(SEED_BYTES)));
  const line = `${PREFIX}${name}+${hex8(material.keyId)}+${toBase64(typed(type, material.seed))}\n`;
  await writeNewSecret(path, line);
  return { vkey: material.vkey, publicKey: material.publicKey, keyId: material.keyId };
}

/** Reads a key file; throws an OperationalError `key-malformed` or one of `readSecretFile`. */
export function readKeyFile(path: string): KeyMaterial {
  const text = readSecretFile(path);
  const [name, id, encoded, ...rest] = text.slice(PREFIX.length).split("+");
  const tail = [encoded, ...rest].join("+");
  if (!text.startsWith(PREFIX) || name === undefined || id === undefined) throw malformed(path);
  const bytes = decode(tail, path);
  const type = bytes[0];
  if (type !== KEY_TYPE.ed25519 && type !== KEY_TYPE.cosignature) throw malformed(path);
  const material = materialOf(name, type, bytes.subarray(1));
  if (hex8(material.keyId) !== id) throw malformed(path);
  return material;
}

/** Writes `text` to a file that must not exist yet, readable by its owner only, and syncs it. */
export async function writeNewSecret(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    const message = `${path} exists: move it away first, keys are never overwritten`;
    throw new OperationalError("key-exists", message, { retryable: false, cause });
  }
}

function materialOf(name: string, type: KeyType, seed: Uint8Array): KeyMaterial {
  if (!NAME.test(name)) {
    const message = "a key name has no space, no plus sign and 1 to 200 characters";
    throw new OperationalError("key-name-invalid", message, { retryable: false });
  }
  const publicKey = publicKeyOf(seed);
  const keyId = keyIdOf(name, type, publicKey);
  return { name, type, keyId, vkey: formatVerifierKey(name, type, publicKey), publicKey, seed };
}

function decode(encoded: string, path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(encoded);
  } catch {
    throw malformed(path);
  }
  if (bytes.length !== 1 + SEED_BYTES) throw malformed(path);
  return bytes;
}

function malformed(path: string): OperationalError {
  const message = `${path} is not a key file: one line "${PREFIX}<name>+<key id>+<base64>"`;
  return new OperationalError("key-malformed", message, { retryable: false });
}

function typed(type: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(type, ...bytes);
}

function hex8(keyId: number): string {
  return keyId.toString(16).padStart(8, "0");
}
