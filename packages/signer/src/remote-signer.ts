// A signer whose key is elsewhere: a hardware module, a cloud's KMS, a process of its own. What such a
// thing must do is sign bytes with Ed25519 (PureEdDSA, not the pre-hashed variants); the rest of the
// port follows from the name and the public key. A signature is looked at before it is handed on:
// a module that holds another key, or signs a hash, is found out at the first line and not in the log.
import { OperationalError } from "@sealane/runtime";
import {
  admitPublicKey,
  formatSignatureLine,
  formatVerifierKey,
  keyIdOf,
  utf8,
  verifyEd25519,
} from "@sealane/tlog";
import { KEY_TYPE } from "./key-file.ts";
import type { Signer } from "./signer.ts";

export type RemoteKey = {
  /** As registered in the key log: `hk-wallet.example/k2`. */
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The 64 bytes of an Ed25519 signature over exactly these bytes. May be called many times at once. */
  readonly signBytes: (message: Uint8Array) => Promise<Uint8Array>;
};

/**
 * The port over a key that is elsewhere.
 * @throws OperationalError `key-inadmissible` for a public key that no verifier admits; from `sign…`,
 * `signature-wrong` when what came back is not this key's signature
 * @example remoteSigner({ name, publicKey, signBytes: (message) => kms.sign(keyId, message) })
 */
export function remoteSigner({ name, publicKey, signBytes }: RemoteKey): Signer {
  if (!admitPublicKey(publicKey).ok) {
    const message = `the public key of ${name} is none that verifiers admit`;
    throw new OperationalError("key-inadmissible", message, { retryable: false });
  }
  const keyId = keyIdOf(name, KEY_TYPE.ed25519, publicKey);
  const sign = async (text: string): Promise<Uint8Array> => {
    const message = utf8(text);
    const signature = await signBytes(message);
    if (verifyEd25519(publicKey, message, signature)) return signature;
    const fault = `what signs for ${name} has another key, or signs something else`;
    throw new OperationalError("signature-wrong", fault, { retryable: false });
  };
  const signLine = async (text: string): Promise<string> =>
    formatSignatureLine(name, keyId, await sign(text));
  return {
    name,
    keyId,
    publicKey,
    vkey: formatVerifierKey(name, KEY_TYPE.ed25519, publicKey),
    sign,
    signLine,
    signMany: (texts) => Promise.all(texts.map(signLine)),
  };
}
