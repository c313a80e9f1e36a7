// What must hold before a figure is printed: nothing is left open, unsealed or owed, and the log audits with
// every signature: money is conserved and reconciliation's Postgres and windows equal it. The oracles are
// those of the tests; the ones that need a journal, or a log that fits into memory, are the fault suite's.
import { askLog, waitForQuiet } from "@sealane/test/oracles";
import type { BenchWorld } from "./world.ts";

export type OracleAnswer = {
  /** What does not hold; empty when all does. */
  readonly findings: readonly string[];
  readonly entries: number;
  readonly entriesPerSecond: number;
};

export const askOracles = async (world: BenchWorld): Promise<OracleAnswer> => {
  const findings = await waitForQuiet(world);
  const report = await askLog(world);
  const { entries } = report;
  if (report.ok) return { findings, entries, entriesPerSecond: report.entriesPerSecond };
  const at = report.position === undefined ? "" : ` at ${report.position}`;
  findings.push(`audit: ${report.code} ${report.detail}${at}`);
  return { findings, entries, entriesPerSecond: 0 };
};
