// A provider's signing key, in the provider's own process: it signs statements and never leaves. The
// key's form is the one line that `signer` and Go's sumdb/note tools read and write. A hardware module
// or a KMS stands in by offering the same two members.
import { fromBase64, keyIdOf, publicKeyOf, signNoteLine } from "@sealane/tlog";

export type NoteSigner = {
  /** Name of the key, such as `hk-wallet.example/k1`. */
  readonly name: string;
  /** The signature line over a note's text, without newline. */
  signLine(text: string): Promise<string>;
};

const prefix = "PRIVATE+KEY+";
const ed25519 = 1;

const malformed = (): Error =>
  new Error(`a signing key is one line "${prefix}<name>+<key id>+<base64>" of an Ed25519 key`);

/**
 * Opens a key line, e.g. of the file `transfer.key`; its key id is checked.
 * @throws Error without any part of the key
 */
export const noteSigner = (keyLine: string): NoteSigner => {
  const line = keyLine.trim();
  // Base64 has plus signs too: only the first two separate.
  const [name = "", id = "", ...rest] = line.slice(prefix.length).split("+");
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(rest.join("+"));
  } catch {
    throw malformed();
  }
  if (!line.startsWith(prefix) || bytes.length !== 33 || bytes[0] !== ed25519) throw malformed();
  const seed = bytes.slice(1);
  const keyId = keyIdOf(name, ed25519, publicKeyOf(seed)).toString(16).padStart(8, "0");
  if (keyId !== id) throw malformed();
  return { name, signLine: (text) => Promise.resolve(signNoteLine(name, seed, text)) };
};
