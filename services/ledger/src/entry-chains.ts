// Whose entry is it? What stands in an entry's context, read from its bytes.
import {
  entryContextSchema,
  readNote,
  readStatement,
  type ChainLink,
  type EntryContext,
} from "@sealane/protocol";

/** The context of an entry of ours, or undefined for bytes that are none. */
export const contextOf = (entry: string): EntryContext | undefined => {
  const note = readNote(entry);
  const read = note.ok ? readStatement(note.note, "entry", entryContextSchema) : undefined;
  return read?.ok === true ? read.statement.body : undefined;
};

export const chainsOf = (entry: string): readonly ChainLink[] => contextOf(entry)?.chains ?? [];

/** Whether a participant is in an entry's chains: it may read that entry with its proof. */
export const concerns = (entry: string, participant: string): boolean =>
  chainsOf(entry).some((link) => link.participant === participant);
