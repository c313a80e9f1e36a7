// Entries judged on every core. What an entry is by itself costs two thirds of its audit, and nearly all
// of it with signatures; none of that needs the entries before. So threads judge, and the fold goes on;
// while they are busy (they take a second until their code is compiled) it judges the next bundle itself.
import { Worker } from "node:worker_threads";
import type { BundleAnswer, BundleJob, JudgedFault, JudgeSetting } from "./entry-judge.ts";

export type EntryPool = {
  /** Whether the threads have enough to do: whoever asks does the next bundle itself. */
  readonly isFull: () => boolean;
  /** @returns the bundle's first entry that does not stand by itself */
  readonly judge: (bundle: Omit<BundleJob, "id">) => Promise<JudgedFault | undefined>;
  readonly stop: () => Promise<void>;
};

type Waiting = {
  readonly resolve: (fault: JudgedFault | undefined) => void;
  readonly reject: (error: Error) => void;
};

/** Bundles under way per thread: one being judged, the next ready. */
const depth = 2;

/** What an entry leaves behind is young: more room for it halves the time for garbage. */
const resourceLimits = { maxYoungGenerationSizeMb: 64 };

/** Starts the threads; `stop` them, or the process does not end. */
export const startEntryPool = (setting: JudgeSetting, threads: number): EntryPool => {
  const waiting = new Map<number, Waiting>();
  const load = Array.from({ length: threads }, () => 0);
  let next = 0;
  let broken: Error | undefined;

  const fail = (error: Error): void => {
    broken ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const workers = load.map((_, at) => {
    const url = new URL("./entry-judge-worker.ts", import.meta.url);
    const worker = new Worker(url, { workerData: setting, resourceLimits });
    worker.on("message", ({ id, fault }: BundleAnswer) => {
      load[at] = (load[at] ?? 0) - 1;
      waiting.get(id)?.resolve(fault);
      waiting.delete(id);
    });
    worker.on("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", (code) => fail(new Error(`a thread of the audit ended with ${code}`)));
    return worker;
  });

  return {
    isFull: () => waiting.size >= depth * threads,
    judge: (bundle) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) {
          reject(broken);
          return;
        }
        const id = next;
        next += 1;
        const idlest = load.indexOf(Math.min(...load));
        load[idlest] = (load[idlest] ?? 0) + 1;
        waiting.set(id, { resolve, reject });
        workers[idlest]?.postMessage({ ...bundle, id } satisfies BundleJob);
      }),
    stop: async () => {
      fail(new Error("the audit's threads were stopped"));
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
};
