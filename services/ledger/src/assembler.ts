// Puts a batch's entries on the chain: previous hashes, the operator's signatures, leaf hashes, the
// tree and its checkpoint. One entry's hash is in the next one's text, so this is sequential work,
// done in a thread of its own. Pure but for the keys it holds: same drafts, same bytes.
import { readKeyFile, type KeyMaterial } from "@sealane/signer";
import {
  entryText,
  maxEntryBytes,
  statementText,
  zeroHash,
  type EntryDraft,
} from "@sealane/protocol";
import type { Refusal } from "@sealane/protocol";
import {
  appendLeaves,
  composeNote,
  formatCheckpointText,
  leafHash,
  rangeRoot,
  signNoteLine,
  toBase64,
  utf8,
} from "@sealane/tlog";
import type { LogHead } from "./lane-load.ts";
import type { AssembledEntry } from "./batch-to-save.ts";

export type AssembleRequest = {
  readonly head: LogHead;
  readonly drafts: readonly EntryDraft[];
  readonly refusals: readonly Refusal[];
};

export type AssembledBatch = {
  readonly entries: readonly AssembledEntry[];
  readonly refusalNotes: readonly string[];
  readonly head: LogHead;
  /** The checkpoint of the new size, signed by the log's checkpoint key. */
  readonly checkpoint: string;
};

export type AssemblerKeys = { readonly entry: KeyMaterial; readonly checkpoint: KeyMaterial };

export const readAssemblerKeys = (entryPath: string, checkpointPath: string): AssemblerKeys => ({
  entry: readKeyFile(entryPath),
  checkpoint: readKeyFile(checkpointPath),
});

const sign = ({ name, seed }: KeyMaterial, text: string): string =>
  composeNote(text, [signNoteLine(name, seed, text)]);

/** Signs the tree head of `head`. */
export const signCheckpoint = (key: KeyMaterial, origin: string, { frontier }: LogHead): string =>
  sign(
    key,
    formatCheckpointText({
      origin,
      size: frontier.size,
      root: rangeRoot(frontier),
      extensions: [],
    }),
  );

export const assemble = (
  origin: string,
  keys: AssemblerKeys,
  { head, drafts, refusals }: AssembleRequest,
): AssembledBatch => {
  const chainHashes = new Map(head.chainHashes);
  const entries: AssembledEntry[] = [];
  let { lastHash } = head;
  for (const draft of drafts) {
    const prev = toBase64(lastHash);
    const chainPrev = (participant: string): string => {
      const hash = chainHashes.get(participant);
      return hash === undefined ? zeroHash : toBase64(hash);
    };
    // What follows from the log is said by the ledger itself.
    const inner = draft.ownInner === true ? sign(keys.entry, draft.inner) : draft.inner;
    const note = sign(keys.entry, entryText(origin, { ...draft, inner }, prev, chainPrev));
    const bytes = utf8(note);
    if (bytes.length > maxEntryBytes) {
      throw new Error(`broken invariant: entry ${draft.seq} has ${bytes.length} bytes`);
    }
    lastHash = leafHash(bytes);
    for (const { participant } of draft.chains) chainHashes.set(participant, lastHash);
    entries.push({ seq: draft.seq, note, leafHash: lastHash });
  }
  const leaves = entries.map(({ leafHash: hash }) => hash);
  const next: LogHead = {
    lastHash,
    chainHashes,
    frontier: appendLeaves(head.frontier, leaves),
  };
  return {
    entries,
    refusalNotes: refusals.map((body) => sign(keys.entry, statementText(origin, "refusal", body))),
    head: next,
    checkpoint: signCheckpoint(keys.checkpoint, origin, next),
  };
};
