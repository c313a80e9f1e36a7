// Cores over HTTP: credits that happen once, across restarts, and the faults that are told.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { httpClient } from "@sealane/http";
import { afterAll, afterEach, expect, test } from "vitest";
import { startCore, type RunningCore } from "./start-core.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-simulator-"));
const running: RunningCore[] = [];
afterEach(async () => {
  for (const core of running.splice(0)) await core.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

const adapterToken = "adapter-token-0123456789";
let journals = 0;

async function open(journalFile?: string) {
  const core = await startCore({
    participant: "ph-wallet.example",
    currency: "PHP",
    prefix: "+63917",
    port: 0,
    adapterToken,
    journalFile,
    slowCheckMs: 30,
  });
  running.push(core);
  const client = httpClient({ baseUrl: core.url, token: adapterToken, timeoutMs: 10_000 });
  const answer = async (call: ReturnType<typeof client.get>) => {
    const done = await call;
    if (done.outcome !== "ok") return { status: done.outcome, body: undefined };
    return {
      status: done.status,
      body: done.body === "" ? undefined : (JSON.parse(done.body) as unknown),
    };
  };
  return {
    core,
    get: (path: string) => answer(client.get(path)),
    post: (path: string, body: object, timeoutMs?: number) =>
      answer(client.post(path, JSON.stringify(body), timeoutMs === undefined ? {} : { timeoutMs })),
  };
}

const account = (tail: string): string => `+63917${tail.padStart(7, "0")}`;
const credit = (transferId: string, tail = "1", amount = "1062.75") => ({
  transferId,
  account: account(tail),
  currency: "PHP",
  amount,
});
const newJournal = (): string => join(directory, `journal-${(journals += 1)}`);

test.each([
  ["1", { answer: "yes" }],
  ["990", { answer: "yes" }],
  ["991", { answer: "no", reason: "AC04" }],
  ["992", { answer: "no", reason: "AC06" }],
  ["993", { answer: "yes" }],
  ["995", { answer: "yes" }],
  ["0", { answer: "no", reason: "AC03" }],
  ["1000", { answer: "no", reason: "AC03" }],
])("checks the account ending in %s", async (tail, expected) => {
  const { post } = await open();
  const checks = [{ ...credit("t-1", tail), reference: "rent" }];
  const { body } = await post("/v1/credit-checks", { checks });
  expect(body).toEqual({ results: [{ transferId: "t-1", ...expected }] });
});

test("refuses a check in another currency", async () => {
  const { post } = await open();
  const { body } = await post("/v1/credit-checks", {
    checks: [{ ...credit("t-1"), currency: "HKD" }],
  });
  expect(body).toEqual({ results: [{ transferId: "t-1", answer: "no", reason: "AM03" }] });
});

test("never answers a check of account 994 until the client gives up", async () => {
  const { post } = await open();
  const { status } = await post("/v1/credit-checks", { checks: [credit("t-1", "994")] }, 50);
  expect(status).toBe("unknown");
});

test("credits once, however often it is asked, and counts exactly", async () => {
  const { get, post } = await open();
  const credits = [
    credit("t-1", "1", "0.10"),
    credit("t-2", "1", "0.20"),
    credit("t-1", "1", "0.10"),
  ];
  const first = await post("/v1/credits", { credits });
  const second = await post("/v1/credits", { credits });
  expect(first.body).toEqual({
    results: ["t-1", "t-2", "t-1"].map((transferId) => ({ transferId, status: "credited" })),
  });
  expect(second.body).toEqual(first.body);
  expect((await get("/v1/summary")).body).toMatchObject({ credits: { count: 2, sum: "0.30" } });
  expect((await get(`/v1/accounts/${account("1")}`)).body).toMatchObject({
    balance: "0.30",
    status: "open",
  });
});

test("refuses another content under a known id, and changes nothing", async () => {
  const { core, post } = await open();
  await post("/v1/credits", { credits: [credit("t-1", "1", "5")] });
  const { body } = await post("/v1/credits", {
    credits: [credit("t-1", "1", "6"), credit("t-1", "2", "5"), credit("t-1", "1", "5.00")],
  });
  expect(body).toEqual({
    results: [
      { transferId: "t-1", status: "refused", reason: "AM05" },
      { transferId: "t-1", status: "refused", reason: "AM05" },
      { transferId: "t-1", status: "credited" },
    ],
  });
  expect(core.summary()).toEqual({ creditedCount: 1, creditedMinor: 500n, refusedCount: 0 });
});

test("a restarted core remembers credits, refusals and notifications", async () => {
  const journal = newJournal();
  const before = await open(journal);
  await before.post("/v1/credits", {
    credits: [credit("t-1"), credit("t-2", "995"), credit("t-3", "991")],
  });
  const notifications = [{ transferId: "t-1", number: 1, status: "sealed" }];
  await before.post("/v1/notifications", { notifications });
  const summary = before.core.summary();
  await before.core.close();
  running.length = 0;
  const after = await open(journal);
  expect(after.core.summary()).toEqual(summary);
  const again = await after.post("/v1/credits", { credits: [credit("t-1"), credit("t-2", "995")] });
  expect(again.body).toEqual({
    results: [
      { transferId: "t-1", status: "credited" },
      { transferId: "t-2", status: "refused", reason: "AC06" },
    ],
  });
  await after.post("/v1/notifications", { notifications });
  expect(after.core.summary()).toEqual(summary);
  expect((await after.get("/v1/credits/t-1")).body).toMatchObject({
    amount: "1062.75",
    status: "credited",
    notifications: [{ number: 1, status: "sealed" }],
  });
  expect((await after.get("/v1/summary")).body).toMatchObject({ notifications: { count: 1 } });
});

test("a journal that ends in half a line is cut there and goes on", async () => {
  const journal = newJournal();
  const before = await open(journal);
  await before.post("/v1/credits", { credits: [credit("t-1")] });
  await before.core.close();
  running.length = 0;
  const whole = readFileSync(journal, "utf8");
  writeFileSync(journal, `${whole}{"kind":"credit","transf`);
  const after = await open(journal);
  await after.post("/v1/credits", { credits: [credit("t-2")] });
  const lines = readFileSync(journal, "utf8").trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { transferId: string }).transferId)).toEqual([
    "t-1",
    "t-2",
  ]);
});

test("account 996 fails three times, doing nothing, and then succeeds", async () => {
  const { core, post } = await open();
  const body = { credits: [credit("t-1", "996"), credit("t-2")] };
  const statuses = [];
  for (let attempt = 0; attempt < 3; attempt += 1) {
    statuses.push((await post("/v1/credits", body)).status);
    expect(core.summary().creditedCount).toBe(0);
  }
  statuses.push((await post("/v1/credits", body)).status);
  expect(statuses).toEqual([500, 500, 500, 200]);
  expect(core.summary().creditedCount).toBe(2);
});

test("account 997 is credited although the first answer is lost", async () => {
  const { core, post } = await open();
  const body = { credits: [credit("t-1", "997")] };
  expect((await post("/v1/credits", body)).status).toBe("unknown");
  expect(core.summary().creditedCount).toBe(1);
  expect(await post("/v1/credits", body)).toEqual({
    status: 200,
    body: { results: [{ transferId: "t-1", status: "credited" }] },
  });
  expect(core.summary().creditedCount).toBe(1);
});

test("faults come as often as told and can be taken back", async () => {
  const { core, post } = await open();
  const ask = (tail = "1") => post("/v1/credit-checks", { checks: [credit("t-9", tail)] });
  await post("/v1/faults", { kind: "down", count: 2 });
  expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([
    503, 503, 200,
  ]);
  await post("/v1/faults", { kind: "reject", account: account("2") });
  expect((await ask("1")).body).toEqual({ results: [{ transferId: "t-9", answer: "yes" }] });
  expect((await ask("2")).body).toEqual({
    results: [{ transferId: "t-9", answer: "no", reason: "AC06" }],
  });
  core.inject({ kind: "refuse-credit" });
  const refused = await post("/v1/credits", { credits: [credit("t-1")] });
  expect(refused.body).toEqual({
    results: [{ transferId: "t-1", status: "refused", reason: "AC06" }],
  });
  core.inject({ kind: "answer-lost" });
  expect((await post("/v1/credits", { credits: [credit("t-2")] })).status).toBe("unknown");
  expect(core.summary().creditedCount).toBe(1);
  core.inject({ kind: "down", ms: 60_000 });
  expect((await ask()).status).toBe(503);
  const cleared = await fetch(`${core.url}/v1/faults`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${adapterToken}` },
  });
  expect([cleared.status, (await ask()).status]).toEqual([204, 200]);
});

test.each([["0"], ["1.001"], ["-1"], ["1e3"], ["01"], [".5"]])(
  "refuses the amount %s",
  async (amount) => {
    const { core, post } = await open();
    const { status, body } = await post("/v1/credits", { credits: [credit("t-1", "1", amount)] });
    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ pointer: "/credits/0/amount" }] });
    expect(core.summary().creditedCount).toBe(0);
  },
);

test("nobody but the adapter gets in", async () => {
  const { core } = await open();
  const response = await fetch(`${core.url}/v1/summary`, {
    headers: { authorization: "Bearer other-token-0123456789" },
  });
  expect(response.status).toBe(401);
});
