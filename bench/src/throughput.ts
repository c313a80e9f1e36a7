// What the system sustains, sealed: bulk requests through the public API, a fixed number of transfers
// under way, for a fixed time. A transfer counts when its sealed outcome is back at the payer.
import { pause } from "@sealane/runtime";
import { cpuBetween, cpuOf } from "./cpu.ts";
import { distributionOf, type Distribution } from "./percentiles.ts";
import { isShed, ordersFrom, sendBulk, sendWaiting, type Order } from "./transfers.ts";
import type { BenchWorld } from "./world.ts";

export type ThroughputResult = {
  readonly sealed: number;
  readonly failed: number;
  /** Answers "not now"; what they were about was sent again. */
  readonly shed: number;
  readonly seconds: number;
  readonly transfersPerSecond: number;
  /** Slowest whole second of the run. */
  readonly slowestSecond: number;
  readonly latencyMs: Distribution;
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly firstFailure: unknown;
};

export type Load = { readonly bulk: number; readonly connections: number };

type Answered = { readonly ok: boolean; readonly ms: number; readonly answer: unknown };

/** A bulk request; of one, as a core sends it: by itself. */
const send: typeof sendBulk = async (target, orders, onAnswer) => {
  const [only] = orders;
  if (only === undefined || orders.length > 1) return sendBulk(target, orders, onAnswer);
  onAnswer(await sendWaiting(target, only), only);
};

/** Requests one after the other on each of `connections`; the same transfer is never sent twice. */
export const startKeepingUp = (world: BenchWorld, load: Load) => {
  let next = 0;
  let sealed = 0;
  let failed = 0;
  let shed = 0;
  let listener: ((answered: Answered) => void) | undefined;

  const keepSending = async (goOn: () => boolean): Promise<void> => {
    let again: Order[] = [];
    while (goOn()) {
      const orders = [...again, ...ordersFrom(next, load.bulk - again.length)];
      next += load.bulk - again.length;
      again = [];
      const startMs = Date.now();
      await send(world.payer, orders, (answer, order) => {
        if (isShed(answer)) {
          shed += 1;
          again.push(order);
          return;
        }
        const ok = answer["status"] === "sealed" || answer["status"] === "credited";
        if (ok) sealed += 1;
        else failed += 1;
        listener?.({ ok, ms: Date.now() - startMs, answer });
      });
      if (again.length > 0) await pause(200);
    }
  };
  const run = (goOn: () => boolean): Promise<unknown> =>
    Promise.all(Array.from({ length: load.connections }, () => keepSending(goOn)));

  let going = true;
  let running: Promise<unknown> | undefined;
  let broken: { readonly error: unknown } | undefined;
  return {
    sealed: () => sealed,
    failed: () => failed,
    shed: () => shed,
    /** Told of each answer from now on. */
    listen: (to: (answered: Answered) => void): void => {
      listener = to;
    },
    forSeconds: (seconds: number): Promise<unknown> => {
      const untilMs = Date.now() + seconds * 1_000;
      return run(() => Date.now() < untilMs);
    },
    /**
     * Resolves when so many are sealed; the load goes on until `finish`.
     * @throws Error when nothing more is sealed for a minute
     */
    untilSealed: async (count: number): Promise<void> => {
      if (running === undefined) {
        running = run(() => going);
        // Told by the loop below, or by `finish`; after another failure its own says nothing new.
        running.catch((error: unknown) => (broken ??= { error }));
      }
      for (let [seen, sinceMs] = [sealed, Date.now()]; sealed < count;) {
        await pause(20);
        if (broken !== undefined) throw broken.error;
        if (sealed > seen) [seen, sinceMs] = [sealed, Date.now()];
        if (Date.now() - sinceMs > 60_000) throw new Error(`only ${sealed} of ${count} are sealed`);
      }
    },
    /** Sends no more, and waits for what is under way. */
    finish: async (): Promise<void> => {
      going = false;
      await running;
    },
  };
};

/** Keeps `connections` bulk requests of `bulk` transfers under way until `seconds` have passed. */
export const measureThroughput = async (
  world: BenchWorld,
  load: Load,
  seconds: number,
  say: (line: string) => void,
): Promise<ThroughputResult> => {
  const sending = startKeepingUp(world, load);
  say("warming up: 10 s");
  await sending.forSeconds(10);
  say(`measuring: ${seconds} s, ${load.connections} × ${load.bulk} under way`);
  const perSecond = new Map<number, number>();
  const latencies: number[] = [];
  let firstFailure: unknown;
  sending.listen(({ ok, ms, answer }) => {
    if (!ok) {
      firstFailure ??= answer;
      return;
    }
    latencies.push(ms);
    const second = Math.floor(Date.now() / 1_000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  });
  const before = cpuOf(world.stack.pids());
  const startMs = Date.now();
  await sending.forSeconds(seconds);
  const took = (Date.now() - startMs) / 1_000;
  const cpuMs = cpuBetween(before, cpuOf(world.stack.pids()));
  const whole = [...perSecond.entries()].toSorted(([one], [other]) => one - other).slice(1, -1);
  return {
    sealed: latencies.length,
    failed: sending.failed(),
    shed: sending.shed(),
    seconds: took,
    transfersPerSecond: Math.round(latencies.length / took),
    slowestSecond: Math.min(...whole.map(([, count]) => count)),
    latencyMs: distributionOf(latencies),
    cpuMs,
    firstFailure,
  };
};
