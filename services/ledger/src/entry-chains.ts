// Whose entry is it? What stands in an entry's context, read from its bytes.
import {
  entryContextSchema,
  headerOf,
  readNote,
  readStatement,
  type ChainLink,
  type EntryContext,
  type Statement,
} from "@sealane/protocol";

const newline = 0x0a;

/** An entry of ours taken apart, or undefined for bytes that are none. */
const open = (entry: string): Statement<EntryContext> | undefined => {
  const note = readNote(entry);
  const read = note.ok ? readStatement(note.note, "entry", entryContextSchema) : undefined;
  return read?.ok === true ? read.statement : undefined;
};

export const chainsOf = (entry: string): readonly ChainLink[] => open(entry)?.body.chains ?? [];

/** The note of the rate sheet that an entry records, if it records one. */
export const sheetIn = (entry: string): string | undefined => {
  const inner = open(entry)?.inner;
  return inner !== undefined && headerOf(inner)?.kind === "rate-sheet" ? inner : undefined;
};

/** Whether a participant is in an entry's chains: it may read that entry with its proof. */
export const concerns = (entry: string, participant: string): boolean =>
  chainsOf(entry).some((link) => link.participant === participant);

/**
 * The leaf hash, base64, that an entry names as the one before it. Its line alone is read, for the disk is
 * read again all day; undefined when there is none.
 * @param entry bytes whose hash has been compared: they are what was written
 */
export const prevOf = (entry: Buffer): string | undefined => {
  const from = entry.indexOf(newline) + 1;
  const to = entry.indexOf(newline, from);
  if (to < 0) return undefined;
  try {
    const { prev } = JSON.parse(entry.toString("utf8", from, to)) as Partial<EntryContext>;
    return prev;
  } catch {
    return undefined;
  }
};
