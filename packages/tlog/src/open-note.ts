/**
 * Opening a note: which of its signatures are by keys we know, and do they hold. Rules of
 * c2sp.org/signed-note: unknown keys are ignored; a known key whose signature fails rejects the
 * whole note; at least one known signature must be there. One is enough to open, so a quorum
 * (m of n) is counted by the caller from `verified`, in which each key appears once.
 */
import { utf8 } from "./bytes.ts";
import { COSIGNATURE_SIZE, cosignatureMessage, cosignatureTime } from "./cosignature.ts";
import { verifyEd25519 } from "./ed25519.ts";
import { TlogError } from "./errors.ts";
import { parseNote } from "./note.ts";
import type { Note, NoteSignature } from "./note.ts";
import type { VerifierKey } from "./verifier-key.ts";

/** Something that judges the signatures of one key, found by name and key id. */
export type Verifier = {
  readonly name: string;
  readonly keyId: number;
  verify(text: string, signature: Uint8Array): boolean;
};

/** What a note says and who is known to have signed it; each key is in `verified` once. */
export type OpenedNote = {
  readonly text: string;
  readonly verified: readonly NoteSignature[];
  readonly unverified: readonly NoteSignature[];
};

const verifyCosignature = (publicKey: Uint8Array, text: string, signature: Uint8Array): boolean => {
  if (signature.length !== COSIGNATURE_SIZE) return false;
  let message: Uint8Array;
  try {
    message = cosignatureMessage(cosignatureTime(signature), text);
  } catch {
    return false;
  }
  return verifyEd25519(publicKey, message, signature.subarray(8));
};

/**
 * The verifier of a key: Ed25519 over the text (type 1), or cosignature/v1 (type 4). The key
 * must have been admitted, which `parseVerifierKey` does.
 */
export const verifierFor = (key: VerifierKey): Verifier => {
  const { name, keyId, type, publicKey } = key;
  switch (type) {
    case 1:
      return {
        name,
        keyId,
        verify: (text, signature) => verifyEd25519(publicKey, utf8(text), signature),
      };
    case 4:
      return {
        name,
        keyId,
        verify: (text, signature) => verifyCosignature(publicKey, text, signature),
      };
    default:
      return type satisfies never;
  }
};

const findVerifier = (
  verifiers: readonly Verifier[],
  { name, keyId }: NoteSignature,
): Verifier | undefined => {
  let found: Verifier | undefined;
  for (const verifier of verifiers) {
    if (verifier.keyId !== keyId || verifier.name !== name || verifier === found) continue;
    if (found !== undefined) {
      throw new TlogError("note-ambiguous-key", `two known keys are ${name} with the same id`);
    }
    found = verifier;
  }
  return found;
};

/**
 * Judges a parsed note. Every line of a known key is verified, a repeated one too (Go checks
 * only the first): no line of a known key in an opened note is bad.
 * @throws TlogError `note-bad-signature`, `note-unknown-key`, `note-ambiguous-key`
 */
export const openParsedNote = (note: Note, verifiers: readonly Verifier[]): OpenedNote => {
  const verified: NoteSignature[] = [];
  const unverified: NoteSignature[] = [];
  const seenLines = new Set<string>();
  const seenVerifiers = new Set<Verifier>();
  for (const signature of note.signatures) {
    if (seenLines.has(signature.line)) continue;
    seenLines.add(signature.line);
    const verifier = findVerifier(verifiers, signature);
    if (verifier === undefined) {
      unverified.push(signature);
      continue;
    }
    if (!verifier.verify(note.text, signature.signature)) {
      throw new TlogError("note-bad-signature", `the signature of ${signature.name} is not valid`);
    }
    if (seenVerifiers.has(verifier)) continue;
    seenVerifiers.add(verifier);
    verified.push(signature);
  }
  if (verified.length === 0) {
    throw new TlogError("note-unknown-key", "no signature of the note is by a known key");
  }
  return { text: note.text, verified, unverified };
};

/**
 * Parses a note and judges it with the keys we know. Lines that repeat are dropped.
 * @returns the text, the signatures of known keys (all valid, one per key), and the others
 * @throws TlogError `note-malformed`, `note-bad-signature` when a known key's signature fails,
 * `note-unknown-key` when no known key signed, `note-ambiguous-key` when two different known
 * keys share name and id
 */
export const openNote = (note: string, verifiers: readonly Verifier[]): OpenedNote =>
  openParsedNote(parseNote(note), verifiers);
