// Participants' root keys are pinned out of band (`decisions.md`): whatever the operators register later
// needs them. Only who holds them sees a participant that never was, or one with another's name.
import type { KeyHistory } from "./key-history.ts";

/** Verifier key of each participant's first root key, or of the one that replaced a lost one. */
export type PinnedRoots = ReadonlyMap<string, string>;

export type RootFault = {
  readonly code: "root-unpinned" | "root-mismatch" | "root-replaced";
  readonly detail: string;
};

type Begun = { readonly rootKey: string; readonly recoveredAt: number | undefined };

/** The root keys that nobody's signature leads to: at entry, and where two operators replaced a lost one. */
const beginnings = ({ states }: KeyHistory): Map<string, Begun[]> => {
  const found = new Map<string, Begun[]>();
  for (const { participants } of states) {
    for (const [participant, { rootKey, recoveredAt }] of participants) {
      const known = found.get(participant);
      if (known !== undefined && known.at(-1)?.recoveredAt === recoveredAt) continue;
      found.set(participant, [...(known ?? []), { rootKey, recoveredAt }]);
    }
  }
  return found;
};

/**
 * Holds the root key with which each participant began against what was pinned. A root that was
 * replaced with its own signature needs no new pin: the key log's fold has judged that. One that was
 * lost and replaced by operators fails until the auditor has asked the participant and pinned it anew.
 */
export const rootFault = (history: KeyHistory, roots: PinnedRoots): RootFault | undefined => {
  for (const [participant, begun] of beginnings(history)) {
    const pinned = roots.get(participant);
    const { rootKey, recoveredAt } = begun.at(-1) as Begun;
    if (pinned === rootKey) continue;
    if (pinned === undefined) {
      return { code: "root-unpinned", detail: `no root key of ${participant} was pinned` };
    }
    if (recoveredAt !== undefined && begun.some((one) => one.rootKey === pinned)) {
      const what = `${participant}: root replaced at key-log position ${recoveredAt}`;
      const how = "by two operators, without the root that you pinned";
      const todo = `Ask ${participant} itself; if it is theirs, pin ${rootKey}`;
      return { code: "root-replaced", detail: `${what}, ${how}. ${todo}` };
    }
    return { code: "root-mismatch", detail: `${participant} entered with another root key` };
  }
  return undefined;
};
