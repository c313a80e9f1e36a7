// `npm run simulate`: many seeds of the simulator, or one. Ends with 1 when a promise was broken; a failing
// seed is made smaller and printed as one command. Progress goes to standard error.
import { parseArgs } from "node:util";
import { defaultSteps, faults, shrink, simulate, type Fault } from "@sealane/rules/simulation";
import type { RunOptions, RunReport } from "@sealane/rules/simulation";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    steps: { type: "string", default: String(defaultSteps) },
    without: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});

const out = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const note = (line: string): void => {
  process.stderr.write(line);
};

const wholeNumber = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} is a whole number, not ${text}`);
  return Number(text);
};

const faultsOf = (text: string): Fault[] =>
  text
    .split(",")
    .filter((name) => name !== "")
    .map((name) => {
      const fault = faults.find((one) => one === name);
      if (fault === undefined) throw new Error(`--without takes ${faults.join(", ")}; not ${name}`);
      return fault;
    });

const commandOf = (seed: number, { without = [], steps }: RunOptions): string => {
  const left = without.length === 0 ? "" : ` --without ${without.join(",")}`;
  const short = steps === undefined || steps === defaultSteps ? "" : ` --steps ${steps}`;
  return `npm run simulate -- --seed ${seed}${left}${short}`;
};

type Totals = {
  runs: number;
  failed: number;
  entries: number;
  readonly counts: Map<string, number>;
};

const addTo = (totals: Totals, report: RunReport): void => {
  totals.runs += 1;
  totals.failed += report.ok ? 0 : 1;
  totals.entries += report.entries;
  for (const [what, times] of Object.entries(report.counts)) {
    totals.counts.set(what, (totals.counts.get(what) ?? 0) + times);
  }
};

/** The first failures are made smaller; each is one command. */
const mostShrunk = 5;

const tellFailure = (report: RunReport, options: RunOptions, shrinks: boolean): void => {
  const least = shrinks ? shrink(report, options) : { options, report };
  const command = commandOf(report.seed, least.options);
  const { promise, detail, story, seed } = least.report;
  if (values.json) out(JSON.stringify({ event: "failed", seed, promise, detail, story, command }));
  else out(`\nseed ${report.seed} (${story}): ${detail}\n  ${command}`);
};

const summary = (totals: Totals, seconds: number): void => {
  const { runs, failed, entries } = totals;
  const counts = Object.fromEntries(
    [...totals.counts].toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
  const all = {
    ok: failed === 0,
    runs,
    failed,
    entries,
    seconds,
    cpuSeconds: cpuSeconds(),
    counts,
  };
  if (values.json) return out(JSON.stringify(all));
  for (const [what, times] of Object.entries(counts)) out(`${String(times).padStart(9)}  ${what}`);
  const speed = `${seconds.toFixed(1)} s, ${all.cpuSeconds.toFixed(1)} s of CPU`;
  return out(`${runs} runs, ${entries} entries, ${failed} failed, in ${speed}`);
};

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
};

const progress = (done: number, runs: number, failed: number, startedMs: number): void => {
  const seconds = (performance.now() - startedMs) / 1_000;
  const left = Math.ceil((seconds / done) * (runs - done));
  const line = `simulate: ${done} of ${runs} runs, ${failed} failed, about ${left} s left`;
  note(process.stderr.isTTY ? `\r${line}   ` : `${line}\n`);
};

const runAll = (): boolean => {
  const options = { without: faultsOf(values.without), steps: wholeNumber("steps", values.steps) };
  const from = wholeNumber("seed", values.seed ?? values.from);
  const runs = values.seed === undefined ? wholeNumber("runs", values.runs) : 1;
  const totals: Totals = { runs: 0, failed: 0, entries: 0, counts: new Map() };
  const startedMs = performance.now();
  let toldMs = startedMs;
  for (let seed = from; seed < from + runs; seed += 1) {
    const report = simulate(seed, options);
    addTo(totals, report);
    const shrinks = values.seed === undefined && totals.failed <= mostShrunk;
    if (!report.ok) tellFailure(report, options, shrinks);
    if (performance.now() - toldMs < 2_000) continue;
    toldMs = performance.now();
    progress(totals.runs, runs, totals.failed, startedMs);
  }
  if (process.stderr.isTTY) note("\r\u001b[K");
  summary(totals, (performance.now() - startedMs) / 1_000);
  return totals.failed === 0;
};

try {
  process.exitCode = runAll() ? 0 : 1;
} catch (error) {
  note(`simulate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
