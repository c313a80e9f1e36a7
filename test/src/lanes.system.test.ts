// Several lanes: the same transfers end the same on one, two and four; each lane's log and books stand by
// themselves and add up together; and a lane whose process is killed goes on in another.
import { auditLog } from "@sealane/cli";
import type { Transfer, TransferRequest } from "@sealane/client";
import { transferIdOf } from "@sealane/protocol";
import { minorOf } from "@sealane/rules";
import { parsePolicy } from "@sealane/tlog";
import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { openAuditedLog, type LogAudit } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { isQuiet, laneViews } from "./lane-views.ts";
import { sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const count = 240;
/** Every tenth goes to an account that the payee's core refuses, every twelfth is above the sheet's limit. */
const requestAt = (at: number): TransferRequest => ({
  payer: { account: "+85290000001" },
  payee: {
    participant: "ph-wallet.example",
    account: at % 10 === 3 ? "+639170000991" : `+639170000${String(100 + (at % 50))}`,
  },
  amount: { currency: "HKD", amount: at % 12 === 5 ? "500000.01" : `${100 + at}.25` },
});
const keyAt = (at: number): string => `same-everywhere-${at}`;

/** How a transfer ended, without what differs from run to run: places, times, sheets. */
type Ending = { readonly status: string; readonly terms: string };

const endingOf = ({ status, sent, received, fee, reason, code }: Transfer): Ending => ({
  status: status === "credited" ? "sealed" : status,
  terms: JSON.stringify({ sent, received, fee, reason, code }),
});

const sendAll = async ({ hk }: WholeSystem, from = 0, to = count): Promise<Transfer[]> =>
  Promise.all(
    Array.from({ length: to - from }, (_, at) =>
      hk.send(requestAt(from + at), { idempotencyKey: keyAt(from + at), waitSeconds: 30 }),
    ),
  );

const totalsOf = async (system: WholeSystem): Promise<Map<string, readonly [bigint, bigint]>> => {
  const response = await fetch(`${system.stack.urls["reconciliation"]}/v1/totals`);
  const { balances } = (await response.json()) as {
    balances: Record<"account" | "currency" | "debits" | "credits", string>[];
  };
  return new Map(
    balances.map(({ account, currency, debits, credits }) => [
      `${account} ${currency}`,
      [minorOf(debits, currency), minorOf(credits, currency)],
    ]),
  );
};

/** Every oracle of one lane, for each; then those over all lanes. */
const askOracles = async (system: WholeSystem, lanes: number): Promise<void> => {
  await eventually("everything has ended", () => isQuiet(system));
  const policy = parsePolicy(readFileSync(system.stack.home.path("trust.policy"), "utf8"));
  const deskToken = readFileSync(system.stack.home.keys("auditor", "staff.token"), "utf8").trim();
  const audits: LogAudit[] = [];
  for (const view of laneViews(system, lanes)) {
    const log = openAuditedLog(view);
    const audit = await log.audit();
    expect(audit.findings).toEqual([]);
    expect(await log.balancesDiffer()).toEqual([]);
    const { ledger = "", reconciliation: balancesUrl } = view.stack.urls;
    expect(await auditLog({ log: `${ledger}/log`, policy, balancesUrl, deskToken })).toMatchObject({
      ok: true,
      origin: view.origin,
    });
    audits.push(audit);
  }
  // One id ends at most once over all lanes.
  const ids = audits.flatMap(({ verified }) =>
    verified.flatMap(({ transferId }) => transferId ?? []),
  );
  expect(new Set(ids).size).toBe(ids.length);
  const sums = new Map<string, readonly [bigint, bigint]>();
  for (const { balances } of audits) {
    for (const { account, currency, postedDebit, postedCredit } of balances.values()) {
      const key = `${account} ${currency}`;
      const [debits, credits] = sums.get(key) ?? [0n, 0n];
      sums.set(key, [debits + postedDebit, credits + postedCredit]);
    }
  }
  const posted = [...sums].filter(([, [debits, credits]]) => debits + credits > 0n);
  expect(await totalsOf(system)).toEqual(new Map(posted));
  const expected = audits.reduce((sum, { creditedExpected }) => sum + creditedExpected, 0n);
  expect(await openAuditedLog(system).creditedByCore("PHP")).toBe(expected);
};

const running: WholeSystem[] = [];
afterAll(async () => {
  for (const system of running) await system.stop();
});

const start = async (lanes: number): Promise<WholeSystem> => {
  const system = await startWholeSystem({ lanes });
  running.push(system);
  return system;
};

const stop = async (system: WholeSystem): Promise<void> => {
  running.splice(running.indexOf(system), 1);
  await system.stop();
};

const endings = new Map<number, Ending[]>();

/** What people do with a log, in every lane: read, export, verify, audit, state, cut. */
const useEveryLane = async (system: WholeSystem, sent: readonly Transfer[]): Promise<void> => {
  const { home, urls } = system.stack;
  const ofLane = (lane: number): Transfer => {
    const found = sent.find((one) => one.lane === lane && one.position !== undefined);
    if (found === undefined) throw new Error(`nothing was sealed in lane ${lane}`);
    return found;
  };
  for (const lane of [0, 1]) {
    const { transferId } = ofLane(lane);
    const file = home.path("receipts", `${transferId}.tlog-proof`);
    await sealaneJson(system, ["receipt", transferId, "--out", file]);
    const args = ["verify", file, "--policy", "trust.policy", "--keys", "keylog"];
    expect(await sealaneJson(system, args)).toMatchObject({ ok: true });
  }
  const { entries } = await sealaneJson(system, ["audit", "--policy", "trust.policy"]);
  await sealaneJson(system, ["export", "--out", "all", "--policy", "trust.policy"]);
  const exported = await sealaneJson(system, ["audit", "all", "--policy", "trust.policy"]);
  expect(exported).toMatchObject({ ok: true });
  expect(exported["entries"]).toBeGreaterThanOrEqual(Number(entries));
  const stated = await system.call("hk-wallet", "/v1/statements", {
    method: "POST",
    headers: { Prefer: "wait=20" },
  });
  expect(await stated.json()).toMatchObject({
    lanes: [
      { lane: 0, statement: { participant: "hk-wallet.example" } },
      { lane: 1, statement: { participant: "hk-wallet.example" } },
    ],
  });
  const desk = urls["reconciliation"] ?? "";
  const token = readFileSync(home.keys("alice", "staff.token"), "utf8").trim();
  const cut = (lane: string) =>
    sealaneJson(system, [
      ...`window cut hkd-php --number 0 --operator-key keys/alice/operator.key`.split(" "),
      ...`--token-file keys/alice/staff.token --desk ${desk}${lane}`.split(" "),
    ]);
  type Window = { closed: boolean; lanes: { status: string }[]; nets: { net: string }[] };
  const windowNow = async (): Promise<Window> => {
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(`${desk}/v1/lanes/windows/hkd-php/0`, { headers });
    return (await response.json()) as Window;
  };
  const cutIn = (lanes: number) => async (): Promise<Window | undefined> => {
    const window = await windowNow();
    return window.lanes.filter(({ status }) => status !== "open").length === lanes
      ? window
      : undefined;
  };
  await cut("");
  expect(await eventually("one lane has cut", cutIn(1))).toMatchObject({ closed: false });
  await cut("/lanes/1");
  const closed = await eventually("every lane has cut", cutIn(2));
  expect(closed.closed).toBe(true);
  expect(closed.nets.length).toBeGreaterThan(3);
};

it.each([1, 2])("ends the transfers, and every oracle holds, on lanes: %i", async (lanes) => {
  const system = await start(lanes);
  const sent = await sendAll(system);
  endings.set(lanes, sent.map(endingOf));
  const used = new Set(sent.flatMap(({ lane }) => lane ?? []));
  expect(used).toEqual(new Set(lanes === 1 ? [] : [0, 1]));
  await askOracles(system, lanes);
  if (lanes > 1) {
    await useEveryLane(system, sent);
    await askOracles(system, lanes);
  }
  await stop(system);
});

it("goes on with a lane whose process was killed, on four lanes", async () => {
  const system = await start(4);
  const { stack, hk } = system;
  const first = await sendAll(system, 0, count / 2);
  // Lane 2 is the second process's; ids of its slots are found by trying keys.
  const ofLane2 = (key: string): boolean =>
    Number.parseInt(transferIdOf("hk-wallet.example", key).slice(0, 4), 16) >> 14 === 2;
  const key = Array.from({ length: 200 }, (_, at) => `probe-${at}`).find(ofLane2) ?? "";
  // Its standby begins to look when it has been up for a moment.
  await eventually("the standby waits for the lane", async () => {
    const text = readFileSync(stack.home.path("logs", "ledger-3.log"), "utf8");
    return text.split("\n").some((line) => line.includes('"lane":2,"msg":"standing by"'));
  });
  const killedMs = Date.now();
  await stack.kill("ledger-2");
  const rest = sendAll(system, count / 2);
  const probe = await hk.send(requestAt(0), { idempotencyKey: key, waitSeconds: 30 });
  expect(probe).toMatchObject({ status: expect.stringMatching(/^(?:sealed|credited)$/), lane: 2 });
  const tookMs = Date.now() - killedMs;
  process.stdout.write(`lane 2 was taken over and sealed a transfer ${tookMs} ms after SIGKILL\n`);
  const sent = [...first, ...(await rest)];
  endings.set(4, sent.map(endingOf));
  expect(sent.filter(({ lane }) => lane === 2).length).toBeGreaterThan(10);
  // Back again it stands by: the lane stays where it is.
  await stack.start("ledger-2");
  await askOracles(system, 4);
  await stop(system);
});

it("ended them the same wherever they were decided", () => {
  expect(endings.get(1)).toHaveLength(count);
  expect(endings.get(2)).toEqual(endings.get(1));
  expect(endings.get(4)).toEqual(endings.get(1));
});
