// What the adapter owes its core: credits (payee's side) and notices of how a transfer stands (both
// sides). Told until it answers, at most once at a time per transfer, in batches; a timeout is
// repeated, never assumed. Each is numbered per transfer, so that a receiver ends right under
// duplicates and reordering.
import type { HttpClient } from "@sealane/http";
import { pause } from "@sealane/runtime";
import { z } from "zod";

type Job<R> = {
  readonly key: string;
  readonly build: () => Promise<Record<string, unknown> | undefined>;
  readonly done: (result: R) => void;
};

/** `attempts` above 0: it failed in company, and is asked alone, so that nobody waits for it. */
type Waiting<R> = Job<R> & { attempts: number };

export type CoreQueue<R> = {
  readonly add: (job: Job<R>) => void;
  readonly size: () => number;
  /** Age of the oldest job in ms, for an alert. */
  readonly oldestMs: () => number;
  readonly stop: () => void;
};

type QueueOptions<R> = {
  readonly core: HttpClient;
  readonly path: string;
  /** Name of the array in the request's body. */
  readonly list: string;
  readonly result: z.ZodType<R>;
  readonly keyOf: (result: R) => string;
  readonly inFlight: number;
  readonly perCall: number;
  readonly timeoutMs: number;
  /** What comes within this time goes in one call. */
  readonly lingerMs: number;
  readonly clock: () => number;
  readonly onFailure: (detail: string, jobs: number) => void;
};

const retryBaseMs = 200;
const retryCapMs = 10_000;

/** A queue of things to tell a core, by key; a job ends only with its own result. */
export const makeCoreQueue = <R>(options: QueueOptions<R>): CoreQueue<R> => {
  const stopping = new AbortController();
  const jobs = new Map<string, Waiting<R> & { readonly sinceMs: number }>();
  const ready: string[] = [];
  const answers = z.object({ results: z.array(z.unknown()) });
  let calls = 0;
  let lingering = false;

  const again = async (keys: readonly string[]): Promise<void> => {
    const attempts = Math.max(...keys.map((key) => jobs.get(key)?.attempts ?? 0));
    for (const key of keys) {
      const job = jobs.get(key);
      if (job !== undefined) job.attempts += 1;
    }
    // What failed in company is asked alone at once; what failed alone waits longer each time.
    if (keys.length === 1) {
      await pause(Math.min(retryBaseMs * 2 ** attempts, retryCapMs), stopping.signal);
      if (stopping.signal.aborted) return;
    }
    for (const key of keys) if (jobs.has(key)) ready.push(key);
    pump();
  };

  const call = async (keys: readonly string[]): Promise<void> => {
    const bodies: Record<string, unknown>[] = [];
    for (const key of keys) {
      const body = await jobs.get(key)?.build();
      if (body !== undefined) bodies.push(body);
    }
    const request = JSON.stringify({ [options.list]: bodies });
    const reply = await options.core.post(options.path, request, { timeoutMs: options.timeoutMs });
    const left = new Set(keys);
    if (reply.outcome === "ok" && reply.status === 200) {
      const parsed = answers.safeParse(JSON.parse(reply.body));
      for (const one of parsed.success ? parsed.data.results : []) {
        const result = options.result.safeParse(one);
        if (!result.success) continue;
        const key = options.keyOf(result.data);
        const job = jobs.get(key);
        if (job === undefined || !left.has(key)) continue;
        jobs.delete(key);
        left.delete(key);
        job.done(result.data);
      }
    }
    if (left.size === 0) return;
    const detail = reply.outcome === "ok" ? `status ${reply.status}` : reply.error.message;
    options.onFailure(detail, left.size);
    void again([...left]);
  };

  const takeReady = (): string[] => {
    const suspect = (key: string | undefined): boolean =>
      key !== undefined && (jobs.get(key)?.attempts ?? 0) > 0;
    if (suspect(ready[0])) return ready.splice(0, 1);
    const end = ready.findIndex((key, at) => at >= options.perCall || suspect(key));
    return ready.splice(0, end < 0 ? ready.length : end);
  };

  const pump = (): void => {
    while (calls < options.inFlight && ready.length > 0 && !stopping.signal.aborted) {
      const keys = takeReady();
      calls += 1;
      call(keys)
        .catch((error: unknown) => {
          options.onFailure(error instanceof Error ? error.message : String(error), keys.length);
          void again(keys);
        })
        .finally(() => {
          calls -= 1;
          pump();
        });
    }
  };

  return {
    add: (job) => {
      if (jobs.has(job.key)) return;
      const nowMs = options.clock();
      jobs.set(job.key, { ...job, attempts: 0, sinceMs: nowMs });
      ready.push(job.key);
      if (lingering) return;
      lingering = true;
      setTimeout(() => {
        lingering = false;
        pump();
      }, options.lingerMs);
    },
    size: () => jobs.size,
    oldestMs: () => {
      const first = jobs.values().next().value;
      return first === undefined ? 0 : options.clock() - first.sinceMs;
    },
    stop: () => stopping.abort(),
  };
};
