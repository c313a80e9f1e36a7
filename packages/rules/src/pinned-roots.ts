// Participants' root keys are pinned out of band (`decisions.md`): whatever the operators register later
// needs them. Only who holds them sees a participant that never was, or one with another's name.
import type { KeyHistory } from "./key-history.ts";

/** Verifier key of each participant's first root key. */
export type PinnedRoots = ReadonlyMap<string, string>;

export type RootFault = {
  readonly code: "root-unpinned" | "root-mismatch";
  readonly detail: string;
};

/**
 * Holds the root key with which each participant entered against what was pinned. A root that was
 * replaced later was replaced with its own signature, which the key log's fold has judged.
 */
export const rootFault = (history: KeyHistory, roots: PinnedRoots): RootFault | undefined => {
  const seen = new Set<string>();
  for (const { participants } of history.states) {
    for (const [participant, { rootKey }] of participants) {
      if (seen.has(participant)) continue;
      seen.add(participant);
      const pinned = roots.get(participant);
      if (pinned === undefined) {
        return { code: "root-unpinned", detail: `no root key of ${participant} was pinned` };
      }
      if (pinned !== rootKey) {
        return { code: "root-mismatch", detail: `${participant} entered with another root key` };
      }
    }
  }
  return undefined;
};
