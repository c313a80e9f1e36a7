// Batching: one run in flight, what arrives meanwhile goes together, failures stay in their batch.
import { expect, test } from "vitest";
import { makeBatcher } from "./batcher.ts";

/** A run whose end the test decides. */
function controlled() {
  const batches: number[][] = [];
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const run = (items: number[]): Promise<number[]> => {
    batches.push(items);
    return new Promise((resolve, reject) => {
      ends.push({ resolve: () => resolve(items.map((item) => item * 10)), reject });
    });
  };
  return { batches, ends, run };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("takes what was added in one turn as one batch, and what follows as the next", async () => {
  const { batches, ends, run } = controlled();
  const batcher = makeBatcher({ maxItems: 10, run });
  const first = [batcher.add(1), batcher.add(2)];
  await turn();
  const later = [batcher.add(3), batcher.add(4), batcher.add(5)];
  expect(batcher.queued()).toBe(3);
  ends[0]?.resolve();
  expect(await Promise.all(first)).toEqual([10, 20]);
  await turn();
  ends[1]?.resolve();
  expect(await Promise.all(later)).toEqual([30, 40, 50]);
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
});

test("cuts batches at the maximum and keeps the order", async () => {
  const seen: number[][] = [];
  const batcher = makeBatcher<number, number>({
    maxItems: 2,
    run: async (items) => {
      seen.push(items);
      return items;
    },
  });
  const results = await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
  expect(results).toEqual([1, 2, 3, 4, 5]);
  expect(seen).toEqual([[1, 2], [3, 4], [5]]);
});

test("rejects every item of a failed run and goes on with the next", async () => {
  const { ends, run } = controlled();
  const batcher = makeBatcher({ maxItems: 10, run });
  const failed = Promise.allSettled([batcher.add(1), batcher.add(2)]);
  await turn();
  const next = batcher.add(3);
  ends[0]?.reject(new Error("broken"));
  expect((await failed).map((result) => result.status)).toEqual(["rejected", "rejected"]);
  await turn();
  ends[1]?.resolve();
  expect(await next).toBe(30);
});

test("treats a run that answers the wrong number of results as a bug", async () => {
  const batcher = makeBatcher<number, number>({ maxItems: 10, run: async () => [] });
  await expect(batcher.add(1)).rejects.toThrow("one result for each item");
});

test("sheds when too many wait", async () => {
  const { ends, run } = controlled();
  const batcher = makeBatcher({ maxItems: 1, maxQueued: 1, run });
  const first = batcher.add(1);
  await turn();
  const second = batcher.add(2);
  await expect(batcher.add(3)).rejects.toMatchObject({ code: "batcher-full", retryable: true });
  ends[0]?.resolve();
  await first;
  await turn();
  ends[1]?.resolve();
  expect(await second).toBe(20);
});

test("is idle only when nothing waits and nothing runs", async () => {
  const { ends, run } = controlled();
  const batcher = makeBatcher({ maxItems: 10, run });
  await batcher.idle();
  const item = batcher.add(1);
  let idle = false;
  const waiting = batcher.idle().then(() => (idle = true));
  await turn();
  expect(idle).toBe(false);
  ends[0]?.resolve();
  await Promise.all([item, waiting]);
  expect(idle).toBe(true);
});
