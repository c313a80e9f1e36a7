// The functions of libsodium that this room uses, with types; the package has none of its own. Node's own
// ciphers and MACs make an object for each call, which takes ten times as long as the work itself.
import { createRequire } from "node:module";

type Sodium = {
  readonly randombytes_buf: (to: Uint8Array) => void;
  /** BLAKE2b of `to.length` bytes (16 to 64), keyed. */
  readonly crypto_generichash: (to: Uint8Array, message: Uint8Array, key: Uint8Array) => void;
  readonly crypto_aead_xchacha20poly1305_ietf_encrypt: (
    to: Uint8Array,
    plaintext: Uint8Array,
    aad: Uint8Array,
    unused: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ) => number;
  /** @throws Error when the tag is wrong */
  readonly crypto_aead_xchacha20poly1305_ietf_decrypt: (
    to: Uint8Array,
    unused: null,
    sealed: Uint8Array,
    aad: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ) => number;
};

export const sodium = createRequire(import.meta.url)("sodium-native") as Sodium;

/** New bytes from the operating system's generator. */
export const randomBytes = (count: number): Buffer => {
  const bytes = Buffer.allocUnsafe(count);
  sodium.randombytes_buf(bytes);
  return bytes;
};
