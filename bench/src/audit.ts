// How fast an auditor is: a log of real transfers is made, exported, its ledger stopped, and the export
// audited with every signature and without. Nothing else runs while it is measured.
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { auditLog, exportLog, openLog } from "@sealane/cli";
import { parsePolicy } from "@sealane/tlog";
import { startKeepingUp } from "./throughput.ts";
import type { BenchWorld } from "./world.ts";

export type AuditSpeed = {
  readonly entries: number;
  readonly transfers: number;
  readonly entriesPerSecond: number;
  readonly withoutSignatures: number;
  /** Of each run, with and without: the medians are above. */
  readonly runs: readonly (readonly [withSignatures: number, without: number])[];
  readonly findings: readonly string[];
};

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

/** @param transfers how many the log has, at least */
export const measureAudit = async (
  world: BenchWorld,
  transfers: number,
  say: (line: string) => void,
): Promise<AuditSpeed> => {
  say(`making a log of ${transfers} transfers`);
  const load = startKeepingUp(world, { bulk: 50, connections: 16 });
  for (let part = 1; part <= 10; part += 1) {
    await load.untilSealed((transfers * part) / 10);
    say(`${load.sealed()} sealed`);
  }
  await load.finish();
  const policy = parsePolicy(readFileSync(world.stack.home.path("trust.policy"), "utf8"));
  const folder = join(world.stack.home.path("export"));
  say("exporting");
  await exportLog({ source: openLog(`${world.stack.urls.ledger}/log`), folder, policy });
  await world.stack.stop();
  const runs: [number, number][] = [];
  let entries = 0;
  const findings: string[] = [];
  const audit = async (signatures: boolean): Promise<number> => {
    const report = await auditLog({ log: folder, policy, signatures });
    entries = report.entries;
    if (report.ok) return report.entriesPerSecond;
    findings.push(`audit: ${report.code} ${report.detail}`);
    return 0;
  };
  for (let run = 1; run <= 3; run += 1) {
    runs.push([await audit(true), await audit(false)]);
    say(`run ${run}: ${runs.at(-1)?.join(" entries/s with signatures, ")} without`);
  }
  return {
    entries,
    transfers,
    entriesPerSecond: median(runs.map(([all]) => all)),
    withoutSignatures: median(runs.map(([, without]) => without)),
    runs,
    findings,
  };
};
