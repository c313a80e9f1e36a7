// What must hold before a figure is printed: nothing is left open, unsealed or owed, and the log audits with
// every signature: money is conserved and reconciliation's Postgres and windows equal it. The oracles are
// those of the tests; the ones that need a journal, or a log that fits into memory, are the fault suite's.
import { askLog, laneViews, waitForQuiet } from "@sealane/test/oracles";
import type { BenchWorld } from "./world.ts";

export type OracleAnswer = {
  /** What does not hold; empty when all does. */
  readonly findings: readonly string[];
  readonly entries: number;
  readonly entriesPerSecond: number;
};

export const askOracles = async (world: BenchWorld): Promise<OracleAnswer> => {
  const findings = await waitForQuiet(world);
  let entries = 0;
  let seconds = 0;
  for (const lane of laneViews(world, world.lanes)) {
    const report = await askLog(lane);
    entries += report.entries;
    if (report.ok) {
      seconds += report.seconds;
      continue;
    }
    const at = report.position === undefined ? "" : ` at ${report.position}`;
    findings.push(`audit of ${lane.origin}: ${report.code} ${report.detail}${at}`);
  }
  const entriesPerSecond = findings.length > 0 ? 0 : Math.round(entries / Math.max(seconds, 0.001));
  return { findings, entries, entriesPerSecond };
};
