// The main thread's side of the assembler: requests go out, promises come back. A batch of one or two
// is assembled where it is: two signatures take 50 µs, and on a busy machine the way to another thread
// and back takes milliseconds.
import { Worker } from "node:worker_threads";
import {
  assemble,
  readAssemblerKeys,
  type AssembledBatch,
  type AssembleRequest,
} from "./assembler.ts";
import type { AssemblerOptions } from "./assembler-worker.ts";

type Waiting = {
  readonly resolve: (batch: AssembledBatch) => void;
  readonly reject: (error: Error) => void;
};

type Answer =
  | { readonly id: number; readonly batch: AssembledBatch }
  | { readonly id: number; readonly error: string };

/** The most entries and refusals that are not worth another thread. */
const fewest = 2;

export type AssemblerThread = {
  assemble(request: AssembleRequest): Promise<AssembledBatch>;
  stop(): Promise<void>;
};

/** Starts the thread. When it dies, every waiting request fails and `onExit` is told. */
export const startAssembler = (
  options: AssemblerOptions,
  onExit: (error: Error) => void,
): AssemblerThread => {
  const worker = new Worker(new URL("./assembler-worker.ts", import.meta.url), {
    workerData: options,
  });
  const keys = readAssemblerKeys(options.entryKeyFile, options.checkpointKeyFile);
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let stopped = false;
  const fail = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    if (!stopped) onExit(error);
  };
  worker.on("message", (answer: Answer) => {
    const request = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) request?.reject(new Error(answer.error));
    else request?.resolve(answer.batch);
  });
  worker.on("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => fail(new Error(`the assembler thread ended with ${code}`)));
  return {
    assemble: async (request) => {
      if (request.drafts.length + request.refusals.length <= fewest) {
        return assemble(options.origin, keys, request);
      }
      return new Promise((resolve, reject) => {
        const id = next;
        next += 1;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, request });
      });
    },
    stop: async () => {
      stopped = true;
      await worker.terminate();
    },
  };
};
