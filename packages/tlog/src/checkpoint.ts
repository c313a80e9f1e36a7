/**
 * Checkpoints (c2sp.org/tlog-checkpoint): the text of a note that says origin, tree size and
 * root hash, one per line, then optional extension lines. Parsing is strict: every text that
 * parses is exactly what `formatCheckpointText` would write.
 */
import { fromBase64, toBase64 } from "./bytes.ts";
import { TlogError } from "./errors.ts";
import { HASH_SIZE } from "./hash.ts";
import { assertNoteCharacters } from "./note.ts";
import { isCount, parseDecimal } from "./numbers.ts";

/** A log's statement of its state: `size` leaves (entries), and the root hash of 32 bytes. */
export type Checkpoint = {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly extensions: readonly string[];
};

const malformed = (message: string, cause?: unknown): TlogError =>
  new TlogError("checkpoint-malformed", message, cause);

/**
 * The checkpoint's text, ready to be signed as a note.
 * @throws TlogError `checkpoint-malformed`, or `note-malformed` for control characters
 */
export const formatCheckpointText = (checkpoint: Checkpoint): string => {
  const { origin, size, root, extensions } = checkpoint;
  const lines = [origin, ...extensions];
  if (lines.some((line) => line === "" || line.includes("\n"))) {
    throw malformed("the lines of a checkpoint are not empty");
  }
  if (!isCount(size)) throw malformed("a tree size is a whole number from 0 to 2^53 - 1");
  if (root.length !== HASH_SIZE) throw malformed("a root hash has 32 bytes");
  const tail = extensions.map((line) => `${line}\n`).join("");
  const text = `${origin}\n${size}\n${toBase64(root)}\n${tail}`;
  assertNoteCharacters(text);
  return text;
};

/**
 * Parses the text of a checkpoint (not of the signed note around it). Text that comes out of
 * `openNote` has no control characters; this looks at the structure only.
 * @throws TlogError `checkpoint-malformed`
 */
export const parseCheckpointText = (text: string): Checkpoint => {
  if (!text.endsWith("\n")) throw malformed("a checkpoint ends in a newline");
  const lines = text.slice(0, -1).split("\n");
  if (lines.includes("")) throw malformed("the lines of a checkpoint are not empty");
  const [origin, sizeLine, rootLine, ...extensions] = lines;
  if (origin === undefined || sizeLine === undefined || rootLine === undefined) {
    throw malformed("a checkpoint has an origin, a size and a root");
  }
  const size = parseDecimal(sizeLine);
  if (size === undefined) throw malformed("not a tree size");
  let root: Uint8Array;
  try {
    root = fromBase64(rootLine);
  } catch (cause) {
    throw malformed("the root hash is not canonical base64", cause);
  }
  if (root.length !== HASH_SIZE) throw malformed("a root hash has 32 bytes");
  return { origin, size, root, extensions };
};
