// What becomes of the system at twice what it sustains: how much it turns away, how long what it let in
// takes, and how soon it is itself again. Open loop: bulk requests leave when they are due, whatever
// became of the others; a line that is told "not now" is not sent again.
import { pause } from "@sealane/runtime";
import { cpuBetween, cpuOf } from "./cpu.ts";
import { distributionOf, type Distribution } from "./percentiles.ts";
import { startKeepingUp, type Load } from "./throughput.ts";
import { isShed, ordersFrom, sendBulk } from "./transfers.ts";
import type { BenchWorld } from "./world.ts";

export type Phase = {
  readonly offeredPerSecond: number;
  readonly sealedPerSecond: number;
  readonly shedPercent: number;
  /** Of what was let in: from when it was due to its sealed answer. */
  readonly latencyMs: Distribution;
};

export type OverloadResult = {
  /** Of all phases together. */
  readonly sealed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly transfersPerSecond: number;
  /** Of what was let in at twice the sustainable load. */
  readonly latencyMs: Distribution;
  readonly sustainedPerSecond: number;
  readonly half: Phase;
  readonly twice: Phase;
  readonly halfAgain: Phase;
  /** From the end of the overload until nothing more is turned away, of what came at half load. */
  readonly lastShedAfterMs: number;
  readonly cpuMs: Readonly<Record<string, number>>;
};

const everyMs = 50;

type Outcome = { readonly dueMs: number; readonly ms: number; readonly kind: "sealed" | "shed" };

/** Sends `perSecond` for `seconds`, bodies from number `from` on; resolves when everything is answered. */
export const offer = async (
  world: BenchWorld,
  perSecond: number,
  seconds: number,
  from: number,
) => {
  const outcomes: Outcome[] = [];
  let failed = 0;
  const running: Promise<void>[] = [];
  const begin = Date.now() + 20;
  let [sent, n] = [0, from];
  for (let at = 0; at * everyMs < seconds * 1_000; at += 1) {
    const dueMs = begin + at * everyMs;
    const early = dueMs - Date.now();
    if (early > 0) await pause(early);
    const count = Math.round(((at + 1) * everyMs * perSecond) / 1_000) - sent;
    if (count <= 0) continue;
    const orders = ordersFrom(n, count);
    [sent, n] = [sent + count, n + count];
    const one = sendBulk(world.payer, orders, (answer) => {
      const ms = Date.now() - dueMs;
      const ok = answer["status"] === "sealed" || answer["status"] === "credited";
      if (ok) outcomes.push({ dueMs, ms, kind: "sealed" });
      else if (isShed(answer)) outcomes.push({ dueMs, ms, kind: "shed" });
      else failed += 1;
    });
    running.push(one.catch(() => void (failed += count)));
  }
  const endMs = Date.now();
  await Promise.all(running);
  const sealed = outcomes.filter(({ kind }) => kind === "sealed");
  const shed = outcomes.length - sealed.length;
  const took = (endMs - begin) / 1_000;
  const phase: Phase = {
    offeredPerSecond: Math.round(sent / took),
    sealedPerSecond: Math.round(sealed.length / took),
    shedPercent: Math.round((1_000 * shed) / sent) / 10,
    latencyMs: distributionOf(sealed.map(({ ms }) => ms)),
  };
  return { phase, outcomes, failed, sealed: sealed.length, next: n, begin };
};

/** @param seconds of each of the three phases: half of what is sustained, twice, and half again */
export const measureOverload = async (
  world: BenchWorld,
  load: Load,
  seconds: number,
  say: (line: string) => void,
): Promise<OverloadResult> => {
  const keeping = startKeepingUp(world, load);
  say("warming up: 10 s");
  await keeping.forSeconds(10);
  say("what is sustained: 15 s");
  const before = keeping.sealed();
  const startMs = Date.now();
  await keeping.forSeconds(15);
  const sustained = ((keeping.sealed() - before) * 1_000) / (Date.now() - startMs);
  const cpu = cpuOf(world.stack.pids());
  const beganMs = Date.now();
  const tell = (name: string, { phase }: { phase: Phase }): void =>
    say(
      `${name}: ${phase.offeredPerSecond}/s offered, ${phase.sealedPerSecond} sealed, ` +
        `${phase.shedPercent} % shed, p50 ${phase.latencyMs.p50} p99 ${phase.latencyMs.p99} ms`,
    );
  const half = await offer(world, sustained / 2, seconds, 1_000_000);
  tell("half", half);
  const twice = await offer(world, sustained * 2, seconds, half.next);
  tell("twice", twice);
  const again = await offer(world, sustained / 2, seconds, twice.next);
  tell("half again", again);
  const lastShed = again.outcomes.findLast(({ kind }) => kind === "shed");
  const sealed = half.sealed + twice.sealed + again.sealed;
  const took = (Date.now() - beganMs) / 1_000;
  return {
    sealed,
    failed: keeping.failed() + half.failed + twice.failed + again.failed,
    seconds: took,
    transfersPerSecond: twice.phase.sealedPerSecond,
    latencyMs: twice.phase.latencyMs,
    sustainedPerSecond: Math.round(sustained),
    half: half.phase,
    twice: twice.phase,
    halfAgain: again.phase,
    lastShedAfterMs: lastShed === undefined ? 0 : lastShed.dueMs - again.begin,
    cpuMs: cpuBetween(cpu, cpuOf(world.stack.pids())),
  };
};
