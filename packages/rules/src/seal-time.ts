// When a checkpoint was sealed, and how much later than that the log time of what it covers may be. One
// rule for all who read a log: receipts, audits, reconciliation, and the verifiers in Go and Python.
import type { CheckedCheckpoint } from "@sealane/tlog";

/** How much later than its seal an entry's log time may be. */
export const clockSlackMs = 2_000;

/** The last instant that JavaScript can write. */
const latestMs = 8.64e15;

/**
 * When a checkpoint was sealed: the middle one of its cosignatures' times, of two the earlier, so that
 * no single witness that lies moves it, into the future (with the log's own time) or into the past
 * (which would make a sealed log be refused). Whole seconds, as cosignatures count them.
 */
export const sealTimeMs = ({ cosignedBy }: Pick<CheckedCheckpoint, "cosignedBy">): number => {
  const times = cosignedBy.map(({ time }) => time * 1_000).toSorted((a, b) => a - b);
  return Math.min(times[Math.floor((times.length - 1) / 2)] ?? 0, latestMs);
};

/** Whether the last entry that a checkpoint covers is not later than its seal bears out. */
export const isTimely = (
  sealed: Pick<CheckedCheckpoint, "cosignedBy">,
  lastTimeMs: number,
): boolean => lastTimeMs <= sealTimeMs(sealed) + clockSlackMs;
