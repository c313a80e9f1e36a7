// Putting statements together from the exact bytes that were signed.
import { composeNote } from "@sealane/tlog";

export { composeNote };

/** The text of a note that has been parsed before: up to the last empty line. */
export const readNoteText = (note: string | undefined): string | undefined => {
  if (note === undefined) return undefined;
  const split = note.lastIndexOf("\n\n");
  return split < 0 ? undefined : note.slice(0, split + 1);
};
