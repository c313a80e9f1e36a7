/**
 * Judging a checkpoint by a policy: signed by a log of the policy under its own name, cosigned
 * by witnesses of the policy, and is that a quorum. Each name is a member of one group at most,
 * so the quorum is a tree and a smallest sufficient set can be picked greedily.
 */
import { parseCheckpointText } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { cosignatureTime } from "./cosignature.ts";
import { TlogError } from "./errors.ts";
import { parseNote } from "./note.ts";
import { openParsedNote, verifierFor } from "./open-note.ts";
import type { TlogPolicy } from "./policy.ts";
import type { VerifierKey } from "./verifier-key.ts";

/** A witness of the policy (its name there) and the POSIX seconds of its cosignature. */
export type Cosigner = { readonly name: string; readonly time: number };

/** A checkpoint that a log of the policy signed, and how far it is witnessed. */
export type CheckedCheckpoint = {
  readonly checkpoint: Checkpoint;
  readonly log: VerifierKey;
  readonly cosignedBy: readonly Cosigner[];
  readonly quorum: boolean;
};

/** A smallest set of witnesses with which `name` has witnessed, of those that cosigned. */
const select = (
  policy: TlogPolicy,
  name: string,
  cosigned: ReadonlySet<string>,
): readonly string[] | undefined => {
  const group = policy.groups.find((one) => one.name === name);
  if (group === undefined) {
    const known = policy.witnesses.some((witness) => witness.name === name);
    return known && cosigned.has(name) ? [name] : undefined;
  }
  const witnessed = group.members
    .map((member) => select(policy, member, cosigned))
    .filter((members) => members !== undefined)
    .toSorted((a, b) => a.length - b.length);
  if (witnessed.length < group.threshold) return undefined;
  return witnessed.slice(0, group.threshold).flat();
};

/**
 * A smallest quorum among the witnesses that cosigned (names in the policy): empty when the
 * policy wants none, undefined when they are not enough. Of equally small ones, those that are
 * named first in the policy's groups.
 */
export const selectQuorum = (
  policy: TlogPolicy,
  witnessNames: ReadonlySet<string>,
): readonly string[] | undefined =>
  policy.quorum === "none" ? [] : select(policy, policy.quorum, witnessNames);

/** Whether these witnesses (names in the policy) make the policy's quorum. */
export const isQuorumMet = (policy: TlogPolicy, witnessNames: ReadonlySet<string>): boolean =>
  selectQuorum(policy, witnessNames) !== undefined;

/** The fewest witnesses that can meet the policy's quorum. */
export const quorumSize = (policy: TlogPolicy): number =>
  selectQuorum(policy, new Set(policy.witnesses.map((witness) => witness.name)))?.length ?? 0;

/**
 * Opens a signed checkpoint with the keys of a policy. **`quorum` is a result, not an error**:
 * a checkpoint without it is returned, and is only the log's own word.
 * @throws TlogError `note-malformed`, `checkpoint-malformed`; `note-unknown-key` when no log of
 * the policy that is named as the checkpoint's origin signed it; `note-bad-signature` when a
 * signature of that log or of a known witness fails
 */
export const checkCheckpoint = (policy: TlogPolicy, note: string): CheckedCheckpoint => {
  const parsed = parseNote(note);
  const checkpoint = parseCheckpointText(parsed.text);
  const logs = policy.logs
    .filter(({ key }) => key.name === checkpoint.origin)
    .map(({ key }) => ({ key, verifier: verifierFor(key) }));
  const witnesses = policy.witnesses.map(({ name, key }) => ({
    name,
    key,
    verifier: verifierFor(key),
  }));
  const verifiers = [...logs, ...witnesses].map(({ verifier }) => verifier);
  const { verified } = openParsedNote(parsed, verifiers);
  const signatureOf = (key: VerifierKey) =>
    verified.find(({ name, keyId }) => name === key.name && keyId === key.keyId);
  const log = logs.find(({ key }) => signatureOf(key) !== undefined)?.key;
  if (log === undefined) {
    throw new TlogError("note-unknown-key", "no log of the policy signed the checkpoint");
  }
  const cosignedBy: Cosigner[] = [];
  for (const { name, key } of witnesses) {
    const cosignature = signatureOf(key);
    if (cosignature === undefined) continue;
    cosignedBy.push({ name, time: cosignatureTime(cosignature.signature) });
  }
  const quorum = isQuorumMet(policy, new Set(cosignedBy.map(({ name }) => name)));
  return { checkpoint, log, cosignedBy, quorum };
};
