/**
 * Verifier keys (c2sp.org/signed-note, "Verifier keys"): `name+hex(keyId)+base64(type ‖ key)`.
 * Two types are spoken: 0x01 Ed25519 over the text, 0x04 Ed25519 cosignature of a checkpoint.
 * Parsing is the door at which a public key is admitted, so no key that came in through a vkey
 * can be one on which verifiers disagree.
 */
import { concatBytes, fromBase64, toBase64, utf8 } from "./bytes.ts";
import { admitPublicKey } from "./ed25519.ts";
import { TlogError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { isKeyName } from "./note.ts";

/** Signature type bytes: 1 is Ed25519 over the note's text, 4 a timestamped cosignature. */
export type SignatureType = 1 | 4;

/** A public key with the name and id that its signature lines carry. The key has 32 bytes. */
export type VerifierKey = {
  readonly name: string;
  readonly keyId: number;
  readonly type: SignatureType;
  readonly publicKey: Uint8Array;
};

const ED25519: SignatureType = 1;
const COSIGNATURE: SignatureType = 4;

const malformed = (message: string, cause?: unknown): TlogError =>
  new TlogError("vkey-malformed", message, cause);

/** The uint32 `SHA-256(name ‖ 0x0A ‖ type ‖ publicKey)[:4]`. */
export const keyIdOf = (name: string, type: SignatureType, publicKey: Uint8Array): number => {
  const digest = sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(type), publicKey));
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
};

const parseKeyMaterial = (base64: string): { type: SignatureType; publicKey: Uint8Array } => {
  let material: Uint8Array;
  try {
    material = fromBase64(base64);
  } catch (cause) {
    throw malformed("the key of a vkey is not canonical base64", cause);
  }
  const type = material[0];
  if (type !== ED25519 && type !== COSIGNATURE) throw malformed("unsupported signature type");
  const publicKey = material.slice(1);
  if (publicKey.length !== 32) throw malformed("an Ed25519 key has 32 bytes");
  const admission = admitPublicKey(publicKey);
  if (!admission.ok) throw new TlogError("key-inadmissible", admission.reason);
  return { type, publicKey };
};

/**
 * Parses a vkey, checks its key id and admits its key.
 * @throws TlogError `vkey-malformed`, or `key-inadmissible` for a key no signature may count under
 * @example parseVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')
 */
export const parseVerifierKey = (vkey: string): VerifierKey => {
  const nameEnd = vkey.indexOf("+");
  const idEnd = vkey.indexOf("+", nameEnd + 1);
  if (nameEnd < 0 || idEnd < 0) throw malformed("a vkey is name+id+key");
  const name = vkey.slice(0, nameEnd);
  const id = vkey.slice(nameEnd + 1, idEnd);
  if (!isKeyName(name)) throw malformed("a vkey has a malformed key name");
  if (!/^[0-9a-f]{8}$/.test(id)) throw malformed("the id of a vkey is 8 lower-case hex digits");
  const { type, publicKey } = parseKeyMaterial(vkey.slice(idEnd + 1));
  const keyId = keyIdOf(name, type, publicKey);
  if (keyId !== Number.parseInt(id, 16)) throw malformed("the id of a vkey is not its key’s");
  return { name, keyId, type, publicKey };
};

/**
 * Writes a vkey. The key is not judged here.
 * @throws TlogError `vkey-malformed` when the name cannot be a key name
 */
export const formatVerifierKey = (
  name: string,
  type: SignatureType,
  publicKey: Uint8Array,
): string => {
  if (!isKeyName(name)) throw malformed("not a key name");
  if (publicKey.length !== 32) throw malformed("an Ed25519 key has 32 bytes");
  const id = keyIdOf(name, type, publicKey).toString(16).padStart(8, "0");
  return `${name}+${id}+${toBase64(concatBytes(Uint8Array.of(type), publicKey))}`;
};
