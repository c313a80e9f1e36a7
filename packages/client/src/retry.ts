// When a call is repeated, and when not. Every call of this client may be repeated: reading has no
// effect, and what sends or cancels carries an idempotency key or an id, so the adapter and the
// ledger execute it once. Pure but for the dice.
import { AdapterRefusal, AdapterUnavailable } from "./adapter-error.ts";

export type RetryPolicy = {
  /** Tries in all, the first included. */
  readonly tries: number;
  readonly baseMs: number;
  readonly capMs: number;
};

export const defaultRetry: RetryPolicy = { tries: 5, baseMs: 100, capMs: 3_000 };

/** Thrown inside, for one try: the adapter said "not now", perhaps with `Retry-After`. */
export class NotNow extends AdapterUnavailable {
  readonly afterMs: number | undefined;

  constructor(message: string, afterMs: number | undefined) {
    super("adapter-not-ready", message);
    this.afterMs = afterMs;
  }
}

/**
 * How long to wait before the next try, or undefined when there is to be none.
 * @param failures tries that have failed, at least 1
 * @param random a number in [0, 1)
 */
export const waitBeforeRetry = (
  policy: RetryPolicy,
  failures: number,
  error: unknown,
  random: number,
): number | undefined => {
  // Refused (4xx): the same request gets the same answer, however often it is sent.
  if (error instanceof AdapterRefusal) return undefined;
  // A bug of ours or the caller's abort: not the adapter's doing.
  if (!(error instanceof AdapterUnavailable)) return undefined;
  // Enough: the caller hears that the outcome is unknown, and can go on with the same key.
  if (failures >= policy.tries) return undefined;
  // 503 with Retry-After: the adapter knows best, within reason.
  if (error instanceof NotNow && error.afterMs !== undefined) {
    return Math.min(error.afterMs, policy.capMs) * (1 + random / 4);
  }
  // Not reached, timed out, cut off, 5xx: perhaps executed, and the key makes repeating safe. Doubling
  // waits with jitter, so that many clients that failed together do not come back together.
  const step = Math.min(policy.capMs, policy.baseMs * 2 ** (failures - 1));
  return step / 2 + (random * step) / 2;
};
