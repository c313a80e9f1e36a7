// The pure parts of the soak: which faults are drawn, how a minute's samples become one, how runs add up.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allCases } from "../registry.ts";
import { drawFaults, fitsSoak } from "./draw.ts";
import { keepRun, readRuns, type Begun, type Minute, type Run } from "./kept.ts";
import { markdownOf, reportOf } from "./report.ts";
import { minuteOf, type Sample } from "./samples.ts";

const begun = (seed: number): Begun => ({
  event: "begun",
  at: `2026-11-23T0${seed}:00:00.000Z`,
  commit: "abc",
  seed,
  rate: 50,
  minutes: 20,
  node: "v24",
  machine: "2 × cores",
});

const sample = (pid: number, memoryMiB: number): Sample => ({ pid, memoryMiB, files: 30 });

type Reading = { readonly pid: number; readonly memory: number };

/** A run of a minute for each reading of one process. */
const runOf = (seed: number, readings: readonly Reading[]): Run => ({
  begun: begun(seed),
  minutes: readings.map(({ pid, memory }, at): Minute => ({
    event: "minute",
    at: at + 1,
    sent: 3_000,
    ended: 3_000,
    open: 0,
    fault: { name: "kafka-cut", seconds: 6, flowAgainSeconds: at, showed: "", faults: [] },
    processes: { ledger: sample(pid, memory) },
    diskMiB: { kafka: 10, postgres: 20 },
  })),
  judged: {
    event: "judged",
    at: "2026-11-23T10:00:00.000Z",
    transfers: readings.length * 3_000,
    cut: false,
    verdicts: [{ promise: 1, verdict: "holds", detail: "" }],
    faults: [],
  },
});

const minutes = (count: number, pid: number, memory: (at: number) => number): Reading[] =>
  Array.from({ length: count }, (_, at) => ({ pid, memory: memory(at) }));

const ledgerMemory = (runs: readonly Run[]) =>
  reportOf(runs).series.find((one) => one.measure === "memoryMiB");

describe("the faults", () => {
  test("are the same for a seed, others for another", () => {
    const draw = (seed: number) => drawFaults(allCases, seed, 20, 7).map(({ name }) => name);
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });

  test("replace processes first and leave them alone afterwards, none twice before all came", () => {
    const drawn = drawFaults(allCases, 7, 30, 10);
    const later = drawn.slice(10).map(({ name }) => name);
    for (const name of later) expect(name).not.toMatch(/killed|ledger-after|takeover|reordering/);
    const [first, others] = [drawn.slice(0, 10), later.slice(0, 15)];
    expect(new Set(first).size).toBe(first.length);
    expect(new Set(others).size).toBe(others.length);
  });

  test("are of the world that all share, and spoil nothing", () => {
    const left = allCases.filter((one) => !fitsSoak(one)).map(({ name }) => name);
    expect(left).toEqual(
      expect.arrayContaining(["old-copy", "three-brokers", "sabotage-idempotent-producer"]),
    );
    expect(left).not.toContain("kafka-killed");
  });
});

test("a minute is told by its medians, and knows what only the probe can say", () => {
  const samples = [sample(7, 100), { ...sample(7, 900), heapMiB: 40 }, sample(7, 110)];
  expect(minuteOf(samples)).toEqual({ pid: 7, memoryMiB: 110, files: 30, heapMiB: 40 });
  expect(minuteOf([])).toBeUndefined();
});

describe("a series", () => {
  test("that stays is flat, whatever a process needs while it starts", () => {
    const warm = minutes(15, 1, (at) => (at < 3 ? 50 + at * 40 : 180 + (at % 3)));
    expect(ledgerMemory([runOf(1, warm)])).toMatchObject({ lives: 1, judged: "flat" });
  });

  test("that gains five in a minute grows", () => {
    const leak = runOf(
      1,
      minutes(15, 1, (at) => 180 + at * 5 + (at % 2)),
    );
    expect(ledgerMemory([leak])).toMatchObject({ judged: "grows" });
    expect(reportOf([leak]).green).toBe(false);
  });

  test("begins anew with the process: a restart is no growth, and two short lives add up", () => {
    const lives = [...minutes(9, 1, () => 100), ...minutes(9, 2, () => 300)];
    const trend = ledgerMemory([runOf(1, lives)]);
    expect(trend).toMatchObject({ lives: 2, perHour: 0, judged: "flat" });
  });

  test("of a process that never lived long is not judged", () => {
    const trend = ledgerMemory([
      runOf(
        1,
        minutes(6, 1, () => 100),
      ),
    ]);
    expect(trend).toMatchObject({ judged: "too short", uncertainty: undefined });
  });
});

test("runs add up, and one that was cut off counts what it had, unjudged", () => {
  const whole = runOf(
    1,
    minutes(20, 1, () => 100),
  );
  const cut: Run = {
    ...runOf(
      2,
      minutes(5, 1, () => 100),
    ),
    judged: undefined,
  };
  const report = reportOf([whole, cut]);
  expect(report).toMatchObject({ minutes: 25, judgedMinutes: 20, transfers: 75_000, green: true });
  expect(report.faults).toEqual([
    { name: "kafka-cut", times: 25, failed: 0, flowAgainMedian: 7, flowAgainMost: 19 },
  ]);
  expect(markdownOf(report)).toContain("| kafka-cut | 25 | 0 | 7 | 19 |");
});

test("a promise that was broken is named, and nothing is green", () => {
  const run = runOf(
    1,
    minutes(20, 1, () => 100),
  );
  const verdicts = [{ promise: 7, verdict: "broken", detail: "another sum" }] as const;
  const broken: Run = { ...run, judged: run.judged && { ...run.judged, verdicts } };
  const report = reportOf([broken]);
  expect(report.broken).toEqual([expect.stringContaining("promise 7: another sum")]);
  expect(report.green).toBe(false);
});

test("a run is read back as it was kept, a line that was cut off left out", () => {
  const folder = mkdtempSync(join(tmpdir(), "sealane-soak-test-"));
  try {
    const run = runOf(
      3,
      minutes(2, 1, () => 100),
    );
    const keep = keepRun(run.begun, folder);
    for (const minute of run.minutes) keep(minute);
    expect(readRuns(folder)).toEqual([{ ...run, judged: undefined }]);
    if (run.judged !== undefined) keep(run.judged);
    expect(readRuns(folder)).toEqual([run]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
