/**
 * The body of `POST <prefix>/add-checkpoint` (c2sp.org/tlog-witness): old size, consistency
 * proof, empty line, signed checkpoint. Who may be cosigned, and whether the proof holds, is the
 * witness's business; this is the form only. The answer is signature lines: parse them with
 * `parseSignatureLine`, or append them to the checkpoint and `openNote` it.
 */
import { toBase64 } from "./bytes.ts";
import { TlogError } from "./errors.ts";
import { HASH_SIZE } from "./hash.ts";
import { MAX_PROOF_HASHES, parseHashLine, splitHead } from "./hash-lines.ts";
import { parseNote } from "./note.ts";
import { isCount, parseDecimal } from "./numbers.ts";

/** A request to cosign. `oldSize` is what the witness last cosigned; `checkpoint` is the note. */
export type AddCheckpoint = {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: string;
};

/** Largest body that witnesses in use accept, in bytes; for the server that reads it. */
export const MAX_ADD_CHECKPOINT_SIZE = 16 * 1024;

/**
 * A header of ours, base64: the root that the log has at the old size. A proof of growth from a power of two
 * leaves it out, and a witness that refuses one could not show anybody what the log went on from.
 */
export const OLD_ROOT_HEADER = "sealane-old-root";

const malformed = (message: string, cause?: unknown): TlogError =>
  new TlogError("witness-request-malformed", message, cause);

const assertNote = (note: string): void => {
  try {
    parseNote(note);
  } catch (cause) {
    throw malformed("what follows the proof is not a signed note", cause);
  }
};

/**
 * Writes the body of a request.
 * @throws TlogError `witness-request-malformed` when a parser would refuse it
 */
export const formatAddCheckpoint = (request: AddCheckpoint): string => {
  const { oldSize, proof, checkpoint } = request;
  if (!isCount(oldSize)) throw malformed("not a tree size");
  if (proof.length > MAX_PROOF_HASHES) throw malformed("a proof has at most 63 hashes");
  if (proof.some((hash) => hash.length !== HASH_SIZE)) throw malformed("a hash has 32 bytes");
  assertNote(checkpoint);
  return `${[`old ${oldSize}`, ...proof.map(toBase64)].join("\n")}\n\n${checkpoint}`;
};

/**
 * Parses the body of a request, strictly. The checkpoint is a well-formed note, and no more.
 * @throws TlogError `witness-request-malformed` (a witness answers 400)
 */
export const parseAddCheckpoint = (body: string): AddCheckpoint => {
  const head = splitHead(body);
  if (head === undefined) throw malformed("a request has an empty line before its checkpoint");
  const [oldLine = "", ...lines] = head.lines;
  const oldSize = oldLine.startsWith("old ") ? parseDecimal(oldLine.slice(4)) : undefined;
  if (oldSize === undefined) throw malformed("a request starts with the old size");
  if (lines.length > MAX_PROOF_HASHES) throw malformed("a proof has at most 63 hashes");
  const proof = lines.map((line) => {
    const hash = parseHashLine(line);
    if (hash === undefined) throw malformed("a line of the proof is not a hash");
    return hash;
  });
  assertNote(head.rest);
  return { oldSize, proof, checkpoint: head.rest };
};
