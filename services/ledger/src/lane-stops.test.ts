import { describe, expect, test } from "vitest";
import { makeLaneStops, recordHash } from "./lane-stops.ts";

const batch = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => ({
    offset: BigInt(from + at),
    value: new Uint8Array([from + at]),
  }));
const bug = new Error("it cannot be decided");
const gone = Object.assign(new Error("the database is away"), { retryable: true });

describe("where the lane stops", () => {
  test("is found after the second stop at an offset, by trying its batch one by one", () => {
    const stops = makeLaneStops();
    stops.attempt(batch(7, 12));
    expect(stops.failed(bug, 7n)).toBeUndefined();
    expect(stops.alone()).toBe(false);
    stops.attempt(batch(7, 12));
    expect(stops.failed(bug, 7n)).toBeUndefined();
    expect(stops.alone()).toBe(true);
    stops.attempt(batch(7, 8));
    stops.attempt(batch(8, 9));
    stops.attempt(batch(9, 10));
    expect(stops.failed(bug, 9n)).toMatchObject({
      offset: 9n,
      size: 1,
      hash: recordHash(new Uint8Array([9])),
      detail: bug.message,
    });
    expect(stops.stopped()?.offset).toBe(9n);
  });

  test("is named at once when the batch is that one command", () => {
    const stops = makeLaneStops();
    for (const named of [undefined, 7n]) {
      stops.attempt(batch(7, 8));
      expect(stops.failed(bug, 7n)?.offset).toBe(named);
    }
  });

  test("is forgotten when the lane is past it, and batches are whole again", () => {
    const stops = makeLaneStops();
    for (let times = 0; times < 2; times += 1) {
      stops.attempt(batch(7, 9));
      stops.failed(bug, 7n);
    }
    stops.attempt(batch(7, 8));
    expect(stops.failed(bug, 7n)?.offset).toBe(7n);
    stops.attempt(batch(7, 8));
    expect(stops.stopped()?.offset).toBe(7n);
    stops.attempt(batch(8, 9));
    expect(stops.stopped()).toBeUndefined();
    expect(stops.alone()).toBe(true);
    stops.attempt(batch(9, 10));
    expect(stops.alone()).toBe(false);
  });

  test("is nowhere when a failure passes by itself, or comes without input", () => {
    const stops = makeLaneStops();
    for (let times = 0; times < 3; times += 1) {
      stops.attempt(batch(7, 8));
      expect(stops.failed(gone, 7n)).toBeUndefined();
      stops.attempt([]);
      expect(stops.failed(bug, 8n)).toBeUndefined();
    }
    expect(stops.alone()).toBe(false);
  });

  test("is the batch that was not saved, not the one that was being prepared", () => {
    const stops = makeLaneStops();
    stops.attempt(batch(7, 8));
    stops.attempt(batch(8, 9));
    stops.failed(bug, 7n);
    stops.attempt(batch(7, 8));
    stops.attempt(batch(8, 9));
    expect(stops.failed(bug, 7n)?.offset).toBe(7n);
  });
});
