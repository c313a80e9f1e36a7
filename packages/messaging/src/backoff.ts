// Pauses and limits of time. The pause before another try doubles up to a cap, half of it random, so
// that many clients of one broker do not come back in step.
import { setTimeout as delay } from "node:timers/promises";

const FIRST_MS = 20;
const CAP_MS = 1_000;

/** Waits 20 ms, 40 ms … 1 s (half of it random); returns at once when `signal` is aborted. */
export async function backoff(attempt: number, signal: AbortSignal): Promise<void> {
  const full = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  const wait = full / 2 + (Math.random() * full) / 2;
  await delay(wait, undefined, { signal }).catch(() => undefined);
}

/** Resolves when `work` has settled, or after `limitMs`: whichever comes first. */
export async function settledWithin(work: Promise<unknown>, limitMs: number): Promise<void> {
  const limit = new AbortController();
  const late = delay(limitMs, undefined, { signal: limit.signal }).catch(() => undefined);
  await Promise.race([work.catch(() => undefined), late]);
  limit.abort();
}
