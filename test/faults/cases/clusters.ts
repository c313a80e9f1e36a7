// More than one of what must not be lost: three brokers of which one dies again and again, a Postgres that
// commits only when its standby has it, and a Postgres whose volume is full.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { canMount } from "../databases.ts";
import { eventually } from "../../src/eventually.ts";
import { seconds, type FaultCase } from "../stage.ts";

const cluster: FaultCase = {
  name: "three-brokers",
  what: "of three brokers (replication 3, two in sync) one after the other is killed and comes back",
  world: { brokers: 3 },
  run: async ({ world: { brokers }, underLoad, showed }) => {
    await underLoad(
      async () => {
        for (const index of [0, 1, 2]) {
          await brokers.kill(index);
          await delay(4_000);
          await brokers.restart(index);
          await delay(3_000);
        }
        showed("each was away for 4 s");
      },
      { rate: 20 },
    );
  },
};

const standbyDies: FaultCase = {
  name: "standby-dies",
  what: "the synchronous standby is killed for 6 s: commits wait for it, nothing is acknowledged alone",
  world: { standby: true },
  run: async (stage) => {
    const { standby } = stage.world.databases;
    if (standby === undefined) throw new Error("this world has no standby");
    await stage.underLoad(
      async () => {
        await standby.kill();
        await delay(1_000);
        const before = stage.ended();
        await seconds(5);
        stage.showed(`${stage.ended() - before} ended while it was away`);
        await standby.restart();
      },
      { rate: 15 },
    );
  },
};

const failover: FaultCase = {
  name: "standby-takes-over",
  what: "the primary is killed under load and its synchronous standby promoted: nothing is behind",
  world: { standby: true },
  spoils: true,
  run: async (stage) => {
    const { standby } = stage.world.databases;
    if (standby === undefined) throw new Error("this world has no standby");
    await stage.underLoad(
      async () => {
        await stage.world.databases.kill();
        await standby.promote();
      },
      { rate: 15 },
    );
    const [row] = await stage.world.databases.ask("select pg_is_in_recovery() as standby");
    if (row?.["standby"] !== false) stage.fault("the standby did not become the primary");
  },
};

const saidFull = (file: string): string => {
  const lines = readFileSync(file, "utf8").split("\n");
  const full = lines.filter((line) => line.includes("No space left"));
  return `Postgres said ${full.length} times that no space is left`;
};

const fullVolume: FaultCase = {
  name: "postgres-volume-full",
  what: "no byte is free on Postgres's volume for 6 s",
  world: { volumeMb: 420 },
  spoils: true,
  skip: () => (canMount(tmpdir()) ? undefined : "no file system may be mounted here"),
  run: async (stage) => {
    const { databases } = stage.world;
    const { volume } = databases;
    if (volume === undefined) throw new Error("this world has no volume of its own");
    await stage.underLoad(
      async () => {
        // Again and again: Postgres frees a file now and then.
        for (let n = 0; n < 6; n += 1) {
          volume.fill();
          await seconds(1);
        }
        stage.showed(saidFull(join(stage.world.dir, "logs", "postgres.log")));
        volume.empty();
        await eventually("Postgres is up", databases.ensureUp, 30_000);
      },
      { rate: 40 },
    );
  },
};

export const clusterCases: readonly FaultCase[] = [cluster, standbyDies, failover, fullVolume];
