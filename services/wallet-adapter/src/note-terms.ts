// The terms inside an entry's note, for who holds an entry that was checked before.
import {
  entryContextSchema,
  readNote,
  readStatement,
  termsSchema,
  type Terms,
} from "@sealane/protocol";

/** Undefined when the entry's inner note is no transfer. */
export const readNoteTerms = (entry: string): Terms | undefined => {
  const outer = readNote(entry);
  if (!outer.ok) return undefined;
  const context = readStatement(outer.note, "entry", entryContextSchema);
  if (!context.ok || context.statement.inner === undefined) return undefined;
  const inner = readNote(context.statement.inner);
  if (!inner.ok) return undefined;
  const terms = readStatement(inner.note, "transfer", termsSchema);
  return terms.ok ? terms.statement.body : undefined;
};
