// Waiting for a state, never for a time: polls until there is a value, and fails with what was awaited.
import { setTimeout as delay } from "node:timers/promises";

/** @throws Error naming `what` when nothing was there within `deadlineMs` */
export const eventually = async <T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  deadlineMs = 30_000,
): Promise<T> => {
  const until = Date.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) throw new Error(`did not happen: ${what}`, { cause: last });
    await delay(20);
  }
};
