// Kafka, Postgres, witnesses and cores that are slow, silent, cut off or dead, behind the TCP proxy or by
// signals to their processes.
import { setTimeout as delay } from "node:timers/promises";
import type { ProxyMode, TcpProxy } from "../tcp-proxy.ts";
import { seconds, type FaultCase, type Stage } from "../stage.ts";
import type { Proxied } from "../world.ts";

const during = async (
  proxies: readonly (TcpProxy | undefined)[],
  mode: ProxyMode,
  forSeconds: number,
): Promise<void> => {
  for (const proxy of proxies) proxy?.set(mode);
  await seconds(forSeconds);
  for (const proxy of proxies) proxy?.set({ kind: "pass" });
};

const kafka: readonly FaultCase[] = [
  {
    name: "kafka-killed",
    what: "the only broker is killed, and started again 3 s later",
    run: ({ world: { brokers }, underLoad }) =>
      underLoad(async () => {
        await brokers.kill(0);
        await delay(3_000);
        await brokers.restart(0);
      }),
  },
  {
    name: "kafka-stopped-40s",
    what: "the broker is stopped (SIGSTOP) for 40 s, and continued",
    run: ({ world: { brokers }, underLoad }) =>
      underLoad(
        async () => {
          brokers.signal(0, "SIGSTOP");
          await seconds(40);
          brokers.signal(0, "SIGCONT");
        },
        { rate: 15 },
      ),
  },
  {
    name: "kafka-answers-dropped",
    what: "Kafka gets every request for 8 s, and no answer of it arrives",
    run: ({ world: { brokers }, underLoad }) =>
      underLoad(() => during([brokers.proxy], { kind: "drop-answers" }, 8)),
  },
  {
    name: "kafka-resets",
    what: "every connection to Kafka is reset every 300 ms, for 15 s",
    run: ({ world: { brokers }, underLoad }) =>
      underLoad(async () => {
        const stop = brokers.proxy?.resetEvery(300);
        await seconds(15);
        stop?.();
      }),
  },
  {
    name: "kafka-slow",
    what: "Kafka is 150 ms further away each way, for 8 s",
    run: ({ world: { brokers }, underLoad }) =>
      underLoad(() => during([brokers.proxy], { kind: "delay", ms: 150 }, 8)),
  },
  {
    name: "kafka-cut",
    what: "nobody reaches Kafka for 6 s",
    run: ({ world: { brokers }, underLoad }) =>
      underLoad(() => during([brokers.proxy], { kind: "cut" }, 6)),
  },
];

const postgres: readonly FaultCase[] = [
  {
    name: "postgres-killed",
    what: "Postgres is killed with all its sessions under load, and started again",
    run: ({ world: { databases }, underLoad }) =>
      underLoad(async () => {
        await databases.kill();
        await delay(1_000);
        await databases.restart();
      }),
  },
  {
    name: "postgres-sessions-ended",
    what: "sessions of the services are terminated at random, forty in 10 s",
    run: ({ world: { databases }, underLoad, showed }) =>
      underLoad(async () => {
        let ended = 0;
        for (let n = 0; n < 40; n += 1) {
          const rows = await databases.ask(
            `select pg_terminate_backend(pid) as gone from (select pid from pg_stat_activity
               where application_name like 'sealane-%' order by random() limit 1) as one`,
          );
          ended += rows.length;
          await delay(150);
        }
        showed(`${ended} sessions ended`);
      }),
  },
  {
    name: "postgres-answers-dropped",
    what: "Postgres carries everything out for 5 s, and no answer arrives: unknown commits",
    run: ({ world: { databases }, underLoad }) =>
      underLoad(() => during([databases.proxy], { kind: "drop-answers" }, 5)),
  },
  {
    name: "postgres-stopped",
    what: "Postgres is held for 12 s: connections stay open and nothing passes",
    run: ({ world: { databases }, underLoad }) =>
      underLoad(() => during([databases.proxy], { kind: "hold" }, 12)),
  },
  {
    name: "postgres-resets",
    what: "every connection to Postgres is reset every 700 ms, for 10 s",
    run: ({ world: { databases }, underLoad }) =>
      underLoad(async () => {
        const stop = databases.proxy.resetEvery(700);
        await seconds(10);
        stop();
      }),
  },
];

/** How many transfers ended within a time, while a fault lasts. */
const endedMeanwhile = async (stage: Stage, mode: ProxyMode, who: readonly Proxied[]) => {
  const { proxies } = stage.world;
  const ended = (): number => stage.ended();
  const before = ended();
  await during(
    who.map((name) => proxies[name]),
    mode,
    8,
  );
  stage.showed(`${ended() - before} ended within those 8 s`);
};

const peers: readonly FaultCase[] = [
  {
    name: "one-witness-away",
    what: "one of four witnesses cannot be reached for 8 s: a quorum remains",
    run: (stage) =>
      stage.underLoad(async () => {
        const before = stage.ended();
        await endedMeanwhile(stage, { kind: "cut" }, ["witness"]);
        if (stage.ended() - before < 50) stage.fault("the ledger stopped without one witness");
      }),
  },
  {
    name: "no-quorum",
    what: "two of four witnesses cannot be reached for 8 s: nothing is sealed, then nothing reserved",
    run: (stage) =>
      stage.underLoad(() => endedMeanwhile(stage, { kind: "cut" }, ["witness", "fxDesk"])),
  },
  {
    name: "slow-witnesses",
    what: "all witnesses are 120 ms further away each way, for 8 s",
    run: (stage) =>
      stage.underLoad(() =>
        endedMeanwhile(stage, { kind: "delay", ms: 120 }, [
          "witness",
          "fxDesk",
          "hkAdapter",
          "phAdapter",
        ]),
      ),
  },
  {
    name: "witness-answers-dropped",
    what: "every witness cosigns for 5 s, and no cosignature arrives",
    run: (stage) =>
      stage.underLoad(() =>
        during(
          [
            stage.world.proxies.witness,
            stage.world.proxies.fxDesk,
            stage.world.proxies.hkAdapter,
            stage.world.proxies.phAdapter,
          ],
          { kind: "drop-answers" },
          5,
        ),
      ),
  },
  {
    name: "core-answers-dropped",
    what: "the payee's core checks and credits for 6 s, and none of its answers arrives",
    run: ({ world: { proxies }, underLoad }) =>
      underLoad(() => during([proxies.phCore], { kind: "drop-answers" }, 6)),
  },
  {
    name: "core-cut",
    what: "the payee's core cannot be reached for 6 s",
    run: ({ world: { proxies }, underLoad }) =>
      underLoad(() => during([proxies.phCore], { kind: "cut" }, 6)),
  },
  {
    name: "ledger-http-cut",
    what: "nobody reaches the ledger by HTTP for 8 s: gaps cannot be filled",
    run: ({ world: { proxies, brokers }, underLoad }) =>
      underLoad(async () => {
        const stop = brokers.proxy?.resetEvery(1_000);
        await during([proxies.ledger], { kind: "cut" }, 8);
        stop?.();
      }),
  },
];

export const networkCases: readonly FaultCase[] = [...kafka, ...postgres, ...peers];
