// Cover, expiry and windows at their edges: the whole balance two hundred times at once, acceptances around
// the instant of expiry, cut-offs in the middle of a stream.
import { eventually } from "../../src/eventually.ts";
import { sealaneJson, runSealane } from "../../src/sealane.ts";
import { bodyOf } from "../clients.ts";
import { killAndRestart } from "../processes.ts";
import { seconds, type FaultCase, type Stage } from "../stage.ts";

const whole = "400000.00";

const committed = (stage: Stage): number =>
  stage.lines().filter(({ event, transfer }) => event === "ok" && transfer !== "rejected").length;

const balance: FaultCase = {
  name: "whole-balance",
  what: "200 concurrent transfers of the payer's whole balance, and the ledger dies meanwhile",
  world: {
    liquidity: [
      { participant: "hk-wallet.example", currency: "HKD", amount: whole },
      { participant: "ph-wallet.example", currency: "PHP", amount: "20000000000.00" },
      { participant: "fx-desk.example", currency: "PHP", amount: "20000000000.00" },
      { participant: "fx-desk.example", currency: "HKD", amount: "2000000000.00" },
    ],
  },
  spoils: true,
  run: async (stage) => {
    const body = (n: number): object => ({
      ...bodyOf(n),
      amount: { currency: "HKD", amount: whole },
    });
    const load = stage.load({ rate: 2_000, most: 200, body });
    await eventually("all are sent", () => Promise.resolve(load.sent() >= 200));
    await killAndRestart(stage.world, "ledger");
    await load.finish();
    const ids = new Set(
      load.lines
        .filter(({ event, transfer }) => event === "ok" && transfer !== "rejected")
        .map(({ id }) => id),
    );
    stage.showed(`${ids.size} of ${load.sent()} went through`);
    if (ids.size !== 1) stage.fault(`${ids.size} transfers of the whole balance went through`);
  },
};

const expiry: FaultCase = {
  name: "around-expiry",
  what: "transfers live for 1 s, and the payee's core answers after 0.7 to 1.3 s",
  run: async (stage) => {
    const { phCore } = stage.world.proxies;
    const load = stage.load({
      rate: 30,
      body: (n) => ({ ...bodyOf(n), expiresInSeconds: 1 }),
    });
    const before = committed(stage);
    for (const ms of [300, 400, 430, 460, 500, 600]) {
      phCore.set({ kind: "delay", ms });
      await seconds(2);
    }
    phCore.set({ kind: "pass" });
    await load.finish();
    const expired = load.lines.filter(({ transfer }) => transfer === "expired").length;
    stage.showed(`${committed(stage) - before} answers sealed, ${expired} expired`);
    if (expired === 0) stage.fault("nothing expired: the instant was not met");
  },
};

const windows: FaultCase = {
  name: "cut-offs",
  what: "settlement windows are cut six times in a stream of transfers; ledger and books die at a cut",
  run: async (stage) => {
    const { world } = stage;
    const key = world.stack.home.keys("alice", "operator.key");
    const cut = async (number: number): Promise<void> => {
      const how = `window cut hkd-php --number ${number} --operator-key ${key} --json`.split(" ");
      await eventually(
        `window ${number} is cut`,
        async () => (await runSealane(world, how)).stdout.includes('"already":true'),
        60_000,
      );
    };
    const list = await sealaneJson(world, ["window", "list"]);
    const open = (list["open"] as { corridor: string; number: number }[]).find(
      ({ corridor }) => corridor === "hkd-php",
    );
    const first = open?.number ?? 0;
    await stage.underLoad(
      async () => {
        await cut(first);
        await Promise.all([cut(first + 1), killAndRestart(world, "ledger")]);
        await Promise.all([cut(first + 2), killAndRestart(world, "reconciliation")]);
        for (const more of [3, 4, 5]) await cut(first + more);
      },
      { rate: 20 },
    );
    stage.showed(`windows ${first} to ${first + 5}`);
  },
};

export const moneyCases: readonly FaultCase[] = [expiry, windows, balance];
