import { describe, expect, it } from "vitest";
import { takeGroup, toBatches, toChunks, type OutgoingRecord, type Send } from "./sends.ts";

const record = (bytes: number, topic = "t"): OutgoingRecord => ({
  topic,
  value: new Uint8Array(bytes),
});

function sendOf(records: readonly OutgoingRecord[]): Send {
  const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
  const settle = (): void => undefined;
  return { records, bytes, deadlineAt: 0, settle, settled: false, maybeStored: false };
}

describe("toChunks", () => {
  it("keeps a call that fits into one request in one", () => {
    const batch = Array.from({ length: 2_000 }, () => record(100));
    expect(toChunks(batch).map(({ records }) => records.length)).toEqual([2_000]);
  });

  it("splits a larger call in order, by records and by bytes", () => {
    const many = Array.from({ length: 2_001 }, (_, index) => ({ topic: "t", value: `${index}` }));
    expect(toChunks(many).flatMap(({ records }) => records)).toEqual(many);
    expect(toChunks(many).map(({ records }) => records.length)).toEqual([2_000, 1]);
    const large = [record(500_000), record(500_000), record(100)];
    expect(toChunks(large).map(({ records }) => records.length)).toEqual([1, 2]);
  });

  it("counts the bytes of text, keys and headers, not their characters", () => {
    const headers = { name: "価" };
    const [chunk] = toChunks([{ topic: "t", key: "鍵", value: "₱₱", headers }]);
    expect(chunk?.bytes).toBeGreaterThanOrEqual(6 + 3 + 4 + 3);
  });
});

describe("takeGroup", () => {
  it("takes everything that waits when it fits into one request", () => {
    const queue = [sendOf([record(10)]), sendOf([record(10), record(10)])];
    expect(takeGroup(queue)).toHaveLength(2);
    expect(queue).toEqual([]);
  });

  it("leaves what does not fit, and takes at least one", () => {
    const queue = [sendOf([record(950_000)]), sendOf([record(1)])];
    expect(takeGroup(queue)).toHaveLength(1);
    expect(queue).toHaveLength(1);
  });
});

describe("toBatches", () => {
  it("groups by topic in the order of the calls and shares the bytes", () => {
    const value = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
    const batches = toBatches([
      sendOf([{ topic: "a", key: "k", value }]),
      sendOf([
        { topic: "b", value: "x" },
        { topic: "a", value: "y", headers: { h: "1" } },
      ]),
    ]);
    expect([...batches.keys()]).toEqual(["a", "b"]);
    const [first, second] = batches.get("a") ?? [];
    expect(first).toEqual({ key: "k", value: Buffer.from([1, 2]) });
    expect(first?.value).toHaveProperty("buffer", value.buffer);
    expect(second).toEqual({ key: null, value: "y", headers: { h: "1" } });
  });
});
