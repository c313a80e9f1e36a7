// A checkpoint by the pinned policy: of this lane's log, signed, cosigned by a quorum. Whether its
// root is ours is asked elsewhere: what fails here is no evidence against anybody, and is not
// believed.
import {
  checkCheckpoint,
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

/** When a checkpoint had its quorum, ms: the newest cosignature says it to the second. */
export const cosignedAtMs = (cosignedBy: readonly Cosigner[]): number =>
  Math.max(0, ...cosignedBy.map(({ time }) => time * 1_000));
