// Does a transfer cost more when the ledger is old? The same load in segments of equal length, and for
// each what a transfer cost, what the processes hold in memory and what lies on disk.
import { readFileSync } from "node:fs";
import { cpuBetween, cpuOf } from "./cpu.ts";
import { sizeOf } from "./disk.ts";
import { startKeepingUp, type Load } from "./throughput.ts";
import type { BenchWorld } from "./world.ts";

export type Segment = {
  readonly sealed: number;
  readonly transfersPerSecond: number;
  readonly cpuMsPerTransfer: number;
  /** Resident memory of each process, without its children, in MiB. */
  readonly residentMiB: Readonly<Record<string, number>>;
  /** All files of the stack: Postgres, Kafka, tiles, witnesses' states, logs. */
  readonly diskBytes: number;
};

export type Growth = {
  readonly sealed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly transfersPerSecond: number;
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
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const middle = (count - 1) / 2;
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  const slope = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0) / spread;
  const residual = values.reduce(
    (sum, value, at) => sum + (value - mean - slope * (at - middle)) ** 2,
    0,
  );
  const error = count > 2 ? Math.sqrt(residual / (count - 2) / spread) : Number.NaN;
  const percent = (one: number): number => round((one * (count - 1) * 100) / mean, 1);
  return { slope: percent(slope), uncertainty: percent(2 * error) };
};

/** @param transfers in all, in `segments` parts */
export const measureGrowth = async (
  world: BenchWorld,
  load: Load,
  transfers: number,
  segments: number,
  say: (line: string) => void,
): Promise<Growth> => {
  const pids = world.stack.pids();
  const disk = (): number => sizeOf(world.stack.home.path("."));
  const sending = startKeepingUp(world, load);
  say("warming up: 10 s");
  await sending.forSeconds(10);
  const begin = { sealed: sending.sealed(), cpu: cpuOf(pids), disk: disk(), ms: Date.now() };
  const done: Segment[] = [];
  let last = begin;
  for (let at = 1; at <= segments; at += 1) {
    await sending.untilSealed(begin.sealed + Math.round((transfers * at) / segments));
    const now = { sealed: sending.sealed(), cpu: cpuOf(pids), disk: disk(), ms: Date.now() };
    const sealed = now.sealed - last.sealed;
    const cpuMs = Object.values(cpuBetween(last.cpu, now.cpu)).reduce((sum, ms) => sum + ms, 0);
    const segment = {
      sealed,
      transfersPerSecond: Math.round((sealed * 1_000) / (now.ms - last.ms)),
      cpuMsPerTransfer: round(cpuMs / sealed),
      residentMiB: Object.fromEntries(
        Object.entries(pids).map(([name, pid]) => [name, residentMiB(pid)]),
      ),
      diskBytes: now.disk,
    };
    done.push(segment);
    last = now;
    say(
      `segment ${at} of ${segments}: ${segment.transfersPerSecond}/s, ${segment.cpuMsPerTransfer} ms CPU a transfer`,
    );
  }
  await sending.finish();
  const sealed = last.sealed - begin.sealed;
  const seconds = (last.ms - begin.ms) / 1_000;
  const trend = trendOf(done.map(({ cpuMsPerTransfer }) => cpuMsPerTransfer));
  return {
    sealed,
    failed: sending.failed(),
    seconds: round(seconds),
    transfersPerSecond: Math.round(sealed / seconds),
    segments: done,
    cpuTrendPercent: trend.slope,
    cpuTrendUncertaintyPercent: trend.uncertainty,
    diskBytesPerTransfer: Math.round((last.disk - begin.disk) / sealed),
    cpuMs: cpuBetween(begin.cpu, last.cpu),
  };
};
