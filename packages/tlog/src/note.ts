/**
 * Signed notes (c2sp.org/signed-note): text ending in a newline, an empty line, signature lines.
 * A note is a JS string and is carried as it is: parsing never rebuilds it, and what was verified
 * is the very text that was parsed. The split is at the *last* empty line, so a note's text may
 * itself be a note. Parsing says nothing about trust: see `openNote` in open-note.ts.
 */
import { fromBase64, toBase64 } from "./bytes.ts";
import { TlogError } from "./errors.ts";

/** One signature line. `keyId` is the uint32 of the spec; `line` has no newline. */
export type NoteSignature = {
  readonly name: string;
  readonly keyId: number;
  readonly signature: Uint8Array;
  readonly line: string;
};

/** A note taken apart. `text` ends in a newline; signatures are in the note's order. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

/** Most signature lines a note may have (the number that Go's `note.Open` allows too). */
export const MAX_NOTE_SIGNATURES = 100;

const LINE_PREFIX = "\u2014 ";
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const FORBIDDEN_CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const FORBIDDEN_IN_NAME = /[+\p{White_Space}]/u;

const malformed = (message: string): TlogError => new TlogError("note-malformed", message);

/** Names that were looked at before: a log's notes have few, over and over. */
const knownNames = new Set<string>();
const mostKnownNames = 4_096;

/**
 * Whether a string can be a key name: not empty, well formed, without spaces, plus signs or
 * control characters.
 */
export const isKeyName = (name: string): boolean => {
  if (knownNames.has(name)) return true;
  const fits =
    name !== "" &&
    !FORBIDDEN_IN_NAME.test(name) &&
    !FORBIDDEN_CONTROL.test(name) &&
    name.isWellFormed();
  if (fits && knownNames.size < mostKnownNames) knownNames.add(name);
  return fits;
};

/**
 * Refuses what may not stand in a note: lone surrogates, and control characters but newline.
 * @throws TlogError `note-malformed`
 */
export const assertNoteCharacters = (text: string): void => {
  if (!text.isWellFormed()) throw malformed("a note is valid UTF-8");
  if (FORBIDDEN_CONTROL.test(text)) throw malformed("a note has no control character but newline");
};

/**
 * Refuses a text that cannot be signed as a note: bad characters, or no newline at its end.
 * @throws TlogError `note-malformed`
 */
export const assertNoteText = (text: string): void => {
  assertNoteCharacters(text);
  if (!text.endsWith("\n")) throw malformed("the text of a note ends in a newline");
};

/**
 * Takes one signature line (without newline) apart: em dash, space, name, space, base64.
 * @throws TlogError `note-malformed`
 */
export const parseSignatureLine = (line: string): NoteSignature => {
  if (!line.startsWith(LINE_PREFIX)) throw malformed("a signature line starts with an em dash");
  const nameEnd = line.indexOf(" ", LINE_PREFIX.length);
  if (nameEnd < 0) throw malformed("a signature line has a name and a signature");
  const name = line.slice(LINE_PREFIX.length, nameEnd);
  if (!isKeyName(name)) throw malformed("a signature line has a malformed key name");
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(line.slice(nameEnd + 1));
  } catch (cause) {
    throw new TlogError("note-malformed", "a signature is not canonical base64", cause);
  }
  if (bytes.length < 5) throw malformed("a signature is shorter than its key id and one byte");
  const keyId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return { name, keyId, signature: bytes.slice(4), line };
};

/**
 * Takes a note apart, strictly. It verifies nothing: do not use the text before `openNote` did.
 * @throws TlogError `note-malformed` (bad characters, no signature block, a bad line, base64
 * that is not canonical, more than 100 signatures)
 */
export const parseNote = (note: string): Note => {
  assertNoteCharacters(note);
  return parseInnerNote(note);
};

/**
 * Takes a note apart that is part of a parsed note's text: its characters have been looked at.
 * @throws TlogError `note-malformed`
 */
export const parseInnerNote = (note: string): Note => {
  const split = note.lastIndexOf("\n\n");
  if (split < 0) throw malformed("a note has an empty line before its signatures");
  if (split + 2 === note.length) throw malformed("a note has at least one signature");
  if (!note.endsWith("\n")) throw malformed("a note ends in a newline");
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > MAX_NOTE_SIGNATURES) throw malformed("a note has at most 100 signatures");
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
};

/**
 * One signature line, without newline: `— <name> <base64(keyId ‖ signature)>`.
 * @throws TlogError `note-malformed` when the name cannot be a key name
 */
export const formatSignatureLine = (name: string, keyId: number, signature: Uint8Array): string => {
  if (!isKeyName(name)) throw malformed("not a key name");
  const bytes = new Uint8Array(4 + signature.length);
  new DataView(bytes.buffer).setUint32(0, keyId);
  bytes.set(signature, 4);
  return `${LINE_PREFIX}${name} ${toBase64(bytes)}`;
};

/**
 * Puts a note together from its text (ending in a newline) and signature lines (without).
 * The lines are taken as they are; only their shape is looked at.
 * @throws TlogError `note-malformed` when no parser would take the result
 */
export const composeNote = (text: string, lines: readonly string[]): string => {
  assertNoteText(text);
  if (lines.length === 0 || lines.length > MAX_NOTE_SIGNATURES) {
    throw malformed("a note has 1 to 100 signatures");
  }
  for (const line of lines) {
    if (!line.startsWith(LINE_PREFIX) || line.includes("\n")) {
      throw malformed("not a signature line");
    }
  }
  return `${text}\n${lines.join("\n")}\n`;
};

/**
 * The same note with only those signature lines for which `keep` holds, in their order; the
 * text is untouched. For requests to witnesses (the log's own lines) and for receipts (exactly
 * a quorum).
 * @throws TlogError `note-malformed` when the note is, or when no line is left
 */
export const keepSignatures = (
  note: string,
  keep: (signature: NoteSignature) => boolean,
): string => {
  const { text, signatures } = parseNote(note);
  return composeNote(
    text,
    signatures.filter(keep).map((signature) => signature.line),
  );
};
