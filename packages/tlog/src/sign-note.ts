/**
 * The signer's side of notes: one line per signature, without newline, to be put together by
 * `composeNote`. A seed is the 32 bytes of an Ed25519 private key (RFC 8032). Nothing here reads
 * a clock: the time of a cosignature is an argument.
 */
import { utf8 } from "./bytes.ts";
import { cosignatureMessage, encodeCosignature } from "./cosignature.ts";
import { publicKeyOf, signEd25519 } from "./ed25519.ts";
import { assertNoteText, formatSignatureLine } from "./note.ts";
import { keyIdOf } from "./verifier-key.ts";

/**
 * Signs a note's text (ending in a newline) with Ed25519, type 1.
 * @returns the signature line, without newline
 * @throws TlogError `note-malformed` when the text or the name cannot stand in a note
 */
export const signNoteLine = (name: string, seed: Uint8Array, text: string): string => {
  assertNoteText(text);
  const keyId = keyIdOf(name, 1, publicKeyOf(seed));
  return formatSignatureLine(name, keyId, signEd25519(seed, utf8(text)));
};

/**
 * Cosigns a checkpoint's text as cosignature/v1, type 4, at `timeSeconds` (POSIX seconds).
 * @returns the signature line, without newline
 * @throws TlogError `note-malformed`, `cosignature-malformed`
 */
export const cosignLine = (
  name: string,
  seed: Uint8Array,
  checkpointText: string,
  timeSeconds: number,
): string => {
  assertNoteText(checkpointText);
  const keyId = keyIdOf(name, 4, publicKeyOf(seed));
  const signature = signEd25519(seed, cosignatureMessage(timeSeconds, checkpointText));
  return formatSignatureLine(name, keyId, encodeCosignature(timeSeconds, signature));
};
