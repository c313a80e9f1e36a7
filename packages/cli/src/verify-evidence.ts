// What a witness keeps of a log that signed two histories (`packages/witness`, evidence), judged offline by a
// pinned policy: two checkpoints by the log's own key, of one size, with two roots. Nobody has to be believed
// for it, the witness neither. Pure.
import { parseStrictJson } from "@sealane/protocol";
import {
  checkCheckpoint,
  equalBytes,
  TlogError,
  toBase64,
  type CheckedCheckpoint,
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

const contradict = (one: CheckedCheckpoint, other: CheckedCheckpoint): EvidenceVerdict => {
  const { origin, size, root } = one.checkpoint;
  if (other.checkpoint.origin !== origin) return no("wrong-log", "they are of two logs");
  if (other.checkpoint.size !== size) {
    const detail = `one is of ${size} entries, the other of ${other.checkpoint.size}: a log may grow`;
    return no("evidence-inconclusive", detail);
  }
  if (equalBytes(other.checkpoint.root, root)) return no("evidence-inconclusive", "one root");
  return {
    ok: true,
    origin,
    size,
    roots: [toBase64(root), toBase64(other.checkpoint.root)],
    cosignedBy: one.cosignedBy.map(({ name }) => name),
  };
};

/** Judges a file of a witness's evidence. */
export const verifyEvidence = (text: string, policy: TlogPolicy): EvidenceVerdict => {
  const json = parseStrictJson(text);
  const value = json.ok && typeof json.value === "object" ? json.value : null;
  const { cosigned, offered } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (cosigned === null) return no("evidence-inconclusive", "there is only one checkpoint in it");
  if (typeof cosigned !== "string" || typeof offered !== "string") {
    return no("evidence-malformed", "no file that a witness keeps as evidence");
  }
  try {
    return contradict(checkCheckpoint(policy, cosigned), checkCheckpoint(policy, offered));
  } catch (error) {
    if (error instanceof TlogError) return no(error.code, error.message);
    throw error;
  }
};
