// What the system sustains, sealed: bulk requests through the public API, a fixed number of transfers
// under way, for a fixed time. A transfer counts when its sealed outcome is back at the payer.
import { cpuBetween, cpuOf } from "./cpu.ts";
import { distributionOf, type Distribution } from "./percentiles.ts";
import { sendBulk } from "./transfers.ts";
import type { BenchWorld } from "./world.ts";

export type ThroughputResult = {
  readonly sealed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly transfersPerSecond: number;
  /** Slowest whole second of the run. */
  readonly slowestSecond: number;
  readonly latencyMs: Distribution;
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly firstFailure: unknown;
};

export type Load = { readonly bulk: number; readonly connections: number };

/** Keeps `connections` bulk requests of `bulk` transfers under way until `seconds` have passed. */
export const measureThroughput = async (
  world: BenchWorld,
  load: Load,
  seconds: number,
  say: (line: string) => void,
): Promise<ThroughputResult> => {
  let next = 0;
  let measuring = false;
  let sealed = 0;
  let failed = 0;
  let firstFailure: unknown;
  const perSecond = new Map<number, number>();
  const latencies: number[] = [];

  const keepSending = async (untilMs: number): Promise<void> => {
    while (Date.now() < untilMs) {
      const from = next;
      next += load.bulk;
      const startMs = Date.now();
      await sendBulk(world.payer, from, load.bulk, (answer) => {
        if (answer.status !== "sealed" && answer.status !== "credited") {
          failed += 1;
          firstFailure ??= answer;
          return;
        }
        if (!measuring) return;
        sealed += 1;
        const now = Date.now();
        latencies.push(now - startMs);
        const second = Math.floor(now / 1_000);
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      });
    }
  };
  const runFor = (ms: number): Promise<unknown> => {
    const untilMs = Date.now() + ms;
    return Promise.all(Array.from({ length: load.connections }, () => keepSending(untilMs)));
  };

  say("warming up: 10 s");
  await runFor(10_000);
  say(`measuring: ${seconds} s, ${load.connections} × ${load.bulk} under way`);
  measuring = true;
  const before = cpuOf(world.stack.pids());
  const startMs = Date.now();
  await runFor(seconds * 1_000);
  const took = (Date.now() - startMs) / 1_000;
  const cpuMs = cpuBetween(before, cpuOf(world.stack.pids()));
  const whole = [...perSecond.entries()].toSorted(([one], [other]) => one - other).slice(1, -1);
  return {
    sealed,
    failed,
    seconds: took,
    transfersPerSecond: Math.round(sealed / took),
    slowestSecond: Math.min(...whole.map(([, count]) => count)),
    latencyMs: distributionOf(latencies),
    cpuMs,
    firstFailure,
  };
};
