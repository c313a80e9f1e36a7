// What a soak reads of each process: memory and open files from /proc, and from the probe inside what V8
// still holds after a full collection, timers and handles. A minute is told by its medians.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** What `probe.ts` writes from within a process. */
export type ProbeReport = {
  readonly atMs: number;
  readonly heapBytes: number;
  readonly external: number;
  /** What keeps the event loop, by type. */
  readonly resources: Readonly<Record<string, number>>;
};

/** Figures of one process, its children with it (Postgres's sessions). */
export type Sample = {
  readonly pid: number;
  /** Memory of its own, without mapped files, MiB. */
  readonly memoryMiB: number;
  readonly files: number;
  /** Inside V8 after a full collection, MiB; only of Node processes, as all that follows. */
  readonly heapMiB?: number;
  readonly buffersMiB?: number;
  readonly timers?: number;
  /** Sockets, servers, ports to threads and the like. */
  readonly handles?: number;
};

export const measures = [
  "memoryMiB",
  "files",
  "heapMiB",
  "buffersMiB",
  "timers",
  "handles",
] as const;
export type Measure = (typeof measures)[number];

const mib = (bytes: number): number => Math.round((bytes / 1_048_576) * 10) / 10;

/** A process and its descendants; only itself where the kernel does not say. */
const familyOf = (pid: number): number[] => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    const children = text === "" ? [] : text.split(" ").map(Number);
    return [pid, ...children.flatMap(familyOf)];
  } catch {
    return [pid];
  }
};

const readOne = (pid: number): { memoryKiB: number; files: number } => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const memoryKiB = Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    return { memoryKiB, files: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return { memoryKiB: 0, files: 0 }; // it ended while we looked
  }
};

const inFlight = /^(?:Immediate|.*Req.*|.*Wrap Promise)$/;

/** What a probe has said lately is of this process and this minute. */
const readProbe = (folder: string, pid: number): Omit<Sample, "pid" | "memoryMiB" | "files"> => {
  const file = join(folder, `${pid}.json`);
  if (!existsSync(file)) return {};
  const { heapBytes, external, resources } = JSON.parse(readFileSync(file, "utf8")) as ProbeReport;
  const handles = Object.entries(resources)
    .filter(([type]) => type !== "Timeout" && !inFlight.test(type))
    .reduce((sum, [, count]) => sum + count, 0);
  const timers = resources["Timeout"] ?? 0;
  return { heapMiB: mib(heapBytes), buffersMiB: mib(external), timers, handles };
};

/** @returns undefined when the process is not there */
export const sampleOf = (pid: number, probes: string): Sample | undefined => {
  const family = familyOf(pid).map(readOne);
  const sum = (of: (one: { memoryKiB: number; files: number }) => number): number =>
    family.reduce((total, one) => total + of(one), 0);
  const memoryMiB = mib(sum(({ memoryKiB }) => memoryKiB) * 1_024);
  if (memoryMiB === 0) return undefined;
  return { pid, memoryMiB, files: sum(({ files }) => files), ...readProbe(probes, pid) };
};

/** A process that has ended and was not waited for yet has no memory. */
export const isRunning = (pid: number): boolean => readOne(pid).memoryKiB > 0;

const medianOf = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, another) => one - another);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};

/** The samples of one process as one. @returns undefined when there are none */
export const minuteOf = (samples: readonly Sample[]): Sample | undefined => {
  const pid = samples.at(-1)?.pid;
  if (pid === undefined) return undefined;
  const figures: Partial<Record<Measure, number>> = {};
  for (const measure of measures) {
    const values = samples.flatMap((one) => one[measure] ?? []);
    if (values.length > 0) figures[measure] = medianOf(values);
  }
  return { pid, memoryMiB: 0, files: 0, ...figures };
};
