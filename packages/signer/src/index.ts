// Private keys and everything that uses them: signing notes, cosigning checkpoints, sealing personal
// data, and verifying off the main thread. Only this room touches private key bytes.
export { makeEnvelopeOpener, makeEnvelopeSealer, openEnvelope, sealEnvelope } from "./envelope.ts";
export type {
  Envelope,
  EnvelopeOpener,
  EnvelopeReader,
  EnvelopeWrap,
  SealRequest,
} from "./envelope.ts";
export { EnvelopeError } from "./envelope-error.ts";
export { generateEnvelopeKey, readEnvelopeKey } from "./envelope-key.ts";
export type { EnvelopeKey } from "./envelope-key.ts";
export { generateKeyFile, KEY_TYPE, readKeyFile, writeNewSecret } from "./key-file.ts";
export type { KeyMaterial, KeyType } from "./key-file.ts";
export { keyFamily } from "./key-family.ts";
export type { KeyFamily, KeyFamilyOptions } from "./key-family.ts";
export { makeKeyRing, verifyLines, verifyOffThread } from "./key-ring.ts";
export type { KeyRing, SignatureToCheck } from "./key-ring.ts";
export { remoteSigner } from "./remote-signer.ts";
export type { RemoteKey } from "./remote-signer.ts";
export { selfTest } from "./self-test.ts";
export { randomBytes } from "./sodium.ts";
export { jointKey, makeVaultKeys, openingAad, openUnder, sealUnder } from "./vault-keys.ts";
export type { VaultKeys } from "./vault-keys.ts";
export { cosigner, fileSigner, signerOf } from "./signer.ts";
export type { Cosigner, Signer } from "./signer.ts";
