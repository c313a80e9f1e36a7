// What a witness keeps of a log that signed two histories (`packages/witness`, evidence), judged offline by a
// pinned policy: two checkpoints by the log's own key that cannot both be true. Either they are of one size
// with two roots, or the larger comes with a proof of its own growth, in which the smaller's root is another.
// Nobody has to be believed for it, the witness neither. Pure.
import { parseStrictJson } from "@sealane/protocol";
import {
  checkCheckpoint,
  equalBytes,
  fromBase64,
  oldRootWithin,
  TlogError,
  toBase64,
  type CheckedCheckpoint,
  type Checkpoint,
  type TlogPolicy,
} from "@sealane/tlog";

export type EvidenceVerdict =
  | {
      readonly ok: true;
      readonly origin: string;
      readonly size: number;
      readonly roots: readonly [string, string];
      /** Witnesses of the policy that cosigned the first. */
      readonly cosignedBy: readonly string[];
    }
  | { readonly ok: false; readonly code: string; readonly detail: string };

const no = (code: string, detail: string): EvidenceVerdict => ({ ok: false, code, detail });

/** Whether a file is what a witness keeps, by its beginning. */
export const isEvidence = (text: string): boolean => /^\{\s*"kind": ?"/.test(text);

/** What came with the checkpoint that was offered: from which size it was to be shown to have grown. */
type Growth = { readonly oldSize: unknown; readonly proof: unknown; readonly oldRoot: unknown };

/**
 * The root that the offered checkpoint gives the log at the size that was cosigned.
 * @throws TlogError when its proof is none
 */
const rootAt = (size: number, offered: Checkpoint, { oldSize, proof, oldRoot }: Growth) => {
  if (offered.size === size) return offered.root;
  if (oldSize !== size || offered.size < size || !Array.isArray(proof)) return undefined;
  const hashes = proof as readonly unknown[];
  if (!hashes.every((hash) => typeof hash === "string")) return undefined;
  // A proof from a power of two leaves the old root out; whoever says it has to fit the proof all the same.
  const said = typeof oldRoot === "string" ? fromBase64(oldRoot) : undefined;
  return oldRootWithin(size, offered.size, hashes.map(fromBase64), offered.root, said);
};

const contradict = (
  one: CheckedCheckpoint,
  other: CheckedCheckpoint,
  growth: Growth,
): EvidenceVerdict => {
  const { origin, size, root } = one.checkpoint;
  const offered = other.checkpoint;
  if (offered.origin !== origin) return no("wrong-log", "they are of two logs");
  const second = rootAt(size, offered, growth);
  if (second === undefined) {
    const detail = `one is of ${size} entries, the other of ${offered.size}: a log may grow`;
    return no("evidence-inconclusive", detail);
  }
  if (equalBytes(second, root)) return no("evidence-inconclusive", "one root");
  return {
    ok: true,
    origin,
    size,
    roots: [toBase64(root), toBase64(second)],
    cosignedBy: one.cosignedBy.map(({ name }) => name),
  };
};

/** Judges a file of a witness's evidence. */
export const verifyEvidence = (text: string, policy: TlogPolicy): EvidenceVerdict => {
  const json = parseStrictJson(text);
  const value = json.ok && typeof json.value === "object" ? json.value : null;
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  const { cosigned, offered, oldSize, proof, oldRoot } = fields;
  if (cosigned === null) return no("evidence-inconclusive", "there is only one checkpoint in it");
  if (typeof cosigned !== "string" || typeof offered !== "string") {
    return no("evidence-malformed", "no file that a witness keeps as evidence");
  }
  try {
    const growth = { oldSize, proof, oldRoot };
    return contradict(checkCheckpoint(policy, cosigned), checkCheckpoint(policy, offered), growth);
  } catch (error) {
    if (error instanceof TlogError) return no(error.code, error.message);
    throw error;
  }
};
