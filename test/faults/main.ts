// `npm run faults`: every case with real processes, then all oracles. Results are kept case by case: what
// has passed is not run again until `--again`. A NAME or `--only NAME` (several, or parts of names), `--ci`
// (the subset that CI runs), `--json` (a line for each case), `--list`, `--table` (writes the README's).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { verdictLine } from "../src/oracles/index.ts";
import { ciCases } from "./ci.ts";
import { openIndependent } from "./independent.ts";
import { allCases } from "./registry.ts";
import { keepResult, readResult } from "./results.ts";
import { makeRunner, type CaseResult } from "./run-case.ts";
import { writeTable } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true, default: [] },
    ci: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    again: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    table: { type: "boolean", default: false },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const out = (line: string): void => void process.stdout.write(`${line}\n`);

const only = [...values.only, ...positionals];

const chosen = allCases.filter(({ name }) => {
  if (values.ci && !ciCases.has(name)) return false;
  return only.length === 0 || only.some((part) => name.includes(part));
});

const report = (result: CaseResult): void => {
  if (values.json) {
    out(JSON.stringify({ event: "case", ...result }));
    return;
  }
  for (const verdict of result.verdicts) out(`  ${verdictLine(verdict)}`);
  for (const fault of result.faults) out(`  !! ${fault}`);
  const { outcome, name, seconds, showed } = result;
  out(`${outcome.toUpperCase()} ${name} (${seconds} s): ${showed}`);
};

const runAll = async (): Promise<readonly CaseResult[]> => {
  const folder = mkdtempSync(join(tmpdir(), "sealane-faults-tools-"));
  const runner = makeRunner({ independent: openIndependent(folder, say), say });
  const results: CaseResult[] = [];
  try {
    for (const [at, one] of chosen.entries()) {
      const before = readResult(one.name);
      const asked = values.again || only.length > 0;
      if (before?.outcome === "passed" && !asked) {
        say(`${at + 1}/${chosen.length} ${one.name}: passed before, at ${before.commit}`);
        results.push(before);
        continue;
      }
      say(`${at + 1}/${chosen.length} ${one.name}: ${one.what}`);
      const result = keepResult(await runner.run(one));
      report(result);
      results.push(result);
    }
  } finally {
    await runner.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
};

if (values.list) {
  for (const { name, what } of allCases) out(`${name.padEnd(32)} ${what}`);
} else if (values.table) {
  writeTable(allCases);
} else {
  const results = await runAll();
  const count = (outcome: CaseResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  const totals = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
  if (values.json) out(JSON.stringify({ event: "done", ...totals }));
  else out(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exitCode = totals.failed === 0 && results.length > 0 ? 0 : 1;
}
process.exit(process.exitCode ?? 0);
