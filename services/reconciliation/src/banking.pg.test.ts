// What the books say to banks and participants, on a real Postgres: instructions that are the same each
// time and pay just the nets, and statements that add up whatever period is asked for.
import { bearerAuth, createHttpApp, startHttp, tokenDigest, type HttpServer } from "@sealane/http";
import { readValid } from "@sealane/iso20022/schema";
import { minorOf } from "@sealane/rules";
import {
  bankLinesOf,
  cut,
  makeSettlingWorld,
  netsOf,
  policy,
  settle,
  type World,
} from "@sealane/rules/testing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { mountBanking } from "./banking-routes.ts";
import { makePeriodReader } from "./period-reader.ts";
import { makeSettlementReader } from "./settlement-reader.ts";
import { openTestSchema, publish, startBooks } from "./test-books.ts";

const token = "operator-token-0123456789";
let schema: Awaited<ReturnType<typeof openTestSchema>>;
let http: HttpServer;
let world: World;
let nets: ReturnType<typeof netsOf>;

beforeAll(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
  world = makeSettlingWorld();
  world.transfer({ key: "a" });
  world.transfer({ key: "b", fixed: "receive", amount: "500.00" });
  nets = netsOf(cut(world));
  settle(world, bankLinesOf(nets));
  world.transfer({ key: "c" });
  await startBooks(schema.sql, world, { policy }).keeper.take(publish(world));
  const app = createHttpApp({
    name: "test",
    auth: { operator: bearerAuth(new Map([["auditor/ann", tokenDigest(token)]])) },
  });
  mountBanking({
    app,
    reader: makeSettlementReader(schema.sql, 0, world.origin),
    periods: makePeriodReader(schema.sql, 0),
    keys: () => world.keys(),
    clock: () => world.nowMs() + 86_400_000,
  });
  http = await startHttp({ app, port: 0 });
});
afterAll(async () => {
  await http.close();
  await schema.close();
});

const get = async (path: string) => {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${http.url}${path}`, { headers });
  return { status: answer.status, text: await answer.text() };
};
const readDocument = async (path: string) => {
  const { status, text } = await get(path);
  const read = readValid(new TextEncoder().encode(text));
  if (!read.ok) throw new Error(`${status} ${text}`);
  return read.value;
};

describe("instructions of a window", () => {
  it("pay each leg once, under its reference, and are the same bytes each time", async () => {
    const message = await readDocument("/v1/windows/hkd-php/0/instructions");
    if (message.kind !== "pacs.009") throw new Error(message.kind);
    const { messageId, transfers } = message.body;
    expect(messageId).toBe("hkd-php/0/0");
    const said = transfers.map(({ uetr, amount, debtorAccount, creditorAccount }) => [
      uetr,
      amount.currency,
      amount.amount,
      debtorAccount ?? "",
      creditorAccount ?? "",
    ]);
    const legs = bankLinesOf(nets).map(({ reference, currency, amount, side, account }) =>
      side === "debit"
        ? [reference, currency, amount, account, ""]
        : [reference, currency, amount, "", account],
    );
    expect(new Set(said.map(String))).toEqual(new Set(legs.map(String)));
    expect(said).toHaveLength(legs.length);
    const sides = transfers.map(({ debtorAccount }) => debtorAccount !== undefined);
    expect(sides.lastIndexOf(true)).toBeLessThan(sides.indexOf(false));
    const again = await get("/v1/windows/hkd-php/0/instructions");
    expect(again).toEqual(await get("/v1/windows/hkd-php/0/instructions"));
  });

  it("are not there for a window that is open, nor for who has no token", async () => {
    expect((await get("/v1/windows/hkd-php/1/instructions")).status).toBe(404);
    const open = await fetch(`${http.url}/v1/windows/hkd-php/0/instructions`);
    expect(open.status).toBe(401);
  });
});

describe("a participant's statement", () => {
  const day = () => new Date(world.nowMs()).toISOString().slice(0, 10);
  const path = (from: string, to: string, format = "camt053", who = "hk-wallet.example") =>
    `/v1/reports/statement?participant=${who}&from=${from}&to=${to}&format=${format}`;
  const statements = async (from: string, to: string) => {
    const message = await readDocument(path(from, to));
    if (message.kind !== "camt.053") throw new Error(message.kind);
    return message.body.statements.map(({ account, currency = "", balances, entries }) => {
      const signed = (one: { amount: { amount: string }; side: string }): bigint =>
        minorOf(one.amount.amount, currency) * (one.side === "DBIT" ? -1n : 1n);
      const [opening = 0n, closing = 0n] = balances.map(signed);
      const sum = entries.reduce((all, entry) => all + signed(entry), 0n);
      const kinds = entries.map(({ information }) => information);
      return { name: `${account} ${currency}`, opening, closing, sum, kinds };
    });
  };

  it("adds up, and what was settled is owed no more", async () => {
    const all = await statements("2020-01-01", day());
    expect(all.map(({ name }) => name)).toEqual(["liquidity HKD", "position HKD"]);
    for (const { opening, closing, sum } of all) expect(opening + sum).toBe(closing);
    const [liquidity, position] = all;
    expect(liquidity?.kinds).toEqual(["advance"]);
    expect([liquidity?.opening, liquidity?.closing]).toEqual([0n, 100_000_000n]);
    expect(position?.kinds).toEqual(["transfer", "transfer", "settlement", "transfer"]);
    expect([position?.opening, position?.closing]).toEqual([0n, -100_000n]);
  });

  it("continues where the period before has ended, at every instant", async () => {
    const { rows } = await schema.sql.query<{ time_ms: bigint }>({
      text: "select distinct time_ms from entry order by 1",
    });
    const first = "2020-01-01";
    for (const { time_ms: ms } of rows) {
      const instant = new Date(Number(ms)).toISOString();
      const [before, behind] = [await statements(first, instant), await statements(instant, day())];
      expect(before.map(({ closing }) => closing)).toEqual(behind.map(({ opening }) => opening));
      for (const { opening, closing, sum } of behind) expect(opening + sum).toBe(closing);
    }
  });

  it("is CSV with a running balance, or a report of a day that still goes on", async () => {
    const { text } = await get(path("2020-01-01", day(), "csv"));
    const rows = text.trimEnd().split("\r\n");
    expect(rows[0]).toBe("account,currency,entry,time,kind,uetr,amount,balance");
    expect(rows.at(-1)).toMatch(
      /^position,HKD,\d+,\S+,transfer,[0-9a-f-]{36},-1000\.00,-1000\.00$/,
    );
    expect((await get(path("2020-01-01", "2099-01-01"))).text).toContain("period-open");
    const report = await readDocument(path("2020-01-01", "2099-01-01", "camt052"));
    expect(report.kind).toBe("camt.052");
  });

  it.each([
    [() => path("2026-02-01", "2026-01-01"), 422, "period-empty"],
    [() => path("2026-13-01", "2026-01-01"), 400, "there is no such day"],
    [() => path("2020-01-01", day(), "camt053", "nobody.example"), 404, "participant-unknown"],
  ])("is refused with a reason: %#", async (ask, status, why) => {
    const answer = await get(ask());
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(why)]);
  });
});
