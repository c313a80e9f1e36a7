// What one lane has let go, carried to another: the entry whole, and a proof that it is in a log which its
// lane's key has signed. Whoever holds a policy says whether the checkpoint is sealed too (`sealed`); the
// ledger does before it takes anything in, auditors do, and nobody else has to believe either of them.
import { headerOf, type Carried } from "@sealane/protocol";
import {
  checkCheckpoint,
  leafHash,
  parseCheckpointText,
  parseNote,
  parseProof,
  parseVerifierKey,
  toBase64,
  TlogError,
  verifyInclusion,
  type Note,
  type TlogPolicy,
  type VerifierKey,
} from "@sealane/tlog";
import { no, signedBy, type EntryFault } from "./entry-signatures.ts";
import type { KeyHistory } from "./key-history.ts";
import type { KeyState } from "./key-state.ts";
import type { EntryChecks, EntryResult, VerifiedEntry } from "./verify-entry.ts";

/** Whether a checkpoint is sealed under a policy: cosigned by its quorum. */
export const sealedBy =
  (policy: TlogPolicy) =>
  (checkpoint: string): EntryFault | undefined => {
    const { quorum } = checkCheckpoint(policy, checkpoint);
    if (quorum && policy.quorum !== "none") return undefined;
    return no("quorum-missing", "too few witnesses have cosigned the other lane's checkpoint");
  };

export type CarriedEntry = { readonly entry: VerifiedEntry; readonly leaf: string };

/** The keys by which a checkpoint may be signed: named by one of these states of the key log. */
const laneKeys = (states: KeyHistory["states"], origin: string): VerifierKey[] => {
  const vkeys = states
    .flatMap(({ lanes }) => lanes?.lanes.filter((lane) => lane.origin === origin) ?? [])
    .map(({ vkey }) => vkey);
  return [...new Set(vkeys)].map(parseVerifierKey);
};

const provenFault = (inner: string, note: Note, { from }: Carried, parsed: ParsedProof) => {
  const { origin, size, root } = parseCheckpointText(note.text);
  if (origin !== from) return no("wrong-log", `the proof is of ${origin}`);
  verifyInclusion(leafHash(inner), parsed.index, size, parsed.hashes, root);
  return undefined;
};

type ParsedProof = ReturnType<typeof parseProof>;

/**
 * Judges what is carried.
 * @param keys in force where it is taken in: both lanes are in the key log
 * @param judge an entry by itself, as a verifier of its log does
 */
export const carriedEntry = (
  checks: EntryChecks,
  keys: KeyState,
  body: Carried,
  inner: string | undefined,
  judge: (entry: string, checks: EntryChecks) => EntryResult,
): CarriedEntry | EntryFault => {
  const { from, proof } = body;
  if (inner === undefined) return no("statement-malformed", "no entry of another lane below it");
  // A lane of a period that is over is in no record any more, and still lets its slots go.
  const known = keys.laneRecords.some(({ lanes }) => lanes.some(({ origin }) => origin === from));
  if (from === checks.origin || !known) return no("lane-unknown", `${from} is no other lane`);
  const judged = judge(inner, { ...checks, origin: from, sheetOf: undefined });
  if (!judged.ok) return judged;
  const { entry } = judged;
  const { size } = entry.context.keys;
  // Whoever has the key log as far as this entry cites it can judge all of it.
  if (size > keys.size)
    return no("keys-behind", `what is carried cites ${size}, this ${keys.size}`);
  try {
    const parsed = parseProof(proof);
    if (parsed.extra !== undefined || parsed.index !== entry.context.seq) {
      return no("proof-malformed", `it is not the proof of entry ${entry.context.seq} alone`);
    }
    const note = parseNote(parsed.checkpoint);
    const fault = provenFault(inner, note, body, parsed) ?? checks.sealed?.(parsed.checkpoint);
    if (fault !== undefined) return fault;
    const signers = laneKeys(checks.history.states.slice(size, keys.size + 1), from);
    if (checks.signatures && !signers.some((key) => signedBy(note, key, checks))) {
      return no("signature-missing", `no key of ${from} has signed the checkpoint`);
    }
  } catch (error) {
    if (error instanceof TlogError) return no(error.code, error.message);
    throw error;
  }
  return { entry, leaf: toBase64(leafHash(inner)) };
};

/** What a record of the topic carries, before any lane decides on it. */
export type CarriedFrame = { readonly entry: string; readonly proof: string };

/** The lane that an entry is of, by its first line: who has let it go is judged with it. */
export const carriedBody = ({ entry, proof }: CarriedFrame): Carried => ({
  from: headerOf(entry)?.origin ?? "",
  proof,
});
