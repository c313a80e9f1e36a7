// Does a transfer cost more when the ledger is old? The same load in segments of equal length, and for
// each what a transfer cost, what the processes hold in memory and what lies on disk. Each segment is written
// down when it is done, so that a run that ends early goes on later, on the same ledger.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fitLine } from "@sealane/test/trend";
import { z } from "zod";
import { cpuBetween, cpuOf } from "./cpu.ts";
import { sizeOf } from "./disk.ts";
import { startKeepingUp, type Load } from "./throughput.ts";
import type { BenchWorld } from "./world.ts";

const byProcess = z.record(z.string(), z.number());

const segmentSchema = z.strictObject({
  sealed: z.number(),
  seconds: z.number(),
  transfersPerSecond: z.number(),
  cpuMsPerTransfer: z.number(),
  cpuMs: byProcess,
  /** Resident memory of each process, without its children, in MiB. */
  residentMiB: byProcess,
  /** What it added to all files of the stack: Postgres, Kafka, tiles, witnesses' states, logs. */
  diskBytes: z.number(),
  /** Which start of the stack it ran in, from 1: memory begins anew with each. */
  start: z.number(),
});
export type Segment = z.infer<typeof segmentSchema>;

const keptSchema = z.strictObject({
  transfers: z.number(),
  segments: z.number(),
  starts: z.number(),
  done: z.array(segmentSchema),
});
type Kept = z.infer<typeof keptSchema>;

export type Growth = {
  readonly sealed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly transfersPerSecond: number;
  /** How often the stack was started for it. */
  readonly starts: number;
  readonly segments: readonly Segment[];
  /** Slope of a straight line through the segments' CPU, from first to last, in percent of the mean. */
  readonly cpuTrendPercent: number;
  /** What 19 of 20 such slopes would lie within if there were no trend: twice its standard error. */
  readonly cpuTrendUncertaintyPercent: number;
  readonly diskBytesPerTransfer: number;
  readonly cpuMs: Readonly<Record<string, number>>;
};

const round = (value: number, digits = 3): number => Number(value.toFixed(digits));

const residentMiB = (pid: number): number => {
  try {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.round(Number(kib ?? 0) / 1_024);
  } catch {
    return 0; // no /proc here, or it ended
  }
};

/** The slope of least squares over the segments, and twice its standard error; both in percent. */
export const trendOf = (values: readonly number[]): { slope: number; uncertainty: number } => {
  const { mean, slope, uncertainty } = fitLine([values.map((y, x) => ({ x, y }))]);
  const percent = (one: number): number => round((one * (values.length - 1) * 100) / mean, 1);
  return { slope: percent(slope), uncertainty: percent(uncertainty) };
};

/**
 * What was done before in this folder.
 * @throws Error when that was another run
 */
export const readKept = (file: string, transfers: number, segments: number): Kept => {
  if (!existsSync(file)) return { transfers, segments, starts: 0, done: [] };
  const known = keptSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  if (known.transfers === transfers && known.segments === segments) return known;
  const asked = `--transfers ${known.transfers} --segments ${known.segments}`;
  throw new Error(`${file} is of a run with ${asked}: go on with these, or in another folder`);
};

/** Sums of what each segment says of itself. */
export const summaryOf = ({ done, starts }: Kept): Omit<Growth, "failed"> => {
  const sum = (of: (segment: Segment) => number): number =>
    done.reduce((total, segment) => total + of(segment), 0);
  const sealed = sum((segment) => segment.sealed);
  const seconds = sum((segment) => segment.seconds);
  const names = [...new Set(done.flatMap(({ cpuMs }) => Object.keys(cpuMs)))];
  const trend = trendOf(done.map(({ cpuMsPerTransfer }) => cpuMsPerTransfer));
  return {
    sealed,
    seconds: round(seconds),
    transfersPerSecond: Math.round(sealed / seconds),
    starts,
    segments: done,
    cpuTrendPercent: trend.slope,
    cpuTrendUncertaintyPercent: trend.uncertainty,
    diskBytesPerTransfer: Math.round(sum((segment) => segment.diskBytes) / sealed),
    cpuMs: Object.fromEntries(names.map((name) => [name, sum(({ cpuMs }) => cpuMs[name] ?? 0)])),
  };
};

/**
 * @param transfers in all, in `segments` parts
 * @param file where each segment is kept when it is done
 */
export const measureGrowth = async (
  world: BenchWorld,
  load: Load,
  transfers: number,
  segments: number,
  file: string,
  say: (line: string) => void,
): Promise<Growth> => {
  const before = readKept(file, transfers, segments);
  const { done } = before;
  const start = before.starts + 1;
  const pids = world.stack.pids();
  const sending = startKeepingUp(world, load);
  const reading = () => ({
    sealed: sending.sealed(),
    cpu: cpuOf(pids),
    disk: sizeOf(world.stack.home.path(".")),
    ms: Date.now(),
  });
  if (done.length > 0) say(`going on after ${done.length} of ${segments} segments`);
  say("warming up: 10 s");
  await sending.forSeconds(10);
  let last = reading();
  while (done.length < segments) {
    const at = done.length + 1;
    const share =
      Math.round((transfers * at) / segments) - Math.round((transfers * (at - 1)) / segments);
    await sending.untilSealed(last.sealed + share);
    const now = reading();
    const sealed = now.sealed - last.sealed;
    const cpuMs = cpuBetween(last.cpu, now.cpu);
    const total = Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);
    const seconds = (now.ms - last.ms) / 1_000;
    const segment: Segment = {
      sealed,
      seconds: round(seconds),
      transfersPerSecond: Math.round(sealed / seconds),
      cpuMsPerTransfer: round(total / sealed),
      cpuMs,
      residentMiB: Object.fromEntries(
        Object.entries(pids).map(([name, pid]) => [name, residentMiB(pid)]),
      ),
      diskBytes: now.disk - last.disk,
      start,
    };
    done.push(segment);
    writeFileSync(file, JSON.stringify({ transfers, segments, starts: start, done }));
    last = now;
    say(
      `segment ${at} of ${segments}: ${segment.transfersPerSecond}/s, ${segment.cpuMsPerTransfer} ms CPU a transfer`,
    );
  }
  await sending.finish();
  return { ...summaryOf({ ...before, starts: start, done }), failed: sending.failed() };
};
