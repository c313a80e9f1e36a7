// Trying again what a server that is still starting refused. Only errors that call themselves
// retryable are repeated, and a deadline ends it with the last of them.
import { setTimeout as delay } from "node:timers/promises";

const pauseMs = 1_000;

const isRetryable = (error: unknown): boolean =>
  error instanceof Error && "retryable" in error && error.retryable === true;

/** The work's result; throws what cannot be retried at once, else the last error at the deadline. */
export const retryUntil = async <T>(
  deadlineMs: number,
  work: () => Promise<T>,
  waitMs: number = pauseMs,
): Promise<T> => {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error) || performance.now() + waitMs > deadline) throw error;
    }
    await delay(waitMs);
  }
};
