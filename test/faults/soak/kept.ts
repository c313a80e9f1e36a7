// Runs of the soak as they are kept: a file for each, a line when it begins, one for each minute as it ends,
// one when all oracles have been asked. A run that was cut off has the minutes it had.
import { appendFileSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Verdict } from "../../src/oracles/index.ts";
import type { Sample } from "./samples.ts";

export type Begun = {
  readonly event: "begun";
  readonly at: string;
  readonly commit: string;
  readonly seed: number;
  readonly rate: number;
  readonly minutes: number;
  readonly node: string;
  readonly machine: string;
};

export type FaultDone = {
  readonly name: string;
  readonly seconds: number;
  /** From the end of the fault until transfers had ended again; undefined when the case has its own load. */
  readonly flowAgainSeconds?: number;
  readonly showed: string;
  /** What did not hold. */
  readonly faults: readonly string[];
};

export type Minute = {
  readonly event: "minute";
  /** Minutes since the run began, when this one ended. */
  readonly at: number;
  /** In this minute. */
  readonly sent: number;
  readonly ended: number;
  readonly open: number;
  readonly fault?: FaultDone;
  readonly processes: Readonly<Record<string, Sample>>;
  readonly diskMiB: Readonly<Record<string, number>>;
};

export type Judged = {
  readonly event: "judged";
  readonly at: string;
  readonly transfers: number;
  /** Whether it was stopped before its time. */
  readonly cut: boolean;
  readonly verdicts: readonly Verdict[];
  readonly faults: readonly string[];
};

export type SoakLine = Begun | Minute | Judged;

export type Run = {
  readonly begun: Begun;
  readonly minutes: readonly Minute[];
  readonly judged: Judged | undefined;
};

export const runsFolder = join(import.meta.dirname, "runs");

/** Opens a new run's file. */
export const keepRun = (begun: Begun, folder = runsFolder): ((line: SoakLine) => void) => {
  mkdirSync(folder, { recursive: true });
  const stamp = begun.at.replaceAll(/[-:]|\.\d+/g, "");
  const file = join(folder, `${stamp}-${begun.seed}.jsonl`);
  const keep = (line: SoakLine): void => appendFileSync(file, `${JSON.stringify(line)}\n`);
  keep(begun);
  return keep;
};

/** A last line that was cut off in the middle is not read. */
const linesOf = (text: string): SoakLine[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as SoakLine);

export const readRuns = (folder = runsFolder): Run[] => {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  return files.toSorted().flatMap((name) => {
    const lines = linesOf(readFileSync(join(folder, name), "utf8"));
    const begun = lines.find((line) => line.event === "begun");
    if (begun === undefined) return [];
    const minutes = lines.filter((line) => line.event === "minute");
    return [{ begun, minutes, judged: lines.find((line) => line.event === "judged") }];
  });
};
