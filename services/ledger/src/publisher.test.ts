// Messages stay below the broker's limit, whatever a batch holds: a batch of a thousand entries once
// stopped the publishing for good.
import { expect, it } from "vitest";
import { cutBySize, entriesMessages, mostMessageChars } from "./publisher.ts";

const sizes = (list: readonly number[], most: number): number[][] =>
  cutBySize(list, most, (one) => one);

it.each<[number[], number, number[][]]>([
  [[], 10, []],
  [[1, 2, 3], 10, [[1, 2, 3]]],
  [[5, 5, 1], 10, [[5, 5], [1]]],
  [[11, 1, 12], 10, [[11], [1], [12]]],
  [
    [4, 4, 4, 4],
    8,
    [
      [4, 4],
      [4, 4],
    ],
  ],
])("cuts %j at %i into %j", (list, most, runs) => {
  expect(sizes(list, most)).toEqual(runs);
});

it("tells a batch of many large entries in several messages, each at its own place", () => {
  const note = `${'"'.repeat(10_000)}${"x".repeat(10_000)}`;
  const entries = Array.from({ length: 100 }, (_, at) => ({
    type: "entry" as const,
    seq: 700 + at,
    note,
  }));
  const messages = entriesMessages(0, 700, entries);
  const bodies = messages.map(
    ({ value }) => JSON.parse(value.toString()) as { from: number; entries: unknown[] },
  );
  expect(messages.every(({ value }) => Buffer.byteLength(value) < 2 * mostMessageChars)).toBe(true);
  expect(bodies.flatMap((body) => body.entries)).toEqual(entries);
  expect(
    bodies.every(({ from, entries: [first] }) => (first as { seq: number }).seq === from),
  ).toBe(true);
});

it("says a checkpoint without entries in one message", () => {
  const [only, ...more] = entriesMessages(0, 12, [], "note");
  expect(more).toEqual([]);
  expect(JSON.parse(only?.value.toString() ?? "")).toEqual({
    v: 1,
    lane: 0,
    from: 12,
    entries: [],
    checkpoint: "note",
  });
});
