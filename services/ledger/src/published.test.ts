// What was published stays there while the lane begins again, which it does after any doubt.
import { expect, test } from "vitest";
import { publishedLane } from "./published.ts";

test("a lane that is being loaded again has no fewer entries than before", () => {
  const writer = { seals: { sealed: () => ({ size: 300, note: "sealed at 300" }) } };
  const tree = { size: () => 300, tile: () => undefined };
  const store = { readEntries: () => Promise.resolve([]) };
  const log = publishedLane(
    "ledger.example/2026/0",
    writer as unknown as Parameters<typeof publishedLane>[1],
    store,
    tree,
    { bundle: () => Promise.resolve(undefined) },
  );
  expect(log.size()).toBe(300);
  expect(log.checkpoint()).toBe("sealed at 300");
});
