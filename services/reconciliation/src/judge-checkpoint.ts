// A checkpoint by the pinned policy: of this lane's log, signed, cosigned by a quorum. Whether its
// root is ours is asked elsewhere: what fails here is no evidence against anybody, and is not
// believed.
import {
  checkCheckpoint,
  isQuorumMet,
  TlogError,
  type Checkpoint,
  type Cosigner,
  type TlogPolicy,
} from "@sealane/tlog";

export type JudgedCheckpoint =
  | {
      readonly ok: true;
      readonly checkpoint: Checkpoint;
      readonly cosignedBy: readonly Cosigner[];
    }
  | { readonly ok: false; readonly code: string; readonly detail: string };

const no = (code: string, detail: string): JudgedCheckpoint => ({ ok: false, code, detail });

export const judgeCheckpoint = (
  policy: TlogPolicy,
  origin: string,
  note: string,
): JudgedCheckpoint => {
  try {
    const { checkpoint, cosignedBy, quorum } = checkCheckpoint(policy, note);
    if (checkpoint.origin !== origin) return no("wrong-log", checkpoint.origin);
    if (!quorum) return no("quorum-missing", `${cosignedBy.length} cosignatures are too few`);
    return { ok: true, checkpoint, cosignedBy };
  } catch (error) {
    if (error instanceof TlogError) return no(error.code, error.message);
    throw error;
  }
};

/** Verifiers refuse an entry whose log time is later than its cosignatures by more than this. */
const aheadMs = 2_000;

/**
 * Whether a quorum cosigned no earlier than 2 s before the log time of the last entry that it covers.
 * Cosignatures count whole seconds.
 */
export const isTimely = (
  policy: TlogPolicy,
  cosignedBy: readonly Cosigner[],
  lastTimeMs: number,
): boolean => {
  const timely = cosignedBy.filter(({ time }) => time * 1_000 + 999 + aheadMs >= lastTimeMs);
  return isQuorumMet(policy, new Set(timely.map(({ name }) => name)));
};

/** When a checkpoint had its quorum, ms: the newest cosignature says it to the second. */
export const cosignedAtMs = (cosignedBy: readonly Cosigner[]): number =>
  Math.max(0, ...cosignedBy.map(({ time }) => time * 1_000));
