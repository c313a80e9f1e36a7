// The vault's cryptography: a key for each person, wrapped by one that follows from the provider's envelope
// key; XChaCha20-Poly1305 throughout (24 random bytes of nonce never meet), bound to what it belongs to.
// What is about two persons is sealed under a key made of both of theirs, so that either one's erasure
// erases it. Nobody but its own provider reads a vault, so its format is ours to choose.
import { hkdfSync } from "node:crypto";
import { randomBytes, sodium } from "./sodium.ts";

const label = "sealane/vault/v2";
const jointLabel = Buffer.from(`${label}/joint`, "utf8");
const keyBytes = 32;
const nonceBytes = 24;
const tagBytes = 16;

const derive = (key: Uint8Array, what: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, new Uint8Array(), `${label}/${what}`, keyBytes));

const keyedHash = (key: Uint8Array, message: Uint8Array): Buffer => {
  const hash = Buffer.allocUnsafe(keyBytes);
  sodium.crypto_generichash(hash, message, key);
  return hash;
};

/** @returns `nonce24 ‖ ciphertext ‖ tag16` */
export const sealUnder = (key: Uint8Array, plaintext: Uint8Array, aad: string): Buffer => {
  const sealed = Buffer.allocUnsafe(nonceBytes + plaintext.length + tagBytes);
  const nonce = sealed.subarray(0, nonceBytes);
  sodium.randombytes_buf(nonce);
  const body = sealed.subarray(nonceBytes);
  const bound = Buffer.from(aad, "utf8");
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(body, plaintext, bound, null, nonce, key);
  return sealed;
};

/** Undefined under another key, for another purpose, or after a changed byte. */
export const openUnder = (key: Uint8Array, sealed: Uint8Array, aad: string): Buffer | undefined => {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const body = sealed.subarray(nonceBytes);
  const opened = Buffer.allocUnsafe(body.length - tagBytes);
  const bound = Buffer.from(aad, "utf8");
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(opened, null, body, bound, nonce, key);
    return opened;
  } catch {
    return undefined;
  }
};

/** The key of what is about these persons: one's own, or made of both. */
export const jointKey = (keys: readonly Uint8Array[]): Uint8Array => {
  const [first, ...others] = keys;
  if (first === undefined) throw new RangeError("a key of nobody seals nothing");
  return others.length === 0 ? first : keyedHash(first, Buffer.concat([jointLabel, ...others]));
};

/** What an opening is sealed for. */
export const openingAad = (transferId: string, field: string): string =>
  `${label}\n${transferId}\n${field}`;

/** @param envelopeKey the provider's private envelope key, 32 bytes */
export const makeVaultKeys = (envelopeKey: Uint8Array) => {
  const wrapping = derive(envelopeKey, "wrap");
  const naming = derive(envelopeKey, "person");
  const aadOf = (person: Uint8Array): string =>
    `${label}\nperson\n${Buffer.from(person).toString("hex")}`;
  return {
    /** Who an account belongs to, without saying which account it is: 32 bytes. */
    personOf: (account: string): Buffer => keyedHash(naming, Buffer.from(account, "utf8")),
    fresh: (): Buffer => randomBytes(keyBytes),
    wrap: (person: Uint8Array, key: Uint8Array): Buffer => sealUnder(wrapping, key, aadOf(person)),
    unwrap: (person: Uint8Array, wrapped: Uint8Array): Buffer | undefined =>
      openUnder(wrapping, wrapped, aadOf(person)),
  };
};
export type VaultKeys = ReturnType<typeof makeVaultKeys>;
