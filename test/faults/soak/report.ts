// All runs of the soak added up: minutes, transfers, faults by kind, what each process held and whether it
// grew, oracles. Pure: runs in, a report and its Markdown out.
import { fitLine, type Point } from "../../src/trend.ts";
import type { Minute, Run } from "./kept.ts";
import { measures, type Measure } from "./samples.ts";

/** A process that has just started fills its caches and compiles: that long it is not judged. */
const warmUpMinutes = 3;
/** Fewer points on the line say nothing. */
const leastPoints = 8;
/** What a series may gain in an hour, in percent of its level, and in its own unit, before it "grows". */
const tolerance: Readonly<Record<Measure, { readonly percent: number; readonly atLeast: number }>> =
  {
    memoryMiB: { percent: 15, atLeast: 20 },
    heapMiB: { percent: 15, atLeast: 10 },
    buffersMiB: { percent: 15, atLeast: 10 },
    files: { percent: 5, atLeast: 5 },
    timers: { percent: 5, atLeast: 5 },
    handles: { percent: 5, atLeast: 5 },
  };

/** V8 gives young objects up to this much (`infra/src/node-flags.ts`), and slowly: garbage, not growth. */
const youngMiB = 3 * 64;
/** Code, stacks of threads, native libraries. */
const nativeMiB = 150;
/** Kafka's heap and what Java needs beside it, MiB (`infra/src/kafka.ts`). */
const kafkaMiB = 512 + 150;
/** Postgres keeps files open that a session has used, at most 1,000 each. */
const sessionFiles = 1_000 * 30;
/** The simulated cores are the wallets' own books, and remember every transfer. */
const remembers = "cores";

export type SeriesTrend = {
  readonly process: string;
  readonly measure: Measure;
  /** Lives of the process that were long enough. */
  readonly lives: number;
  readonly points: number;
  readonly mean: number;
  readonly perHour: number;
  /** Twice the standard error of that; undefined when there are too few points. */
  readonly uncertainty: number | undefined;
  /** `fills`: it gains, towards a bound that is known. `remembers`: the simulated wallets' own books. */
  readonly judged: "flat" | "fills" | "grows" | "falls" | "remembers" | "too short";
};

export type FaultSum = {
  readonly name: string;
  readonly times: number;
  readonly failed: number;
  readonly flowAgainMedian: number | undefined;
  readonly flowAgainMost: number | undefined;
};

export type SoakReport = {
  readonly runs: readonly {
    readonly at: string;
    readonly commit: string;
    readonly seed: number;
    readonly rate: number;
    readonly minutes: number;
    readonly transfers: number;
    readonly oracles: string;
    readonly faults: readonly string[];
  }[];
  readonly machine: readonly string[];
  readonly minutes: number;
  /** Of runs whose oracles were asked. */
  readonly judgedMinutes: number;
  readonly transfers: number;
  readonly perSecond: number;
  readonly faults: readonly FaultSum[];
  readonly series: readonly SeriesTrend[];
  /** At the end of the longest run that was judged. */
  readonly diskMiB: Readonly<Record<string, number>>;
  readonly diskKibPerTransfer: number;
  readonly broken: readonly string[];
  readonly green: boolean;
};

const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
const lengthOf = ({ minutes }: Run): number => minutes.at(-1)?.at ?? 0;
const transfersOf = ({ minutes, judged }: Run): number =>
  judged?.transfers ?? minutes.reduce((sum, { sent }) => sum + sent, 0);

/** The figures of one process's lives after their warm-up, a series for each. */
const livesOf = (runs: readonly Run[], process: string, measure: Measure): Point[][] =>
  runs.flatMap(({ minutes }) => {
    const lives = new Map<number, { from: number; points: Point[] }>();
    for (const minute of minutes) note(lives, minute, process, measure);
    return [...lives.values()].map(({ points }) => points);
  });

const note = (
  lives: Map<number, { from: number; points: Point[] }>,
  { at, processes }: Minute,
  process: string,
  measure: Measure,
): void => {
  const sample = processes[process];
  if (sample === undefined) return;
  const life = lives.get(sample.pid) ?? { from: at, points: [] };
  lives.set(sample.pid, life);
  const y = sample[measure];
  if (y !== undefined && at - life.from >= warmUpMinutes) life.points.push({ x: at, y });
};

/** What a measure may come to, where there is a limit; undefined where any growth is one too much. */
const boundOf = (runs: readonly Run[], process: string, measure: Measure): number | undefined => {
  if (process === "kafka" && measure === "memoryMiB") return kafkaMiB;
  if (process === "postgres" && measure === "files") return sessionFiles;
  const held = (what: "heapMiB" | "buffersMiB"): number | undefined =>
    trendOf(runs, process, what).find(({ judged }) => judged === "flat")?.mean;
  const [heap, buffers] = measure === "memoryMiB" ? [held("heapMiB"), held("buffersMiB")] : [];
  if (heap === undefined || buffers === undefined) return undefined;
  return heap + buffers + youngMiB + nativeMiB;
};

/** A series that surely gains more than is tolerated. */
const judgeGrowth = (
  runs: readonly Run[],
  process: string,
  measure: Measure,
  most: number,
): SeriesTrend["judged"] => {
  if (process === remembers) return "remembers";
  const bound = boundOf(runs, process, measure);
  return bound !== undefined && most <= bound ? "fills" : "grows";
};

const trendOf = (runs: readonly Run[], process: string, measure: Measure): SeriesTrend[] => {
  const lives = livesOf(runs, process, measure).filter((points) => points.length > 1);
  if (lives.length === 0) return [];
  const { mean, slope, uncertainty, points } = fitLine(lives);
  const perHour = slope * 60;
  const unsure = uncertainty * 60;
  const { percent, atLeast } = tolerance[measure];
  const allowed = Math.max((mean * percent) / 100, atLeast);
  const sure = Math.abs(perHour) > unsure && Math.abs(perHour) > allowed;
  const known = points >= leastPoints && Number.isFinite(unsure);
  const most = Math.max(...lives.flatMap((life) => life.map(({ y }) => y)));
  const how = (): SeriesTrend["judged"] => {
    if (!known) return "too short";
    if (!sure) return "flat";
    return perHour < 0 ? "falls" : judgeGrowth(runs, process, measure, most);
  };
  return [
    {
      process,
      measure,
      lives: lives.length,
      points,
      mean: round(mean),
      perHour: round(perHour),
      uncertainty: known ? round(unsure) : undefined,
      judged: how(),
    },
  ];
};

const medianOf = (values: readonly number[]): number | undefined =>
  values.toSorted((one, another) => one - another)[Math.floor(values.length / 2)];

const faultsOf = (runs: readonly Run[]): FaultSum[] => {
  const done = runs.flatMap(({ minutes }) => minutes.flatMap(({ fault }) => fault ?? []));
  return [...Map.groupBy(done, ({ name }) => name)]
    .map(([name, all]) => {
      const flows = all.flatMap(({ flowAgainSeconds }) => flowAgainSeconds ?? []);
      return {
        name,
        times: all.length,
        failed: all.filter(({ faults }) => faults.length > 0).length,
        flowAgainMedian: medianOf(flows),
        flowAgainMost: flows.length === 0 ? undefined : Math.max(...flows),
      };
    })
    .toSorted((one, another) => one.name.localeCompare(another.name));
};

/** A run that was cut off, or whose oracles could not be asked, counts for nothing but its minutes. */
const isJudged = ({ judged }: Run): boolean => (judged?.verdicts.length ?? 0) > 0;

const oraclesOf = (run: Run): string => {
  const { judged } = run;
  if (judged === undefined || !isJudged(run)) return "not asked";
  const held = judged.verdicts.filter(({ verdict }) => verdict === "holds").length;
  return `${held}/15`;
};

/** What did not hold, run by run. */
const brokenOf = ({ begun, judged }: Run): string[] => {
  if (judged === undefined) return [];
  const of = `run of ${begun.at}`;
  const verdicts = judged.verdicts
    .filter(({ verdict }) => verdict === "broken")
    .map(({ promise, detail }) => `${of}: promise ${promise}: ${detail}`);
  return [...verdicts, ...judged.faults.map((text) => `${of}: ${text}`)];
};

export const reportOf = (runs: readonly Run[]): SoakReport => {
  const minutes = runs.reduce((sum, run) => sum + lengthOf(run), 0);
  const transfers = runs.reduce((sum, run) => sum + transfersOf(run), 0);
  const judged = runs.filter(isJudged);
  const longest = judged.toSorted((one, another) => lengthOf(one) - lengthOf(another)).at(-1);
  const diskMiB = longest?.minutes.at(-1)?.diskMiB ?? {};
  const onDisk = Object.values(diskMiB).reduce((sum, one) => sum + one, 0);
  const names = new Set(
    runs.flatMap((run) => run.minutes.flatMap(({ processes }) => Object.keys(processes))),
  );
  const series = [...names]
    .toSorted()
    .flatMap((name) => measures.flatMap((measure) => trendOf(judged, name, measure)));
  const broken = judged.flatMap(brokenOf);
  return {
    runs: runs.map((run) => ({
      at: run.begun.at,
      commit: run.begun.commit,
      seed: run.begun.seed,
      rate: run.begun.rate,
      minutes: round(lengthOf(run)),
      transfers: transfersOf(run),
      oracles: oraclesOf(run),
      faults: run.judged?.faults ?? [],
    })),
    machine: [...new Set(runs.map(({ begun }) => `${begun.machine}, Node ${begun.node}`))],
    minutes: round(minutes),
    judgedMinutes: round(judged.reduce((sum, run) => sum + lengthOf(run), 0)),
    transfers,
    perSecond: minutes === 0 ? 0 : Math.round(transfers / (minutes * 60)),
    faults: faultsOf(runs),
    series,
    diskMiB,
    diskKibPerTransfer: longest === undefined ? 0 : round((onDisk * 1_024) / transfersOf(longest)),
    broken,
    green:
      judged.length > 0 &&
      broken.length === 0 &&
      series.every(({ judged: how }) => how !== "grows"),
  };
};

type Cell = string | number | undefined;

const table = (head: readonly string[], rows: readonly (readonly Cell[])[]): string[] => [
  `| ${head.join(" | ")} |`,
  `| ${head.map(() => "---").join(" | ")} |`,
  ...rows.map((row) => `| ${row.map((cell) => cell ?? "–").join(" | ")} |`),
];

const plus = (value: number): string => (value > 0 ? `+${value}` : String(value));

/** What is wanted in all, in runs that were judged. */
const wantedMinutes = 60;

const verdictOf = ({ green, judgedMinutes }: SoakReport): string => {
  if (!green) return "not green";
  const missing = Math.ceil(wantedMinutes - judgedMinutes);
  return missing <= 0 ? "green" : `green so far, and ${missing} minutes of the hour are missing`;
};

export const markdownOf = (report: SoakReport): string => {
  const { runs, series, faults, broken, diskMiB } = report;
  const disk = Object.entries(diskMiB).map(([name, mib]) => `${name} ${mib}`);
  return [
    "# The soak so far",
    "",
    "Made by `npm run soak -- --report` from `runs/`; nothing in it is written by hand.",
    "",
    `${report.judgedMinutes} minutes with all oracles asked (${report.minutes} in all), ${report.transfers} transfers ` +
      `(${report.perSecond} a second), ${faults.reduce((sum, { times }) => sum + times, 0)} faults, on ${report.machine.join("; ")}: ` +
      `**${verdictOf(report)}**.`,
    "",
    ...(broken.length === 0
      ? [
          "Every oracle of every run that was judged holds, and so does every fault's own condition.",
          "",
        ]
      : ["What did not hold:", "", ...broken.map((text) => `- ${text}`), ""]),
    "A run whose oracles were not asked is here with its minutes and its faults, and counts for nothing else.",
    "",
    ...table(
      ["run", "commit", "seed", "per second", "minutes", "transfers", "oracles that hold"],
      runs.map((run) => [
        run.at.slice(0, 16).replace("T", " "),
        run.commit,
        run.seed,
        run.rate,
        run.minutes,
        run.transfers,
        run.oracles,
      ]),
    ),
    "",
    "## What the processes held",
    "",
    "A line through the medians of each minute, over all lives of a process that were longer than their warm-up " +
      `of ${warmUpMinutes} minutes, each life with a level of its own; per hour, with twice its standard error. ` +
      "Memory is the process's own (no mapped files); heap and buffers are what V8 holds after a full collection; " +
      "handles are sockets, servers and threads. *Fills*: gains towards a bound that is known: memory up to heap, buffers, V8's " +
      `young space of ${youngMiB} MiB and ${nativeMiB} MiB of code (of Java, ${kafkaMiB} MiB), where heap and buffers are flat; ` +
      "Postgres's files up to 1,000 a session. *Remembers*: the simulated cores are the wallets' own books.",
    "",
    ...table(
      ["process", "what", "lives", "minutes", "mean", "in an hour", "±", ""],
      series.map((one) => [
        one.process,
        one.measure,
        one.lives,
        one.points,
        one.mean,
        plus(one.perHour),
        one.uncertainty,
        one.judged,
      ]),
    ),
    "",
    `On disk at the end of the longest run, MiB: ${disk.join(", ")}; ${report.diskKibPerTransfer} KiB a transfer in all.`,
    "",
    "## Faults",
    "",
    "Seconds from the end of the fault until 30 transfers had ended.",
    "",
    ...table(
      ["fault", "times", "failed", "median", "most"],
      faults.map((one) => [
        one.name,
        one.times,
        one.failed,
        one.flowAgainMedian,
        one.flowAgainMost,
      ]),
    ),
    "",
  ].join("\n");
};
