// One thread that judges this process's signatures, in batches: whatever is asked while it judges goes
// together in the next piece. One or two are judged where they are: 62 µs each, hardly more than
// handing them over costs, and on a busy machine the way to another thread and back takes milliseconds
// (50 transfers a second on two cores: p50 120 ms with it, 35 without). The thread is started by the
// first larger question, does not keep the process alive, and is started again when it died; what was
// asked of a dead one is asked of the next, once.
import { Worker } from "node:worker_threads";
import { makeBatcher, OperationalError } from "@sealane/runtime";
import { verifyEd25519 } from "@sealane/tlog";
import { packSignatures, type SignatureJob } from "./packed-signatures.ts";

const MAX_BATCH = 256;
const FEW = 2;

type Thread = {
  readonly judge: (jobs: readonly SignatureJob[]) => Promise<Uint8Array>;
  readonly isDead: () => boolean;
};

function startThread(): Thread {
  const worker = new Worker(new URL("./verify-worker.ts", import.meta.url), { execArgv: [] });
  worker.unref();
  let dead = false;
  let waiting: PromiseWithResolvers<Uint8Array> | undefined;
  const fail = (why: string): void => {
    dead = true;
    const message = `the thread that judges signatures ${why}`;
    waiting?.reject(new OperationalError("verify-thread-ended", message, { retryable: true }));
  };
  worker.on("message", (verdicts: Uint8Array) => waiting?.resolve(verdicts));
  worker.on("error", (error) => fail(`failed: ${String(error)}`));
  worker.on("exit", (code) => fail(`ended with ${code}`));
  return {
    isDead: () => dead,
    judge: async (jobs) => {
      waiting = Promise.withResolvers<Uint8Array>();
      const packed = packSignatures(jobs);
      worker.ref(); // a process that waits for a verdict is not at its end
      worker.postMessage(packed, [packed.buffer]);
      return waiting.promise.finally(() => worker.unref());
    },
  };
}

let thread: Thread | undefined;

const judge = async (jobs: readonly SignatureJob[]): Promise<readonly boolean[]> => {
  if (jobs.length <= FEW) {
    return jobs.map((job) => verifyEd25519(job.publicKey, job.message, job.signature));
  }
  if (thread === undefined || thread.isDead()) thread = startThread();
  const verdicts = await thread.judge(jobs).catch(() => {
    thread = startThread();
    return thread.judge(jobs);
  });
  return jobs.map((_, at) => verdicts[at] === 1);
};

const batcher = makeBatcher<SignatureJob, boolean>({ maxItems: MAX_BATCH, run: judge });

/**
 * Judges one signature without the cofactor: in the thread, or here when it is asked with at most one
 * other. The key must have been admitted.
 * @throws OperationalError `verify-thread-ended` when two threads in a row died of it
 */
export function judgeOffThread(job: SignatureJob): Promise<boolean> {
  return batcher.add(job);
}
