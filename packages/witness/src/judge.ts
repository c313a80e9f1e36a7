// The protocol's checks, pure, in the order of tlog-witness.md: form (400), known origin (404), the
// log's signature (403), old size against checkpoint (400) and against what was cosigned (409), and
// growth (422). A log's valid signature on a checkpoint that contradicts ours is evidence.
import {
  EMPTY_ROOT,
  composeNote,
  equalBytes,
  oldRootWithin,
  openParsedNote,
  parseAddCheckpoint,
  parseCheckpointText,
  parseHashLine,
  parseNote,
  TlogError,
  verifyConsistency,
  type AddCheckpoint,
  type Checkpoint,
  type Note,
  type Verifier,
} from "@sealane/tlog";
import type { WitnessAnswer, WitnessHead } from "./witness-types.ts";

/** A well-formed request that the log of a known origin signed. */
export type SignedRequest = {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** What the client says that the log's root is at the old size; nobody has checked it. */
  readonly oldRoot: Uint8Array | undefined;
  readonly checkpoint: Checkpoint;
  readonly text: string;
  /** The lines of the log's keys, which were verified; unknown lines are dropped. */
  readonly logLines: readonly string[];
  /** The checkpoint with the log's lines only. */
  readonly note: string;
};

export type Evidence = "two-roots-for-one-size" | "growth-not-proven" | "refused-by-owner";

export type Refusal = {
  readonly ok: false;
  readonly answer: WitnessAnswer;
  readonly evidence?: Evidence;
};

/** Reads a request and checks all that needs no memory. */
export function readRequest(
  body: string,
  verifiersOf: ReadonlyMap<string, readonly Verifier[]>,
  saidRoot?: string,
): { readonly ok: true; readonly request: SignedRequest } | Refusal {
  let parsed: AddCheckpoint;
  let note: Note;
  let checkpoint: Checkpoint;
  try {
    parsed = parseAddCheckpoint(body);
    note = parseNote(parsed.checkpoint);
    checkpoint = parseCheckpointText(note.text);
  } catch (error) {
    if (error instanceof TlogError) return refuse(400, error.message);
    throw error;
  }
  const verifiers = verifiersOf.get(checkpoint.origin);
  if (verifiers === undefined) return refuse(404, "the origin is not known here");
  const logLines = verifiedLines(note, verifiers);
  if (logLines === undefined) return refuse(403, "no valid signature of the log");
  const { oldSize, proof } = parsed;
  if (oldSize > checkpoint.size) return refuse(400, "the old size is above the checkpoint's");
  const { text } = note;
  const clean = composeNote(text, logLines);
  const oldRoot = saidRoot === undefined ? undefined : parseHashLine(saidRoot);
  const request = { oldSize, proof, oldRoot, checkpoint, text, logLines, note: clean };
  return { ok: true, request };
}

/** Checks a request against what was cosigned last. */
export function judge(
  request: SignedRequest,
  head: WitnessHead | undefined,
): { readonly ok: true } | Refusal {
  const { checkpoint, oldSize, proof } = request;
  const size = head?.size ?? 0;
  const root = head?.root ?? EMPTY_ROOT;
  const keeping = (refusal: Refusal): Refusal => {
    const evidence = evidenceOf(request, size, root);
    return evidence === undefined ? refusal : { ...refusal, evidence };
  };
  if (oldSize !== size) return keeping(refuse(409, String(size), "text/x.tlog.size"));
  try {
    verifyConsistency(oldSize, checkpoint.size, proof, root, checkpoint.root);
    return { ok: true };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return keeping(refuse(422, error.message));
  }
}

/**
 * What a checkpoint that the log signed says against it. Of one that is larger: the proof that came with it
 * may give the size that was cosigned another root (of a power of two with the root that the client says), and
 * then it is as good as two roots. A proof that is
 * none may be the sender's, who can be anybody: it counts for less, and a bad one of our own head for nothing.
 */
function evidenceOf(
  { checkpoint, oldSize, proof, oldRoot }: SignedRequest,
  size: number,
  root: Uint8Array,
): Evidence | undefined {
  if (checkpoint.size === size) {
    return equalBytes(checkpoint.root, root) ? undefined : "two-roots-for-one-size";
  }
  if (oldSize !== size || size === 0) return undefined;
  const found = rootWithin(size, checkpoint, proof, oldRoot);
  if (found === undefined) return "growth-not-proven";
  return equalBytes(found, root) ? undefined : "two-roots-for-one-size";
}

function rootWithin(
  size: number,
  checkpoint: Checkpoint,
  proof: readonly Uint8Array[],
  said: Uint8Array | undefined,
): Uint8Array | undefined {
  try {
    return oldRootWithin(size, checkpoint.size, proof, checkpoint.root, said);
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}

/** A refusal; the text is for people, but for 409, where it is the size. */
export function refuse(
  status: WitnessAnswer["status"],
  text: string,
  contentType = "text/plain; charset=utf-8",
): Refusal {
  return { ok: false, answer: { status, contentType, body: `${text}\n` } };
}

function verifiedLines(note: Note, verifiers: readonly Verifier[]): readonly string[] | undefined {
  try {
    return openParsedNote(note, verifiers).verified.map((signature) => signature.line);
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}
