// `npm run soak`: one run (`--minutes`, `--seed`, `--rate`), kept minute by minute, then the report over all
// runs that are kept. `--report` makes only the report; `--json` prints it as one line. Ctrl-C ends a
// run early: it is judged by what it had. A further run adds to the same report.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openIndependent } from "../independent.ts";
import { verdictLine } from "../../src/oracles/index.ts";
import { readRuns } from "./kept.ts";
import { markdownOf, reportOf } from "./report.ts";
import { runSoak } from "./run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    rate: { type: "string", default: "100" },
    json: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const out = (line: string): void => void process.stdout.write(`${line}\n`);

const wholeNumber = (name: "minutes" | "seed" | "rate", least: number): number => {
  const text = values[name];
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= least) return number;
  throw new Error(`--${name} is a whole number from ${least}, not ${text}`);
};

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    say("ending this run after the minute at hand; once more to leave at once");
    stopping.abort();
    process.once(signal, () => process.exit(130));
  });
}

let failed = false;
if (!values.report) {
  const tools = mkdtempSync(join(tmpdir(), "sealane-soak-tools-"));
  try {
    const [minutes, seed, rate] = [
      wholeNumber("minutes", 1),
      wholeNumber("seed", 0),
      wholeNumber("rate", 10),
    ];
    say(
      `${minutes} minutes at ${rate} a second; npm run soak -- --seed ${seed} draws these faults`,
    );
    const independent = openIndependent(tools, say);
    const { signal } = stopping;
    const probes = join(tools, "probes");
    const judged = await runSoak({ minutes, seed, rate, independent, probes, say, signal });
    for (const verdict of judged.verdicts) say(`  ${verdictLine(verdict)}`);
    for (const fault of judged.faults) say(`  !! ${fault}`);
    const held = judged.verdicts.every(({ verdict }) => verdict !== "broken");
    failed = !held || judged.verdicts.length < 15 || judged.faults.length > 0;
  } finally {
    rmSync(tools, { recursive: true, force: true });
  }
}

const report = reportOf(readRuns());
const markdown = markdownOf(report);
writeFileSync(
  join(import.meta.dirname, "report.json"),
  `${JSON.stringify(report, undefined, 2)}\n`,
);
writeFileSync(join(import.meta.dirname, "REPORT.md"), markdown);
out(values.json ? JSON.stringify(report) : markdown);
process.exit(failed || (values.report && !report.green) ? 1 : 0);
