// Who signs. A Signer is a port, and asynchronous: a hardware module or a cloud KMS can stand in for
// the file-backed one below. That one signs on the caller's thread: 27 µs with libsodium, less than it
// costs to hand the work to another thread and to take it back.
import { OperationalError } from "@sealane/runtime";
import {
  cosignatureMessage,
  encodeCosignature,
  formatSignatureLine,
  signEd25519,
  utf8,
} from "@sealane/tlog";
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

/** Opens a key file (mode 0600) as a signer of notes. */
export async function fileSigner(path: string): Promise<Signer> {
  const material = readKeyFile(path);
  if (material.type !== KEY_TYPE.ed25519) throw wrongType(path, "signs notes (type 0x01)");
  return signerOf(material);
}

/** A signer over key material that is in memory already (tests, key ceremonies). */
export function signerOf(material: KeyMaterial): Signer {
  const { name, keyId, publicKey, vkey, seed } = material;
  const sign = async (text: string): Promise<Uint8Array> => signEd25519(seed, utf8(text));
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
  const { name, keyId, publicKey, vkey, seed } = material;
  const cosign = async (checkpointText: string, timeSeconds: number): Promise<string> => {
    const message = cosignatureMessage(timeSeconds, checkpointText);
    const signature = signEd25519(seed, message);
    return formatSignatureLine(name, keyId, encodeCosignature(timeSeconds, signature));
  };
  return { name, keyId, publicKey, vkey, cosign };
}

function wrongType(path: string, use: string): OperationalError {
  const message = `${path} holds a key of another type: give one that ${use}`;
  return new OperationalError("key-wrong-type", message, { retryable: false });
}
