// Cosigned checkpoints against recomputed roots. A seal often comes later than its entries, so the
// root of each size that may be sealed is kept until a newer one is.
import { formatTime } from "@sealane/protocol";
import {
  checkCheckpoint,
  fromBase64,
  equalBytes,
  parseCheckpointText,
  parseNote,
  TlogError,
  type TlogPolicy,
} from "@sealane/tlog";
import type { Bad } from "./judge.ts";

/** Verifiers refuse an entry whose time is over 2 s later than the cosignatures that cover it. */
const aheadMs = 2_000;
/** A cosignature's time is in whole seconds, rounded down. */
const secondMs = 1_000;
const mostPending = 4_096;

export type Root = { readonly size: number; readonly root: string; readonly timeMs: number };

export type Seal = { readonly size: number; readonly note: string; readonly timeMs: number };

export type SealResult =
  | { readonly kind: "sealed"; readonly seal: Seal }
  /** Older than what is sealed, or of a size whose root is not at hand. */
  | { readonly kind: "passed" }
  /** No checkpoint that counts: not of this log, not signed, or without a quorum. */
  | { readonly kind: "refused"; readonly detail: string }
  /** A cosigned checkpoint contradicts the entries. */
  | { readonly kind: "contradiction"; readonly bad: Bad };

/** The size of a checkpoint, before anything else is known of it. */
export const sizeOf = (note: string): number | undefined => {
  try {
    return parseCheckpointText(parseNote(note).text).size;
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
};

export type Seals = ReturnType<typeof makeSeals>;

export const makeSeals = (
  policy: TlogPolicy,
  origin: string,
  stored: { readonly pending: readonly Root[]; readonly sealedSize: number; readonly note: string },
) => {
  const pending = new Map(stored.pending.map((root) => [root.size, root]));
  let sealed: Seal = { size: stored.sealedSize, note: stored.note, timeMs: 0 };

  const judge = (note: string, known: Root): SealResult => {
    let checked;
    try {
      checked = checkCheckpoint(policy, note);
    } catch (error) {
      if (error instanceof TlogError) return { kind: "refused", detail: error.message };
      throw error;
    }
    if (checked.log.name !== origin) return { kind: "refused", detail: `of ${checked.log.name}` };
    if (!checked.quorum) return { kind: "refused", detail: "too few cosignatures" };
    const { size } = known;
    const contradiction = (code: string, detail: string): SealResult => ({
      kind: "contradiction",
      bad: { position: size, code, detail },
    });
    if (!equalBytes(checked.checkpoint.root, fromBase64(known.root))) {
      return contradiction("root-mismatch", `the cosigned checkpoint of ${size} has another root`);
    }
    const timeMs = Math.max(...checked.cosignedBy.map(({ time }) => time)) * secondMs;
    if (known.timeMs > timeMs + secondMs + aheadMs) {
      const times = `${formatTime(known.timeMs)}, cosigned at ${formatTime(timeMs)}`;
      return contradiction("time-ahead", `entry ${size - 1} says ${times}`);
    }
    return { kind: "sealed", seal: { size, note, timeMs } };
  };

  return {
    /** The root of a size that may be sealed; log time of its last entry. */
    expect: (root: Root): void => {
      if (root.size <= sealed.size) return;
      pending.set(root.size, root);
      const oldest = pending.keys().next();
      if (pending.size > mostPending && !oldest.done) pending.delete(oldest.value);
    },
    /** Judges a checkpoint, and moves on when it stands. */
    take: (note: string): SealResult => {
      const size = sizeOf(note);
      if (size === undefined) return { kind: "refused", detail: "not a checkpoint" };
      const known = pending.get(size);
      if (size <= sealed.size || known === undefined) return { kind: "passed" };
      const result = judge(note, known);
      if (result.kind !== "sealed") return result;
      sealed = result.seal;
      for (const older of pending.keys()) if (older <= size) pending.delete(older);
      return result;
    },
    sealed: (): Seal => sealed,
    pending: (): Root[] => [...pending.values()],
  };
};
