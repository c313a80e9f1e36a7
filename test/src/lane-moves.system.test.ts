// Two lanes under load: cover moves from one to the other while transfers run and a lane's process is
// killed between the two entries. It arrives once, nothing is lost, and every lane's log and books stand.
import type { Transfer } from "@sealane/client";
import { minorOf } from "@sealane/rules";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { isQuiet } from "./lane-views.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

let system: WholeSystem;
/** Transfers that were on their way when slots moved. */
let moved: readonly Transfer[] = [];
beforeAll(async () => {
  system = await startWholeSystem({ lanes: 2 });
});
afterAll(() => system.stop());

type Sum = { debits: bigint; credits: bigint };

const desk = (path: string, init: RequestInit = {}): Promise<Response> => {
  const headers = new Headers(init.headers);
  const token = readFileSync(system.stack.home.keys("alice", "staff.token"), "utf8").trim();
  headers.set("Authorization", `Bearer ${token}`);
  return fetch(`${system.stack.urls["reconciliation"]}${path}`, {
    ...init,
    headers,
  });
};

/** An account over all lanes. */
const overLanes = async (wanted: string): Promise<Sum> => {
  const { balances } = (await (await desk("/v1/totals")).json()) as {
    balances: Record<"account" | "currency" | "debits" | "credits", string>[];
  };
  const own = balances.find(({ account, currency }) => account === wanted && currency === "HKD");
  const of = (side: "debits" | "credits") => minorOf(own?.[side] ?? "0", "HKD");
  return { debits: of("debits"), credits: of("credits") };
};

const coverIn = async (lane: number): Promise<bigint> => {
  const below = lane === 0 ? "" : `/lanes/${lane}`;
  const answer = await desk(`${below}/v1/positions?participant=hk-wallet.example`);
  const { positions } = (await answer.json()) as {
    positions: { currency: string; liquidity: string }[];
  };
  const own = positions.find(({ currency }) => currency === "HKD");
  return minorOf(own?.liquidity ?? "0", "HKD");
};

const sendAll = (label: string, count: number): Promise<Transfer[]> =>
  Promise.all(
    Array.from({ length: count }, (_, at) =>
      system.hk.send(
        {
          payer: { account: "+85290000001" },
          payee: { participant: "ph-wallet.example", account: `+639170000${100 + (at % 50)}` },
          amount: { currency: "HKD", amount: "100.00" },
        },
        { idempotencyKey: `${label}-${at}`, waitSeconds: 30 },
      ),
    ),
  );

const order = (reference: string, from: number, amount: string): string[] => {
  const below = from === 0 ? "" : `/lanes/${from}`;
  return [
    ...`--desk ${system.stack.urls["reconciliation"]}${below} --policy trust.policy`.split(" "),
    ...`--participant hk-wallet.example --currency HKD --amount ${amount}`.split(" "),
    ...`--reference ${reference} --to ${from === 0 ? 1 : 0} --out ${reference}.move`.split(" "),
    ...`--operator-key keys/alice/operator.key --token-file keys/alice/staff.token`.split(" "),
  ];
};

const cosign = (reference: string, from: number): string[] => {
  const below = from === 0 ? "" : `/lanes/${from}`;
  return [
    ...`settle cosign ${reference}.move --operator-key keys/bob/operator.key`.split(" "),
    ...`--desk ${system.stack.urls["reconciliation"]}${below} --policy trust.policy`.split(" "),
    ...`--token-file keys/bob/staff.token`.split(" "),
  ];
};

type Moves = { moves: { status: string; amount: string }[] };
const allMoved = (count: number) => async (): Promise<boolean> => {
  const { moves } = (await (await desk("/v1/lanes/moves")).json()) as Moves;
  return moves.length === count && moves.every(({ status }) => status === "moved");
};

it("moves cover under load, and ends the move though the other lane's process is killed", async () => {
  const before = await eventually("both lanes have their first cover", async () => {
    const covers = [await coverIn(0), await coverIn(1)];
    return covers.every((cover) => cover > 0n) ? covers : undefined;
  });
  const load = sendAll("load", 200);
  await sealaneJson(system, ["settle", "move", ...order("first", 0, "1000.00")]);
  await sealaneJson(system, cosign("first", 0));
  await system.stack.kill("ledger-2");
  const transfers = await load;
  const ends = new Set(transfers.map(({ status }) => status));
  expect([...ends].every((status) => status === "sealed" || status === "credited")).toBe(true);
  await eventually("the move ends", allMoved(1));
  expect([await coverIn(0), await coverIn(1)]).toEqual([
    (before[0] ?? 0n) - 100_000n,
    (before[1] ?? 0n) + 100_000n,
  ]);
  await system.stack.start("ledger-2");
});

it("moves it back, once, however often it is said", async () => {
  await sealaneJson(system, ["settle", "move", ...order("back", 1, "1000.00")]);
  const text = cosign("back", 1);
  await sealaneJson(system, text);
  await eventually("the move ends", allMoved(2));
  // The same reference is the same move: it is said again, by two, and changes nothing.
  const again = [...order("back", 1, "1000.00")];
  again[again.indexOf("back.move")] = "again.move";
  await sealaneJson(system, ["settle", "move", ...again]);
  const repeated = cosign("back", 1);
  repeated[repeated.indexOf("back.move")] = "again.move";
  const said = await runSealane(system, repeated);
  expect(said.stderr + said.stdout).toContain("was ordered otherwise");
  expect(await allMoved(2)()).toBe(true);
});

/** As a careful client does: the same again under the same key, until it is taken and has ended. */
const insist = async (key: string): Promise<Transfer> => {
  const request = {
    payer: { account: "+85290000001" },
    payee: { participant: "ph-wallet.example", account: "+639170000100" },
    amount: { currency: "HKD", amount: "7.00" },
  };
  return eventually(`${key} ends`, async () => {
    const sent = await system.hk
      .send(request, { idempotencyKey: key, waitSeconds: 10 })
      .catch(() => undefined);
    return sent !== undefined && /^(?:sealed|credited)$/.test(sent.status) ? sent : undefined;
  });
};

it("moves half of all slots under load, and ends it though the lane's process is killed", async () => {
  const keys = Array.from({ length: 60 }, (_, at) => `slots-${at}`);
  const early = keys.slice(0, 30).map(insist);
  const said = ["keys", "move-slots", "0-511", "1", "--operator", "keys/alice/operator.key"];
  await sealaneJson(system, [...said, "--policy", "trust.policy", "--out", "slots.statement"]);
  const sign = ["keys", "cosign", "slots.statement", "--key", "keys/bob/operator.key", "--send"];
  await sealaneJson(system, sign);
  await system.stack.kill("ledger");
  const late = keys.slice(30).map(insist);
  const ended = await Promise.all([...early, ...late]);
  expect(new Set(ended.map(({ transferId }) => transferId)).size).toBe(60);
  await system.stack.start("ledger");
  const after = await Promise.all(keys.map((key) => insist(`after-${key}`)));
  expect(new Set(after.map(({ lane }) => lane))).toEqual(new Set([1]));
  // Said once more, each is the transfer that it was, wherever that was decided.
  const again = await Promise.all(keys.map(insist));
  expect(again.map(({ transferId, lane }) => ({ transferId, lane }))).toEqual(
    ended.map(({ transferId, lane }) => ({ transferId, lane })),
  );
  moved = ended;
});

it("takes a provider's lines in the lane that ended each transfer, wherever its slot is", async () => {
  await eventually("everything has ended", () => isQuiet(system));
  const to = new Date().toISOString();
  const lines = moved.map(({ transferId }, at) => ({
    reference: `LINE-${at}`,
    transfer: transferId,
    side: "debit",
    currency: "HKD",
    amount: "7.00",
    status: "booked",
    bookedAt: new Date(Date.now() - 1_000).toISOString(),
  }));
  const participant = "hk-wallet.example";
  const statement = { participant, reference: "S-1", from: "2026-01-01T00:00:00.000Z", to, lines };
  for (const lane of [0, 1]) {
    const taken = async (): Promise<number | undefined> => {
      const answer = await desk(`${lane === 0 ? "" : `/lanes/${lane}`}/v1/provider-statements`, {
        method: "POST",
        body: JSON.stringify(statement),
        headers: { "Content-Type": "application/json", "Idempotency-Key": randomUUID() },
      });
      const said = (await answer.json()) as { newLines?: number; detail?: string };
      if (answer.status === 422) throw new Error(`refused: ${said.detail}`);
      return said.newLines;
    };
    const own = moved.filter((one) => one.lane === lane).length;
    expect(await eventually(`lane ${lane} takes its lines`, taken)).toBe(own);
  }
});

it("stands before the audit of both lanes, with nothing on its way", async () => {
  await eventually("everything has ended", () => isQuiet(system));
  const { debits, credits } = await overLanes("hk-wallet.example:in-transit");
  expect([debits, credits]).toEqual([200_000n, 200_000n]);
  const audited = await sealaneJson(system, ["audit", "--policy", "trust.policy"]);
  expect(audited).toMatchObject({ ok: true, moves: { moved: 3, inTransit: [], notCompared: 0 } });
  await sealaneJson(system, ["export", "--out", "all", "--policy", "trust.policy"]);
  const exported = await sealaneJson(system, ["audit", "all", "--policy", "trust.policy"]);
  expect(exported).toMatchObject({ ok: true, moves: { moved: 3, inTransit: [] } });
});
