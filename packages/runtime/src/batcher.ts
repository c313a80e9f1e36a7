// The house's way of batching: one run in flight, and whatever arrives meanwhile goes together in the
// next. No timers: a lone item waits for nothing, and under load the batches grow by themselves
// (fewer, fatter requests beat lingers of 4 and 10 ms, which made latency worse and saved little).
import { invariant, OperationalError } from "./errors.ts";

export type BatcherOptions<T, R> = {
  /** The most items that one run gets. */
  readonly maxItems: number;
  /** The most items that wait; one more is refused with `batcher-full`. Default: no limit. */
  readonly maxQueued?: number;
  /** Does the work; answers one result for each item, in their order. */
  readonly run: (items: T[]) => Promise<readonly R[]>;
};

export type Batcher<T, R> = {
  /** Queues one item and resolves with its own result, or rejects when its run failed. */
  readonly add: (item: T) => Promise<R>;
  /** Items waiting, without those in flight. */
  readonly queued: () => number;
  /** Resolves when nothing waits and nothing is in flight. */
  readonly idle: () => Promise<void>;
};

type Waiting<T, R> = {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Makes a batcher over `run`. The first item of a quiet time starts a run at the end of the current
 * turn of the event loop, so that requests read in one turn share it.
 */
export function makeBatcher<T, R>(options: BatcherOptions<T, R>): Batcher<T, R> {
  const { maxItems, maxQueued = Number.POSITIVE_INFINITY, run } = options;
  invariant(maxItems >= 1, "a batch holds at least one item");
  let waiting: Waiting<T, R>[] = [];
  let idlers: (() => void)[] = [];
  let busy = false;

  const runAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.length > maxItems ? waiting.slice(0, maxItems) : waiting;
      waiting = waiting.length > maxItems ? waiting.slice(maxItems) : [];
      await settle(batch, run);
    }
    busy = false;
    for (const wake of idlers) wake();
    idlers = [];
  };

  return {
    add(item) {
      if (waiting.length >= maxQueued) return Promise.reject(full(maxQueued));
      return new Promise<R>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (busy) return;
        busy = true;
        setImmediate(() => void runAll());
      });
    },
    queued: () => waiting.length,
    idle: () => (busy ? new Promise<void>((resolve) => idlers.push(resolve)) : Promise.resolve()),
  };
}

async function settle<T, R>(
  batch: readonly Waiting<T, R>[],
  run: BatcherOptions<T, R>["run"],
): Promise<void> {
  try {
    const results = await run(batch.map((one) => one.item));
    invariant(results.length === batch.length, "a run answers one result for each item");
    batch.forEach((one, at) => one.resolve(results[at] as R));
  } catch (error) {
    for (const one of batch) one.reject(error);
  }
}

function full(maxQueued: number): OperationalError {
  const message = `${maxQueued} items are waiting already: try again later`;
  return new OperationalError("batcher-full", message, { retryable: true });
}
