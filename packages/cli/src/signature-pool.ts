// Signatures judged on every core: one costs 0.06 ms with libsodium, three stand in an entry, and all the
// rest of an entry's audit takes 0.05 ms. So the audit folds on and notes signatures down; threads judge.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import {
  packBatch,
  signatureBytes,
  type SignatureAnswer,
  type SignatureJob,
} from "./signature-batch.ts";

export type SignaturePool = {
  /** Waits until the batch may come: bounds what lies in memory. */
  readonly room: () => Promise<void>;
  /** @returns places in `jobs` of the signatures that do not verify, ascending */
  readonly judge: (jobs: readonly SignatureJob[]) => Promise<number[]>;
  readonly stop: () => Promise<void>;
};

type Waiting = {
  readonly resolve: (bad: readonly number[]) => void;
  readonly reject: (error: Error) => void;
};

/** Batches under way per thread: one being judged, others ready. */
const depth = 3;

/** Starts the threads; `stop` them, or the process does not end. */
export const startSignaturePool = (threads = availableParallelism()): SignaturePool => {
  const waiting = new Map<number, Waiting>();
  const roomers: (() => void)[] = [];
  let next = 0;
  let stopped = false;

  const fail = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    for (const go of roomers.splice(0)) go();
  };
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL("./signature-worker.ts", import.meta.url));
    worker.on("message", ({ id, bad }: SignatureAnswer) => {
      waiting.get(id)?.resolve(bad);
      waiting.delete(id);
      roomers.shift()?.();
    });
    worker.on("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", (code) => {
      if (!stopped) fail(new Error(`a signature thread ended with ${code}`));
    });
    return worker;
  });

  return {
    room: () =>
      waiting.size < depth * threads
        ? Promise.resolve()
        : new Promise((resolve) => roomers.push(resolve)),
    judge: async (jobs) => {
      const odd: number[] = [];
      const fit: number[] = [];
      for (const [at, { signature }] of jobs.entries()) {
        (signature.length === signatureBytes ? fit : odd).push(at);
      }
      if (fit.length === 0) return odd;
      const id = next;
      next += 1;
      const batch = packBatch(
        id,
        fit.map((at) => jobs[at] as SignatureJob),
      );
      const bad = await new Promise<readonly number[]>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        const transfer = [batch.signatures.buffer, batch.keyOf.buffer];
        workers[id % threads]?.postMessage(batch, transfer);
      });
      return [...odd, ...bad.map((at) => fit[at] as number)].sort((a, b) => a - b);
    },
    stop: async () => {
      stopped = true;
      fail(new Error("the signature threads were stopped"));
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
};
