// Sends records, at least once and in order. One produce request is in flight; whatever is sent
// meanwhile goes together in the next one: fewer, fatter requests without a timer. kafkajs's idempotent
// mode loses messages (61 of 40,144 in a run with connection resets), so it is never used: receivers
// dedupe. A request that failed is sent again over a new link until the sends' deadlines.
import { backoff, settledWithin } from "./backoff.ts";
import type { Link } from "./link.ts";
import { MessagingError, reasonOf } from "./messaging-error.ts";
import { produceAttempts } from "./produce-attempts.ts";
import { isWorthRetrying } from "./produce-faults.ts";
import { takeGroup, toChunks, type Chunk, type OutgoingRecord, type Send } from "./sends.ts";

export type SendOptions = {
  /** How long to try, in milliseconds. Default 30,000. */
  readonly deadlineMs?: number;
};

export type Producer = {
  /**
   * Resolves when all in-sync replicas have all records of `batch`. The records of one topic stay in
   * order, and in the order of the calls. Rejects with `unknown-outcome` (some may be stored, once or
   * twice), `failed`, `queue-full` or `closed` (none is stored).
   */
  send(batch: readonly OutgoingRecord[], options?: SendOptions): Promise<void>;
  /** Connects and looks the topics up, so that the first `send` is as quick as the others. */
  warm(topics: readonly string[]): Promise<void>;
  /** Records that were given to `send` and are not acknowledged yet. */
  pendingRecords(): number;
  /** Waits up to `graceMs` (default 1,000) for what is pending; rejects the rest. */
  stop(graceMs?: number): Promise<void>;
};

const DEADLINE_MS = 30_000;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
const SWEEP_MS = 100;

/** A producer over links that `openLink` makes; the first one is opened by the first `send`. */
export function createProducer(openLink: () => Link): Producer {
  const queue: Send[] = [];
  const unsettled = new Set<Send>();
  const attempts = produceAttempts(openLink);
  const stopping = new AbortController();
  let pump: Promise<void> | undefined;
  let pendingBytes = 0;
  let sweeper: NodeJS.Timeout | undefined;

  const enqueue = ({ records, bytes }: Chunk, deadlineAt: number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (error?: MessagingError): void => {
      if (send.settled) return;
      send.settled = true;
      unsettled.delete(send);
      pendingBytes -= bytes;
      if (error) reject(error);
      else resolve();
    };
    const send: Send = { records, bytes, deadlineAt, settle, settled: false, maybeStored: false };
    queue.push(send);
    unsettled.add(send);
    pendingBytes += bytes;
    sweeper ??= setInterval(sweep, SWEEP_MS);
    pump ??= drain().finally(() => (pump = undefined));
    return promise;
  };

  /** Rejects what is past its deadline, also in the middle of an attempt or a pause. */
  const sweep = (): void => {
    const now = Date.now();
    for (const send of unsettled) if (now >= send.deadlineAt) giveUp(send, "deadline passed");
    if (unsettled.size > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
  };

  const drain = async (): Promise<void> => {
    while (queue.length > 0) await deliver(takeGroup(queue));
  };

  const deliver = async (group: readonly Send[]): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      const failed = await attempts.attempt(group.filter((send) => !send.settled));
      if (failed.length === 0) return;
      const hopeless = failed.filter((send) => !isWorthRetrying(send.lastFault, attempt));
      // One bad send must not fail its neighbours: each gets a request of its own.
      if (hopeless.length > 0 && failed.length > 1) return deliverEach(failed);
      hopeless.forEach((send) => giveUp(send, "refused"));
      if (hopeless.length < failed.length) await backoff(attempt, stopping.signal);
    }
  };

  const deliverEach = async (group: readonly Send[]): Promise<void> => {
    for (const send of group) await deliver([send]);
  };

  const giveUp = (send: Send, why: string): void => {
    const unknown = send.maybeStored || attempts.isOnTheWire(send);
    const reason = send.lastFault === undefined ? "" : `: ${reasonOf(send.lastFault)}`;
    const code = unknown ? "unknown-outcome" : "failed";
    send.settle(new MessagingError(code, `${why}${reason}`, send.lastFault));
  };

  const finish = (): void => {
    stopping.abort();
    for (const send of unsettled) giveUp(send, "the producer was stopped");
    attempts.drop();
    clearInterval(sweeper);
  };

  return {
    send: async (batch, { deadlineMs = DEADLINE_MS } = {}) => {
      if (stopping.signal.aborted) throw new MessagingError("closed", "the producer is stopped");
      if (pendingBytes > MAX_PENDING_BYTES) {
        throw new MessagingError("queue-full", `${pendingBytes} bytes wait to be sent already`);
      }
      const deadlineAt = Date.now() + deadlineMs;
      await settleAll(toChunks(batch).map((chunk) => enqueue(chunk, deadlineAt)));
    },
    warm: (topics) => attempts.locate(topics),
    pendingRecords: () => [...unsettled].reduce((sum, send) => sum + send.records.length, 0),
    stop: async (graceMs = 1_000) => {
      await settledWithin(pump ?? Promise.resolve(), graceMs);
      finish();
    },
  };
}

/** Waits for every chunk; when some are stored and some are not, the whole is an unknown outcome. */
async function settleAll(chunks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(chunks);
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return;
  if (results.every((result) => result.status === "rejected")) throw failed.reason;
  throw new MessagingError("unknown-outcome", "stored in part", failed.reason);
}
