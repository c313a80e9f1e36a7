// Waiting times between attempts: doubling, capped, and jittered, so that many clients that failed
// together do not come back together. Half of each step is fixed, so that no wait is near zero.
import { setTimeout as sleep } from "node:timers/promises";

export type BackoffOptions = {
  readonly baseMs: number;
  readonly capMs: number;
  /** A number in [0, 1), for tests. */
  readonly random?: () => number;
};

export type Backoff = {
  /** The next wait in milliseconds; each call counts as one more failure. */
  readonly nextMs: () => number;
  /** Call after a success. */
  readonly reset: () => void;
  /** Failures since the last success. */
  readonly attempts: () => number;
};

/**
 * A counter of failures that says how long to wait.
 * @example const wait = backoff({ baseMs: 50, capMs: 5_000 }); await pause(wait.nextMs());
 */
export function backoff({ baseMs, capMs, random = Math.random }: BackoffOptions): Backoff {
  let attempts = 0;
  return {
    nextMs() {
      const step = Math.min(capMs, baseMs * 2 ** Math.min(attempts, 30));
      attempts += 1;
      return Math.round(step / 2 + (random() * step) / 2);
    },
    reset() {
      attempts = 0;
    },
    attempts: () => attempts,
  };
}

/** Waits `ms`; returns early, without throwing, when the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
