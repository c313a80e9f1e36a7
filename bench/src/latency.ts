// Open-loop latency: transfers leave when they are due, whatever became of the others, one HTTP request
// each. Measured from the due time to the sealed receipt at the payee's adapter.
import { pause } from "@sealane/runtime";
import { cpuBetween, cpuOf } from "./cpu.ts";
import { watchPayee } from "./payee-side.ts";
import { distributionOf, type Distribution } from "./percentiles.ts";
import { readBuckets, sealTimesBetween, type SealTimes } from "./seal-times.ts";
import { sendSingle, type Sent } from "./transfers.ts";
import type { BenchWorld } from "./world.ts";

export type LatencyResult = {
  readonly sent: number;
  readonly sealed: number;
  readonly failed: number;
  /** Answers "not now"; what they were about was sent again, and its time counts from when it was due. */
  readonly shed: number;
  readonly seconds: number;
  readonly latencyMs: Distribution;
  /** Until the payer's 202, for where the time goes. */
  readonly acceptedMs: Distribution;
  /** From commit to a quorum, as the ledger has counted it. */
  readonly sealMs: SealTimes;
  readonly cpuMs: Readonly<Record<string, number>>;
};

const run = async (
  world: BenchWorld,
  rate: number,
  seconds: number,
  from: number,
): Promise<{ sent: Sent[]; failed: number; shed: number; accepted: number[] }> => {
  const begin = Date.now() + 20;
  const total = rate * seconds;
  const sent: Sent[] = [];
  const accepted: number[] = [];
  let failed = 0;
  let shed = 0;
  const running: Promise<void>[] = [];
  const one = async (n: number, dueMs: number): Promise<void> => {
    try {
      const answer = await sendSingle(world.payer, from + n, dueMs);
      shed += answer.shed;
      accepted.push(Date.now() - dueMs);
      if (answer.status === 202 || answer.status === 200) sent.push(answer);
      else failed += 1;
    } catch {
      failed += 1;
    }
  };
  for (let n = 0; n < total; n += 1) {
    const dueMs = begin + (n * 1_000) / rate;
    const early = dueMs - Date.now();
    if (early > 0) await pause(early);
    running.push(one(n, dueMs));
  }
  await Promise.all(running);
  return { sent, failed, shed, accepted };
};

/** @param rate transfers per second */
export const measureLatency = async (
  world: BenchWorld,
  rate: number,
  seconds: number,
  say: (line: string) => void,
): Promise<LatencyResult> => {
  const watch = await watchPayee(world.payee);
  say(`warming up: 30 s at ${rate}/s`);
  await run(world, rate, 30, 0);
  say(`measuring: ${seconds} s at ${rate}/s`);
  const ledger = world.stack.urls["ledger"] ?? "";
  const buckets = await readBuckets(ledger);
  const before = cpuOf(world.stack.pids());
  const { sent, failed, shed, accepted } = await run(world, rate, seconds, 30 * rate);
  const deadline = Date.now() + 15_000;
  const missing = (): number =>
    sent.filter(({ transferId }) => !watch.sealedAtMs.has(transferId)).length;
  while (missing() > 0 && Date.now() < deadline) await pause(50);
  const cpuMs = cpuBetween(before, cpuOf(world.stack.pids()));
  watch.stop();
  const sealMs = sealTimesBetween(buckets, await readBuckets(ledger));
  const latencies = sent.flatMap(({ transferId, dueMs }) => {
    const at = watch.sealedAtMs.get(transferId);
    return at === undefined ? [] : [Math.max(0, at - dueMs)];
  });
  const bySecond = Map.groupBy(
    sent.flatMap(({ transferId, dueMs }) => {
      const at = watch.sealedAtMs.get(transferId);
      return at === undefined ? [] : [{ second: Math.floor(dueMs / 1_000), ms: at - dueMs }];
    }),
    ({ second }) => second,
  );
  const medians = [...bySecond.values()].map((of) => distributionOf(of.map(({ ms }) => ms)).p50);
  say(`p50 of each second, ms: ${medians.join(" ")}`);
  return {
    sent: sent.length,
    sealed: latencies.length,
    failed: failed + missing(),
    shed,
    seconds,
    latencyMs: distributionOf(latencies),
    acceptedMs: distributionOf(accepted),
    sealMs,
    cpuMs,
  };
};
