// What the growth benchmark prints, on figures whose answer is known.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readKept, summaryOf, trendOf } from "./growth.ts";

test("a straight line has its slope and no uncertainty", () => {
  expect(trendOf([90, 95, 100, 105, 110])).toEqual({ slope: 20, uncertainty: 0 });
});

test("figures that do not move have no trend", () => {
  expect(trendOf([3, 3, 3, 3])).toEqual({ slope: 0, uncertainty: 0 });
});

test("noise without a trend is wider than the trend it seems to have", () => {
  const { slope, uncertainty } = trendOf([2.7, 2.9, 2.75, 2.85, 2.7, 2.9, 2.8, 2.8, 2.75, 2.85]);
  expect(Math.abs(slope)).toBeLessThan(uncertainty);
});

const segment = (start: number) => ({
  sealed: 100,
  seconds: 2,
  transfersPerSecond: 50,
  cpuMsPerTransfer: 3,
  cpuMs: { ledger: 200, kafka: 100 },
  residentMiB: { ledger: 500 },
  diskBytes: 4_000,
  start,
});

test("a run in parts is the sum of its segments, whichever start they ran in", () => {
  const done = [segment(1), segment(2), segment(2)];
  expect(summaryOf({ transfers: 300, segments: 3, starts: 2, done })).toMatchObject({
    sealed: 300,
    seconds: 6,
    transfersPerSecond: 50,
    starts: 2,
    diskBytesPerTransfer: 40,
    cpuTrendPercent: 0,
    cpuMs: { ledger: 600, kafka: 300 },
  });
});

test("what is kept goes on as the same run only", () => {
  const dir = mkdtempSync(join(tmpdir(), "sealane-growth-"));
  try {
    const file = join(dir, "growth.json");
    expect(readKept(file, 300, 3)).toEqual({ transfers: 300, segments: 3, starts: 0, done: [] });
    const kept = { transfers: 300, segments: 3, starts: 1, done: [segment(1)] };
    writeFileSync(file, JSON.stringify(kept));
    expect(readKept(file, 300, 3)).toEqual(kept);
    expect(() => readKept(file, 400, 3)).toThrow("--transfers 300 --segments 3");
  } finally {
    rmSync(dir, { recursive: true });
  }
});
