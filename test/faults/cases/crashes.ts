// Processes that die: the ledger at every failpoint and at moments that nobody chose, the adapters and
// reconciliation around their writes, everybody else by plain SIGKILL.
import { setTimeout as delay } from "node:timers/promises";
import type { Point } from "../failpoints/failpoint.ts";
import { dieAt, killAndRestart } from "../processes.ts";
import type { FaultCase } from "../stage.ts";

/** The nth time: the load is flowing, and one batch is decided while another is saved. */
const ledgerPoints: readonly (readonly [Point, number])[] = [
  ["before-commit", 25],
  ["after-commit", 25],
  ["before-publish", 40],
  ["after-publish", 40],
];

const ledgerCases = ledgerPoints.map(([point, nth]): FaultCase => ({
  name: `ledger-${point}`,
  what: `the ledger dies ${point.replaceAll("-", " ")}, under load`,
  run: (stage) => stage.underLoad(() => dieAt(stage.world, "ledger", point, nth)),
}));

/** A seal is stored with the next batch; by itself only when there is none, so these come seldom. */
const idlePoints = ["before-checkpoint-store", "after-checkpoint-store"] as const;

const idleCases = idlePoints.map((point): FaultCase => ({
  name: `ledger-${point}`,
  what: `the ledger dies ${point.replaceAll("-", " ")}, with pauses between transfers`,
  run: (stage) =>
    stage.underLoad(() => dieAt(stage.world, "ledger", point, 3), { rate: 2, first: 6, more: 6 }),
}));

const others: readonly (readonly [
  "hk-wallet" | "ph-wallet" | "reconciliation",
  Point,
  number,
  string,
])[] = [
  ["hk-wallet", "before-command", 20, "the payer's adapter dies before it sends an intent"],
  ["hk-wallet", "after-command", 20, "the payer's adapter dies after an intent is on the topic"],
  ["hk-wallet", "before-view", 10, "the payer's adapter dies before it stores what it has read"],
  ["ph-wallet", "before-command", 10, "the payee's adapter dies before it sends an acceptance"],
  ["ph-wallet", "after-command", 10, "the payee's adapter dies after an acceptance is sent"],
  ["ph-wallet", "after-view", 10, "the payee's adapter dies after it has stored what it has read"],
  ["reconciliation", "before-books", 8, "reconciliation dies before it posts a batch"],
  ["reconciliation", "after-books", 8, "reconciliation dies after it has posted a batch"],
];

const otherCases = others.map(([name, point, nth, what]): FaultCase => ({
  name: `${name}-${point}`,
  what: `${what}, under load`,
  run: (stage) => stage.underLoad(() => dieAt(stage.world, name, point, nth)),
}));

export const crashCases: readonly FaultCase[] = [
  ...ledgerCases,
  ...idleCases,
  {
    name: "ledger-killed-again",
    what: "the ledger is killed six times at moments that nobody chose",
    run: (stage) =>
      stage.underLoad(async () => {
        for (let kill = 0; kill < 6; kill += 1) {
          await delay(Math.random() * 600);
          await killAndRestart(stage.world, "ledger");
        }
      }),
  },
  ...otherCases,
  {
    name: "adapters-killed",
    what: "both adapters are killed at once, twice: two of four witnesses, and who tells the cores",
    run: (stage) =>
      stage.underLoad(async () => {
        for (let kill = 0; kill < 2; kill += 1) {
          await delay(Math.random() * 500);
          await Promise.all([
            killAndRestart(stage.world, "hk-wallet"),
            killAndRestart(stage.world, "ph-wallet"),
          ]);
        }
      }),
  },
  {
    name: "cores-killed",
    what: "both wallets' cores are killed, and are away for 3 s",
    run: (stage) =>
      stage.underLoad(async () => {
        await stage.world.stack.kill("cores");
        await delay(3_000);
        await stage.world.stack.start("cores");
      }),
  },
  {
    name: "desk-and-witness-killed",
    what: "the liquidity provider's desk and the auditor's witness are killed one after the other",
    run: (stage) =>
      stage.underLoad(async () => {
        await killAndRestart(stage.world, "fx-desk");
        await killAndRestart(stage.world, "witness");
      }),
  },
  {
    name: "everything-killed",
    what: "every service is killed in the same instant, as when a machine loses power",
    run: (stage) =>
      stage.underLoad(
        async () => {
          const { stack } = stage.world;
          const all = [
            "ledger",
            "hk-wallet",
            "ph-wallet",
            "fx-desk",
            "reconciliation",
            "witness",
            "cores",
          ] as const;
          await Promise.all(all.map((name) => stack.kill(name)));
          await Promise.all(all.map((name) => stack.start(name)));
        },
        { recoverMs: 90_000 },
      ),
  },
];
