/**
 * Receipts: c2sp.org/tlog-proof files. Opaque extra data, the index of an entry, its inclusion
 * proof and a signed checkpoint in one text that verifies offline. Parsing is strict (one value,
 * one spelling) and proves nothing: check the checkpoint, then the inclusion of the leaf.
 */
import { fromBase64, toBase64 } from "./bytes.ts";
import { parseCheckpointText } from "./checkpoint.ts";
import { TlogError } from "./errors.ts";
import { HASH_SIZE } from "./hash.ts";
import { MAX_PROOF_HASHES, parseHashLine, splitHead } from "./hash-lines.ts";
import { parseNote } from "./note.ts";
import { isCount, parseDecimal } from "./numbers.ts";

/**
 * A tlog-proof. `extra` is not authenticated by the format; `hashes` go from the leaf's sibling
 * up; `checkpoint` is the whole signed note.
 */
export type TlogProof = {
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: string;
};

const HEADER = "c2sp.org/tlog-proof@v1";

const malformed = (message: string, cause?: unknown): TlogError =>
  new TlogError("proof-malformed", message, cause);

const assertCheckpoint = (note: string): void => {
  try {
    parseCheckpointText(parseNote(note).text);
  } catch (cause) {
    throw malformed("what follows the proof is not a signed checkpoint", cause);
  }
};

/**
 * Writes a tlog-proof.
 * @throws TlogError `proof-malformed` when a parser would refuse it (extra data, when given, is
 * not empty: the format has no line for that)
 */
export const formatProof = (proof: TlogProof): string => {
  const { extra, index, hashes, checkpoint } = proof;
  if (extra?.length === 0) throw malformed("extra data is not empty");
  if (!isCount(index)) throw malformed("not an index");
  if (hashes.length > MAX_PROOF_HASHES) throw malformed("a proof has at most 63 hashes");
  if (hashes.some((hash) => hash.length !== HASH_SIZE)) throw malformed("a hash has 32 bytes");
  assertCheckpoint(checkpoint);
  const head = [HEADER];
  if (extra !== undefined) head.push(`extra ${toBase64(extra)}`);
  head.push(`index ${index}`, ...hashes.map(toBase64));
  return `${head.join("\n")}\n\n${checkpoint}`;
};

const parseExtra = (line: string): Uint8Array => {
  let extra: Uint8Array;
  try {
    extra = fromBase64(line.slice("extra ".length));
  } catch (cause) {
    throw malformed("extra data is not canonical base64", cause);
  }
  if (extra.length === 0) throw malformed("extra data is not empty");
  return extra;
};

const parseIndex = (line: string | undefined): number => {
  const index = line?.startsWith("index ") ? parseDecimal(line.slice("index ".length)) : undefined;
  if (index === undefined) throw malformed("a proof says the index of its entry");
  return index;
};

/**
 * Parses a tlog-proof; the checkpoint in it is looked at for its form only.
 * @throws TlogError `proof-malformed`
 */
export const parseProof = (text: string): TlogProof => {
  const head = splitHead(text);
  if (head === undefined) throw malformed("a proof has an empty line before its checkpoint");
  const [header, ...lines] = head.lines;
  if (header !== HEADER) throw malformed(`a proof starts with ${HEADER}`);
  const extra = lines[0]?.startsWith("extra ") ? parseExtra(lines[0]) : undefined;
  if (extra !== undefined) lines.shift();
  const index = parseIndex(lines.shift());
  if (lines.length > MAX_PROOF_HASHES) throw malformed("a proof has at most 63 hashes");
  const hashes = lines.map((line) => {
    const hash = parseHashLine(line);
    if (hash === undefined) throw malformed("a line of the proof is not a hash");
    return hash;
  });
  assertCheckpoint(head.rest);
  const proof = { index, hashes, checkpoint: head.rest };
  return extra === undefined ? proof : { extra, ...proof };
};
