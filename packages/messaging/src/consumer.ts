// Reads one topic (its partition 0) in order, at least once, by plain fetch requests: no consumer group
// is joined. Group membership is no lock (a paused process still believes it is the member), so nobody
// may rely on it; and without it there is no session to time out, no rebalance, and a restarted service
// reads on at once instead of after its dead predecessor's session. Who may *act* on what is read is
// fenced elsewhere (in Postgres). A fault never skips a record: the consumer begins again, over a new
// link, at the position that the service (or the group's committed offset) says.
import { backoff, settledWithin } from "./backoff.ts";
import type { WireRecord } from "./wire.ts";
import type { Fetched, Link } from "./link.ts";
import { MessagingError, reasonOf } from "./messaging-error.ts";
import { offsetCommitter, type OffsetCommitter } from "./offset-committer.ts";

export type IncomingRecord = {
  readonly offset: bigint;
  readonly key: string | undefined;
  /** The record's bytes: a view into the answer they came in. Copy what you keep for long. */
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestampMs: number;
};

export type ConsumerOptions = {
  readonly topic: string;
  /** The name under which offsets are committed; without `fromOffset`, where reading goes on. */
  readonly groupId: string;
  /** One batch at a time, never empty, in order. If it throws, the same records come again. */
  readonly onBatch: (records: readonly IncomingRecord[]) => Promise<void>;
  /**
   * The service keeps offsets itself (in the transaction that applies a batch): asked at each begin for
   * the next offset to read, undefined for the earliest. Nothing is committed to Kafka then.
   */
  readonly fromOffset?: () => Promise<bigint | undefined>;
  /** Told of every fault, before the pause and the new begin. */
  readonly onError?: (error: MessagingError) => void;
  /** Largest batch for `onBatch`. Defaults 2,000 records and 1 MiB (of one fetch). */
  readonly maxRecords?: number;
  readonly maxBytes?: number;
};

export type ConsumerLag = {
  /** The next offset to read. */
  readonly position: bigint;
  /** The offset that the next record to be written will get, when last heard of. */
  readonly highWatermark: bigint;
};

export type Consumer = {
  /** Stops fetching after the batch at hand, until `resume`. */
  pause(): void;
  resume(): void;
  /** Undefined before the first answer of the broker. */
  lag(): ConsumerLag | undefined;
  /** Ends at once when idle, else when the batch at hand is done, or after `graceMs` (1,000). */
  stop(graceMs?: number): Promise<void>;
};

/** How long the broker may hold an idle fetch. No latency: a new record answers it at once. */
const MAX_WAIT_MS = 500;
const MAX_RECORDS = 2_000;
const MAX_BYTES = 1_048_576;

/** Starts to read at once. */
export function createConsumer(openLink: () => Link, options: ConsumerOptions): Consumer {
  const stopping = new AbortController();
  const { signal } = stopping;
  const gate = pauseGate();
  let lag: ConsumerLag | undefined;

  const handleAll = async (fetched: Fetched, committer: OffsetCommitter | undefined) => {
    for (const batch of slices(fetched.records, options.maxRecords ?? MAX_RECORDS)) {
      await handle(options, batch);
      const position = (batch.at(-1)?.offset ?? 0n) + 1n;
      committer?.reached(position);
      lag = { position, highWatermark: fetched.highWatermark };
      if (signal.aborted) return;
    }
    lag = { position: fetched.nextOffset, highWatermark: fetched.highWatermark };
  };

  /** Reads until stopped or a fault; `onProgress` is told that the broker answers. */
  const session = async (link: Link, onProgress: () => void): Promise<void> => {
    const committer = options.fromOffset ? undefined : offsetCommitter(link, options);
    let position = await firstOffset(link, options);
    while (!signal.aborted) {
      await unlessAborted(gate.opened(), signal);
      const fetched = await unlessAborted(fetchNext(link, options, position), signal);
      if (fetched === undefined) break;
      await handleAll(fetched, committer);
      position = fetched.nextOffset;
      onProgress();
    }
    await committer?.flush();
  };

  const supervise = async (): Promise<void> => {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const link = openLink();
      try {
        await session(link, () => (attempt = 0));
      } catch (error) {
        if (!signal.aborted) options.onError?.(asMessagingError(error, options.topic));
      } finally {
        link.close();
      }
      if (!signal.aborted) await backoff(attempt, signal);
    }
  };

  const running = supervise();
  return {
    pause: gate.close,
    resume: gate.open,
    lag: () => lag,
    stop: async (graceMs = 1_000) => {
      stopping.abort();
      await settledWithin(running, graceMs);
    },
  };
}

/** Where to begin. Throws `offset-lost` when the service's position is not in the topic. */
async function firstOffset(link: Link, options: ConsumerOptions): Promise<bigint> {
  const { topic, groupId, fromOffset } = options;
  const { low, high } = await link.offsets(topic);
  const wanted = fromOffset ? await fromOffset() : await link.committedOffset(groupId, topic);
  if (wanted === undefined) return low;
  if (wanted >= low && wanted <= high) return wanted;
  const message = `${topic}: position ${wanted} is not in the topic, which holds ${low} to ${high}`;
  throw new MessagingError("offset-lost", message);
}

function fetchNext(link: Link, options: ConsumerOptions, offset: bigint): Promise<Fetched> {
  const { topic, maxBytes = MAX_BYTES } = options;
  return link.fetch({ topic, offset, maxBytes, maxWaitMs: MAX_WAIT_MS });
}

async function handle(options: ConsumerOptions, batch: readonly IncomingRecord[]): Promise<void> {
  try {
    await options.onBatch(batch);
  } catch (error) {
    const from = batch[0]?.offset;
    const message = `${options.topic}: the handler failed at offset ${from}: ${reasonOf(error)}`;
    throw new MessagingError("handler-failed", message, error);
  }
}

function* slices(records: readonly WireRecord[], size: number): Generator<IncomingRecord[]> {
  for (let start = 0; start < records.length; start += size) {
    yield records.slice(start, start + size).map(toIncoming);
  }
}

function toIncoming({ offset, timestamp, key, value, headers }: WireRecord): IncomingRecord {
  const text = Object.entries(headers).map(([name, content]) => {
    const last = Array.isArray(content) ? content.at(-1) : content;
    return [name, last?.toString("utf8") ?? ""] as const;
  });
  return {
    offset: BigInt(offset),
    key: key?.toString("utf8"),
    value,
    headers: Object.fromEntries(text),
    timestampMs: Number(timestamp),
  };
}

/** The value of `promise`, or undefined when `signal` is aborted first (the promise is let go). */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    return undefined;
  }
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener("abort", onAbort);
    if (signal.aborted) promise.catch(() => undefined);
  }
}

/** A gate that is open or closed; who comes to a closed one waits. */
function pauseGate() {
  let waiting: PromiseWithResolvers<void> | undefined;
  return {
    close: (): void => void (waiting ??= Promise.withResolvers<void>()),
    open: (): void => {
      waiting?.resolve();
      waiting = undefined;
    },
    opened: async (): Promise<void> => waiting?.promise,
  };
}

function asMessagingError(error: unknown, topic: string): MessagingError {
  if (error instanceof MessagingError) return error;
  return new MessagingError("unavailable", `${topic}: ${reasonOf(error)}`, error);
}
