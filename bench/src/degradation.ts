// What one slow part does to the rest, at a load well below what is sustained: a proxy stands before each
// part and makes every piece late, both ways, or holds everything. Open loop, as in overload.
import { startFaultWorld, type FaultWorld } from "@sealane/test/fault-world";
import { pause } from "@sealane/runtime";
import { cpuBetween, cpuOf } from "./cpu.ts";
import { offer, type Phase } from "./overload.ts";
import type { Distribution } from "./percentiles.ts";
import { startKeepingUp, type Load } from "./throughput.ts";
import { targetOf, type BenchWorld } from "./world.ts";

/** A world of the fault suite, as the benchmarks see it. */
export type SlowedWorld = BenchWorld & { readonly fault: FaultWorld };

export const startSlowedWorld = async (say: (line: string) => void): Promise<SlowedWorld> => {
  const fault = await startFaultWorld({ onStep: (step) => say(`starting: ${step}`) });
  const { stack, stop } = fault;
  return {
    fault,
    stack,
    lanes: 1,
    payer: targetOf(stack, "hk-wallet"),
    payee: targetOf(stack, "ph-wallet"),
    stop,
  };
};

export type SlowPart = Phase & {
  readonly part: string;
  /** How long what came in 5 s took, from half a second after the fault. */
  readonly afterwardsMs: Distribution;
};

export type Degradation = {
  readonly sealed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly transfersPerSecond: number;
  /** With nothing slow. */
  readonly latencyMs: Distribution;
  readonly usual: Phase;
  readonly parts: readonly SlowPart[];
  readonly cpuMs: Readonly<Record<string, number>>;
};

/** Begins it; what it answers with ends it. */
type Slowing = { readonly part: string; readonly begin: (world: FaultWorld) => () => void };
type Proxy = FaultWorld["proxies"]["ledger"];

const slow = (what: string, ms: number, of: (world: FaultWorld) => readonly Proxy[]): Slowing => ({
  part: `${what}, ${ms} ms later each way`,
  begin: (world) => {
    const proxies = of(world);
    if (proxies.length === 0) throw new Error(`there is no proxy before ${what}`);
    for (const proxy of proxies) proxy.set({ kind: "delay", ms });
    return () => {
      for (const proxy of proxies) proxy.set({ kind: "pass" });
    };
  },
});

/** So long nothing gets to Kafka and nothing from it: what is stored and not published piles up. */
const heldMs = 3_000;

const slowings: readonly Slowing[] = [
  slow("the payee's core", 500, ({ proxies }) => [proxies.phCore]),
  slow("one of four witnesses", 500, ({ proxies }) => [proxies.witness]),
  slow("every witness", 50, ({ proxies }) => [
    proxies.hkAdapter,
    proxies.phAdapter,
    proxies.fxDesk,
    proxies.witness,
  ]),
  slow("Postgres", 10, ({ proxies }) => [proxies.postgres]),
  slow("Kafka", 20, ({ brokers }) => (brokers.proxy === undefined ? [] : [brokers.proxy])),
  {
    part: `Kafka held for ${heldMs / 1_000} s: the outbox fills`,
    begin: ({ brokers }) => {
      brokers.proxy?.set({ kind: "hold" });
      const timer = setTimeout(() => brokers.proxy?.set({ kind: "pass" }), heldMs);
      return () => {
        clearTimeout(timer);
        brokers.proxy?.set({ kind: "pass" });
      };
    },
  },
];

/** @param seconds of each phase, at `rate` transfers a second */
export const measureDegradation = async (
  world: SlowedWorld,
  load: Load,
  rate: number,
  seconds: number,
  say: (line: string) => void,
): Promise<Degradation> => {
  say("warming up: 20 s");
  const warming = startKeepingUp(world, load);
  await warming.forSeconds(10);
  const warm = await offer(world, rate, 10, 1_000_000);
  const cpu = cpuOf(world.stack.pids());
  const beganMs = Date.now();
  const tell = (name: string, { shedPercent, latencyMs }: Phase): void =>
    say(`${name}: ${shedPercent} % shed, p50 ${latencyMs.p50} p99 ${latencyMs.p99} ms`);
  const usual = await offer(world, rate, seconds, warm.next);
  tell("usual", usual.phase);
  const parts: SlowPart[] = [];
  let { sealed, failed, next } = usual;
  for (const { part, begin } of slowings) {
    const end = begin(world.fault);
    const during = await offer(world, rate, seconds, next);
    end();
    await pause(500);
    const after = await offer(world, rate, 5, during.next);
    parts.push({ part, ...during.phase, afterwardsMs: after.phase.latencyMs });
    tell(part, during.phase);
    tell("  5 s afterwards", after.phase);
    sealed += during.sealed + after.sealed;
    failed += during.failed + after.failed;
    next = after.next;
  }
  const took = (Date.now() - beganMs) / 1_000;
  return {
    sealed,
    failed: failed + warming.failed() + warm.failed,
    seconds: took,
    transfersPerSecond: usual.phase.sealedPerSecond,
    latencyMs: usual.phase.latencyMs,
    usual: usual.phase,
    parts,
    cpuMs: cpuBetween(cpu, cpuOf(world.stack.pids())),
  };
};
