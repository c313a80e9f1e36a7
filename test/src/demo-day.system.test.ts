// The scripted day with few transfers: every check of its report holds, and it has in it what it says.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "@sealane/infra";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startDay, type DaySystem } from "../demo-day/day-system.ts";
import { runDay } from "../demo-day/day.ts";
import { reportText } from "../demo-day/report-text.ts";

let dir: string;
let system: DaySystem;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "sealane-day-"));
  chmodSync(dir, 0o711);
  const options = { dir, ports: await freePorts(), console: false };
  system = await startDay({ ...options, onStep: () => undefined });
});
afterAll(async () => {
  await system?.stop();
  rmSync(dir, { recursive: true, force: true });
});

it("explains a day of faults to the cent", async () => {
  const quiet = { say: () => undefined, onAnswer: () => undefined };
  const report = await runDay(system, { transfers: 150, seed: 1, ...quiet });
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(report.ok).toBe(true);
  expect(report.windows).toHaveLength(9);
  expect(report.windows.reduce((sum, { members }) => sum + members, 0)).toBeGreaterThan(100);
  expect(report.bankFaults.map(({ fault }) => fault).toSorted()).toEqual([
    "duplicate-line",
    "duplicate-statement",
    "late",
    "partial",
    "wrong-amount",
    "wrong-file",
  ]);
  expect(report.wallets.map(({ participant }) => participant)).toEqual([
    "hk-wallet.example",
    "ph-wallet.example",
    "sg-wallet.example",
  ]);
  expect(new Set(Object.values(report.breaks.formats))).toEqual(
    new Set(["CSV", "camt.053", "JSON"]),
  );
  expect(report.cover).toHaveLength(3);
  expect(Object.keys(report.breaks.found).length).toBeGreaterThan(2);
  expect(reportText(report)).toContain("missed: 0, false alarms: 0");
}, 300_000);
