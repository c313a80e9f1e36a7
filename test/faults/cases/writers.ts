// Who writes the lane: two at once, one that is stopped and wakes up after another took over, a takeover
// when the key log has grown meanwhile. Whatever they believe, there is one log.
import { sealaneJson } from "../../src/sealane.ts";
import { eventually } from "../../src/eventually.ts";
import { makeLogReader } from "@sealane/client";
import { parseCheckpointText, parseNote } from "@sealane/tlog";
import type { Point } from "../failpoints/failpoint.ts";
import {
  arm,
  killAndRestart,
  startArmed,
  laneOf,
  startSecondLedger,
  untilWriting,
  type SecondLedger,
} from "../processes.ts";
import { seconds, type FaultCase, type Stage } from "../stage.ts";

const own = (stage: Stage): string => stage.world.stack.urls["ledger"] ?? "";

const leadTo = ({ world }: Stage, port: number): void => world.proxies.ledger.retarget(port);
const leadHome = (stage: Stage): void => leadTo(stage, stage.world.stack.ports.ledger);

/** The writer stops at a point, another takes over, the first wakes up; then the second one dies. */
const wakesUp = (point: Point, nth: number) => async (stage: Stage) => {
  const { world } = stage;
  let second: SecondLedger | undefined;
  try {
    await stage.underLoad(async () => {
      const trap = arm(world, point, "stop", nth);
      await startArmed(world, "ledger", trap);
      second = await startSecondLedger(world, "ledger-2");
      await eventually("the writer stops", () => Promise.resolve(trap.reached()), 45_000);
      leadTo(stage, second.port);
      await untilWriting(second.url);
      await seconds(5);
      world.stack.process("ledger").kill("SIGCONT");
      await seconds(5);
      const said = await eventually("the one that woke up answers", () => laneOf(own(stage)));
      if (said !== "another instance holds the lane") {
        stage.fault(`the one that woke up says: ${said}`);
      }
      second.process.kill("SIGKILL");
      await second.process.exited;
      const diedMs = Date.now();
      leadHome(stage);
      await untilWriting(own(stage));
      const took = ((Date.now() - diedMs) / 1_000).toFixed(1);
      stage.showed(`woke up and waited; had the lane again ${took} s after the other died`);
    });
  } finally {
    leadHome(stage);
    await second?.stop();
    await killAndRestart(world, "ledger");
  }
};

export const writerCases: readonly FaultCase[] = [
  {
    name: "two-ledgers",
    what: "a second instance of the ledger starts under load, waits, and takes over when the first dies",
    run: async (stage) => {
      const { world } = stage;
      await stage.underLoad(async () => {
        const second = await startSecondLedger(world, "ledger-2");
        try {
          await eventually("it waits", async () =>
            (await second.lane()).includes("holds the lane"),
          );
          const diedMs = Date.now();
          await world.stack.kill("ledger");
          leadTo(stage, second.port);
          await untilWriting(second.url);
          stage.showed(`taken over after ${((Date.now() - diedMs) / 1_000).toFixed(1)} s`);
          await seconds(3);
        } finally {
          await second.stop();
          leadHome(stage);
          await world.stack.start("ledger");
        }
      });
    },
  },
  {
    name: "two-of-one-name",
    what: "two instances of one name take the lane from each other for 8 s",
    run: async (stage) => {
      await stage.underLoad(async () => {
        const twin = await startSecondLedger(stage.world, "ledger-1");
        await seconds(8);
        await twin.stop();
      });
    },
  },
  {
    name: "writer-wakes-before-commit",
    what: "the writer is stopped before a commit, another takes over, it wakes up, the other dies",
    run: wakesUp("before-commit", 30),
  },
  {
    name: "writer-wakes-after-commit",
    what: "the same, stopped between commit and publishing",
    run: wakesUp("after-commit", 30),
  },
  {
    name: "writer-wakes-before-publish",
    what: "the same, stopped with a batch on its way to the topics",
    run: wakesUp("before-publish", 50),
  },
  {
    name: "takeover-after-key-change",
    what: "the key log grows while a second instance waits; then the second takes over",
    run: async (stage) => {
      const { world } = stage;
      const second = await startSecondLedger(world, "ledger-2");
      try {
        await stage.underLoad(async () => {
          await eventually("it waits", async () =>
            (await second.lane()).includes("holds the lane"),
          );
          const before = await keyLogSize(own(stage));
          await rotate(stage);
          const after = await eventually("the key log has grown", async () => {
            const size = await keyLogSize(own(stage));
            return size > before ? size : undefined;
          });
          await world.stack.kill("ledger");
          leadTo(stage, second.port);
          await untilWriting(second.url);
          const known = await keyLogSize(second.url);
          if (known < after) stage.fault(`it took over with ${known} of ${after} key-log entries`);
          stage.showed(`key log ${before} → ${after}, the second one has ${known}`);
          await seconds(3);
        });
      } finally {
        await second.stop();
        leadHome(stage);
        await world.stack.start("ledger");
      }
    },
  },
];

const keyLogSize = async (ledgerUrl: string): Promise<number> => {
  const note = await makeLogReader(`${ledgerUrl}/log/keys`).checkpoint();
  return parseCheckpointText(parseNote(note).text).size;
};

/** A participant's own new key, as its people do it. */
const rotate = async ({ world }: Stage): Promise<void> => {
  const stamp = Date.now().toString(36);
  const file = `keys/ph-wallet/transfer-${stamp}.key`;
  const owner = "ph-wallet.example";
  await sealaneJson(world, ["keys", "generate", file, "--name", `${owner}/k${stamp}`]);
  const how = ["--new", file, "--root", "keys/ph-wallet/root.key", "--overlap", "4s"];
  await sealaneJson(world, ["keys", "rotate", owner, ...how]);
};
