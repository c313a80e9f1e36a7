// The queue between what is stored and the topics: order, company, retries, and never stuck.
import { expect, it, vi } from "vitest";
import { makePublishQueue, type Piece } from "./publish-queue.ts";
import type { Outgoing } from "./publisher.ts";

const outgoing = (value: string): Outgoing => ({ topic: "t", key: "k", value });

const setUp = (fail: (request: number) => boolean = () => false) => {
  const requests: string[][] = [];
  const done: string[] = [];
  let tried = 0;
  const queue = makePublishQueue(
    (messages) => {
      tried += 1;
      if (fail(tried)) return Promise.reject(new Error("broker away"));
      requests.push(messages.map(({ value }) => value.toString()));
      return Promise.resolve();
    },
    () => undefined,
  );
  const piece = (value: string, holdMs?: number): Piece => ({
    messages: () => Promise.resolve([outgoing(value)]),
    onDone: () => done.push(value),
    ...(holdMs === undefined ? {} : { holdMs }),
  });
  return { queue, piece, requests, done };
};

it("sends what came meanwhile in one request, in order", async () => {
  const { queue, piece, requests, done } = setUp();
  for (const value of ["a", "b", "c", "d"]) queue.add(piece(value));
  await vi.waitUntil(() => done.length === 4);
  expect(requests).toEqual([["a"], ["b", "c", "d"]]);
  expect(done).toEqual(["a", "b", "c", "d"]);
});

it("holds a piece until somebody waits, and sends it first", async () => {
  const { queue, piece, requests, done } = setUp();
  queue.add(piece("held", 60_000));
  queue.add(piece("waited for"));
  await vi.waitUntil(() => done.length === 2);
  expect(requests).toEqual([["held", "waited for"]]);
});

it("sends a held piece by itself when nothing else comes, again and again", async () => {
  const { queue, piece, requests, done } = setUp();
  for (const value of ["one", "two", "three"]) {
    queue.add(piece(value, 1));
    await vi.waitUntil(() => done.includes(value));
  }
  expect(requests).toEqual([["one"], ["two"], ["three"]]);
});

it("is not stuck when a hold ends after its piece has gone with another", async () => {
  const { queue, piece, done } = setUp();
  vi.useFakeTimers();
  queue.add(piece("held", 5));
  queue.add(piece("company"));
  await vi.advanceTimersByTimeAsync(10);
  queue.add(piece("later", 5));
  await vi.advanceTimersByTimeAsync(10);
  queue.add(piece("last"));
  await vi.advanceTimersByTimeAsync(10);
  vi.useRealTimers();
  expect(done).toEqual(["held", "company", "later", "last"]);
});

it("tries again until it is out, without losing or reordering", async () => {
  const { queue, piece, requests, done } = setUp((request) => request <= 2);
  queue.add(piece("a"));
  queue.add(piece("b"));
  await vi.waitUntil(() => done.length === 2, { timeout: 5_000 });
  expect(requests.flat()).toEqual(["a", "b"]);
});

it("drops what waits when the lane begins again, and goes on afterwards", async () => {
  const { queue, piece, done } = setUp((request) => request === 1);
  queue.add(piece("of the old lane"));
  await queue.reset();
  queue.add(piece("of the new lane"));
  await vi.waitUntil(() => done.length > 0);
  expect(done).toEqual(["of the new lane"]);
});

it("sends nothing after it was stopped, and does not turn on the spot either", async () => {
  const { queue, piece, requests } = setUp();
  await queue.stop();
  queue.add(piece("too late"));
  queue.add(piece("held too late", 1));
  // A microtask that begins itself again would never let this timer come.
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(requests).toEqual([]);
});
