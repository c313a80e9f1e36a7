// Who signs. A Signer is a port: the file-backed one is below, and a hardware module or a cloud KMS
// can stand in for it. Signing runs in libuv's pool (`crypto.sign` with a callback): on the main
// thread it was 18 to 38 % of each signing process.
import { createPrivateKey, sign as signCallback, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { OperationalError } from "@sealane/runtime";
import { cosignatureMessage, encodeCosignature, formatSignatureLine, utf8 } from "@sealane/tlog";
import { KEY_TYPE, readKeyFile, type KeyMaterial } from "./key-file.ts";

/** One Ed25519 key that signs notes (type 0x01). Guarantees: the key never leaves the signer. */
export interface Signer {
  readonly name: string;
  readonly keyId: number;
  readonly publicKey: Uint8Array;
  /** The verifier key, `name+id+base64`, that others are given. */
  readonly vkey: string;
  /** The 64 bytes of the signature over the UTF-8 of a note's text (which ends in a newline). */
  readonly sign: (text: string) => Promise<Uint8Array>;
  /** The signature line for a note, `— name base64`, without newline (see `composeNote`). */
  readonly signLine: (text: string) => Promise<string>;
  /** One line for each text, in order; all of them are under way at once. */
  readonly signMany: (texts: readonly string[]) => Promise<string[]>;
}

/** One witness key (type 0x04) that cosigns checkpoints. */
export interface Cosigner {
  readonly name: string;
  readonly keyId: number;
  readonly publicKey: Uint8Array;
  readonly vkey: string;
  /** The cosignature line, without newline, over a checkpoint's text at a POSIX time above zero. */
  readonly cosign: (checkpointText: string, timeSeconds: number) => Promise<string>;
}

const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const signInPool = promisify<null, Uint8Array, KeyObject, Buffer>(signCallback);

/** Opens a key file (mode 0600) as a signer of notes. */
export async function fileSigner(path: string): Promise<Signer> {
  const material = readKeyFile(path);
  if (material.type !== KEY_TYPE.ed25519) throw wrongType(path, "signs notes (type 0x01)");
  return signerOf(material);
}

/** A signer over key material that is in memory already (tests, key ceremonies). */
export function signerOf(material: KeyMaterial): Signer {
  const key = privateKeyOf(material.seed);
  const { name, keyId, publicKey, vkey } = material;
  const sign = (text: string): Promise<Uint8Array> => signInPool(null, utf8(text), key);
  const signLine = async (text: string): Promise<string> =>
    formatSignatureLine(name, keyId, await sign(text));
  const signMany = (texts: readonly string[]): Promise<string[]> =>
    Promise.all(texts.map(signLine));
  return { name, keyId, publicKey, vkey, sign, signLine, signMany };
}

/** Opens a key file (mode 0600) as a witness's cosigner. */
export async function cosigner(path: string): Promise<Cosigner> {
  const material = readKeyFile(path);
  if (material.type !== KEY_TYPE.cosignature) throw wrongType(path, "cosigns (type 0x04)");
  const key = privateKeyOf(material.seed);
  const { name, keyId, publicKey, vkey } = material;
  const cosign = async (checkpointText: string, timeSeconds: number): Promise<string> => {
    const message = cosignatureMessage(timeSeconds, checkpointText);
    const signature = await signInPool(null, message, key);
    return formatSignatureLine(name, keyId, encodeCosignature(timeSeconds, signature));
  };
  return { name, keyId, publicKey, vkey, cosign };
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8_ED25519, seed]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function wrongType(path: string, use: string): OperationalError {
  const message = `${path} holds a key of another type: give one that ${use}`;
  return new OperationalError("key-wrong-type", message, { retryable: false });
}
