// The vault's cryptography: a key for each person, wrapped by one that follows from the provider's envelope
// key; AES-256-GCM throughout, a random nonce each, bound to what it belongs to. What is about two persons
// is sealed under a key made of both of theirs, so that either one's erasure erases it.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

const label = "sealane/vault/v1";
const nonceBytes = 12;
const tagBytes = 16;

const derive = (key: Uint8Array, what: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, new Uint8Array(), `${label}/${what}`, 32));

export const sealUnder = (key: Uint8Array, plaintext: Uint8Array, aad: string): Buffer => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(aad, "utf8"));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

/** Undefined under another key, for another purpose, or after a changed byte. */
export const openUnder = (key: Uint8Array, sealed: Uint8Array, aad: string): Buffer | undefined => {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const options = { authTagLength: tagBytes };
  const nonce = sealed.subarray(0, nonceBytes);
  const cipher = createDecipheriv("aes-256-gcm", key, nonce, options);
  cipher.setAAD(Buffer.from(aad, "utf8"));
  cipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(nonceBytes, -tagBytes)), cipher.final()]);
  } catch {
    return undefined;
  }
};

/** The key of what is about these persons: one's own, or made of both. */
export const jointKey = (keys: readonly Uint8Array[]): Uint8Array => {
  const [only] = keys;
  if (only !== undefined && keys.length === 1) return only;
  return derive(Buffer.concat(keys), "joint");
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
    /** Who an account belongs to, without saying which account it is. */
    personOf: (account: string): Buffer => createHmac("sha256", naming).update(account).digest(),
    fresh: (): Buffer => randomBytes(32),
    wrap: (person: Uint8Array, key: Uint8Array): Buffer => sealUnder(wrapping, key, aadOf(person)),
    unwrap: (person: Uint8Array, wrapped: Uint8Array): Buffer | undefined =>
      openUnder(wrapping, wrapped, aadOf(person)),
  };
};
export type VaultKeys = ReturnType<typeof makeVaultKeys>;
