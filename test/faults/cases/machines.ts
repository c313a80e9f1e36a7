// What goes wrong with the machine under one party: a clock that jumps, a disk that is full, a file that was
// lost or restored from yesterday; and a liquidity provider that is away for longer than its prices hold.
import { randomUUID } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { LaunchChanges, ServiceName } from "@sealane/infra";
import { eventually } from "../../src/eventually.ts";
import { canMount, mountVolume } from "../databases.ts";
import { seconds, type FaultCase, type Stage } from "../stage.ts";

const clockModule = pathToFileURL(join(import.meta.dirname, "..", "failpoints", "clock.ts")).href;

/** By how much which clock is off, for some seconds each: more and less than the ledger tolerates. */
const jumps: readonly (readonly [ServiceName, number])[] = [
  ["ledger", 5_000],
  ["ledger", -5_000],
  ["ledger", 1_500],
  ["hk-wallet", 600_000],
  ["ph-wallet", -600_000],
  ["fx-desk", 120_000],
  ["reconciliation", -3_600_000],
];

const clocks: FaultCase = {
  name: "clock-jumps",
  what: "one service's clock after the other jumps for 4 s, by 1.5 s to an hour, ahead and back",
  run: async (stage) => {
    const { stack, dir } = stage.world;
    const names = [...new Set(jumps.map(([name]) => name))];
    const fileOf = (name: string): string => join(dir, `clock-${name}`);
    try {
      await stage.underLoad(async () => {
        for (const name of names) {
          const env = { SEALANE_CLOCK_FILE: fileOf(name) };
          await stack.kill(name);
          await stack.start(name, { env, nodeArgs: ["--import", clockModule] });
        }
        for (const [name, ms] of jumps) {
          writeFileSync(fileOf(name), String(ms));
          await seconds(4);
          rmSync(fileOf(name));
          await seconds(1);
        }
      });
    } finally {
      for (const name of names) {
        rmSync(fileOf(name), { force: true });
        await stack.kill(name);
        await stack.start(name);
      }
    }
  },
};

/** Kills a service, does something to its files, and starts it. */
const whileDown = async (
  { world: { stack } }: Stage,
  name: ServiceName,
  work: () => void,
  changes?: LaunchChanges,
): Promise<void> => {
  await stack.kill(name);
  work();
  await stack.start(name, changes);
};

const witnessFiles: FaultCase = {
  name: "witness-state-lost",
  what: "the auditor's witness is put back to an old copy of its state, and later has none at all",
  run: async (stage) => {
    const { home } = stage.world.stack;
    const state = home.path("state", "auditor.witness");
    const copy = join(stage.world.dir, "old-witness");
    await stage.underLoad(async () => {
      await whileDown(stage, "witness", () => cpSync(state, copy));
      await seconds(4);
      await whileDown(stage, "witness", () => cpSync(copy, state));
      await seconds(3);
      await whileDown(stage, "witness", () => rmSync(state));
      await seconds(3);
    });
    if (!existsSync(state)) stage.fault("the witness keeps no state");
  },
};

const pair = "HKD/PHP";

/** As the desk's own operator does. */
const askDesk = async ({ world: { stack } }: Stage, path: string, body: object): Promise<void> => {
  const token = readFileSync(stack.home.keys("fx-desk", "api.token"), "utf8").trim();
  const response = await fetch(`${stack.urls["fx-desk"]}/v1/rates/${path}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      "Idempotency-Key": randomUUID(),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  await response.body?.cancel();
};

const sealedOf = (stage: Stage): number =>
  stage.lines().filter(({ transfer }) => transfer === "sealed").length;

const deskAway: FaultCase = {
  name: "desk-away",
  what: "rate sheets live for 6 s, and the desk that makes them is away for 15 s",
  run: async (stage) => {
    const { stack } = stage.world;
    try {
      await stage.underLoad(async () => {
        const short = { env: { SEALANE_SHEET_LIFE: "6s" } };
        await whileDown(stage, "fx-desk", () => undefined, short);
        await askDesk(stage, "withdraw", { pair, reason: "shorter-life" });
        await askDesk(stage, "resume", { pair });
        await seconds(4);
        await stack.kill("fx-desk");
        await seconds(12);
        const before = sealedOf(stage);
        await seconds(3);
        const sealed = sealedOf(stage) - before;
        stage.showed(`${sealed} sealed in 3 s without a price`);
        if (sealed > 0) stage.fault("transfers were priced from a sheet that had ended");
        await stack.start("fx-desk");
        const again = sealedOf(stage) + 30;
        await eventually("transfers are sealed again", () =>
          Promise.resolve(sealedOf(stage) >= again),
        );
      });
    } finally {
      await whileDown(stage, "fx-desk", () => undefined);
    }
  },
};

const fullJournal: FaultCase = {
  name: "journal-disk-full",
  what: "no byte is free for 8 s where reconciliation keeps its journal",
  skip: () => (canMount(tmpdir()) ? undefined : "no file system may be mounted here"),
  run: async (stage) => {
    const { world } = stage;
    const journal = world.stack.home.path("state", "reconciliation.journal");
    const place = join(world.dir, "journal-volume");
    mkdirSync(place, { recursive: true });
    const volume = mountVolume(place, 4);
    if (volume === undefined) throw new Error("the volume could not be mounted");
    const moved = join(place, "reconciliation.journal");
    const carry = (from: string, to: string) => (): void => {
      if (existsSync(from)) cpSync(from, to, { recursive: true });
    };
    const changes = { env: { SEALANE_RECONCILIATION_JOURNAL: moved } };
    try {
      await whileDown(stage, "reconciliation", carry(journal, moved), changes);
      await stage.underLoad(async () => {
        volume.fill();
        await seconds(8);
        volume.empty();
        await eventually("reconciliation is ready", async () => {
          const url = `${world.stack.urls["reconciliation"]}/readyz`;
          return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
        });
      });
    } finally {
      await whileDown(stage, "reconciliation", carry(moved, journal));
      volume.unmount();
    }
  },
};

const fullBroker: FaultCase = {
  name: "kafka-volume-full",
  what: "no byte is free on Kafka's volume for 6 s, under load; then there is room and it is started again",
  world: { kafkaVolumeMb: 700 },
  spoils: true,
  skip: () => (canMount(tmpdir()) ? undefined : "no file system may be mounted here"),
  run: async (stage) => {
    const { brokers } = stage.world;
    const { volume } = brokers;
    if (volume === undefined) throw new Error("this world's Kafka has no volume of its own");
    await stage.underLoad(
      async () => {
        volume.fill();
        await seconds(6);
        const ended = await brokers.hasEnded(0);
        stage.showed(ended ? "the broker ended by itself" : "the broker went on");
        volume.empty();
        await brokers.kill(0);
        await brokers.restart(0);
      },
      { rate: 40 },
    );
  },
};

export const machineCases: readonly FaultCase[] = [clocks, witnessFiles, deskAway, fullJournal];
/** In a world of its own. */
export const fullBrokerCase: FaultCase = fullBroker;
