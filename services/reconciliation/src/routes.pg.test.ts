import { createHttpApp, startHttp, type HttpServer } from "@sealane/http";
import { makeLog, origin, policy } from "@sealane/rules/testing";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import type { Fault } from "./books.ts";
import { mountRoutes } from "./routes.ts";
import { openTestSchema, publish, readBooks, startBooks } from "./test-books.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
let http: HttpServer;
let fault: Fault | undefined;

beforeAll(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
  const app = createHttpApp({ name: "test" });
  const reader = readBooks(schema.sql);
  mountRoutes({ app, lane: 0, origin, reader, openBalances: true, fault: () => fault });
  http = await startHttp({ app, port: 0 });
  const world = makeLog();
  await startBooks(schema.sql, world, { policy }).keeper.take(publish(world));
});
afterAll(async () => {
  await http.close();
  await schema.close();
});

const get = async (path: string): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(`${http.url}${path}`, { signal: AbortSignal.timeout(5_000) });
  return { status: answer.status, body: await answer.json() };
};

it("tells the balances of one participant in one currency, with their position", async () => {
  // 1000.00 and 66.67 HKD at 20 basis points, at least 1.00, rounded up.
  expect(await get("/v1/balances?participant=hk-wallet.example&currency=HKD")).toEqual({
    status: 200,
    body: {
      asOf: 11,
      sealedSize: 11,
      balances: [
        {
          account: "hk-wallet.example:liquidity",
          participant: "hk-wallet.example",
          currency: "HKD",
          debits: "0.00",
          credits: "1000000.00",
          balance: "1000000.00",
        },
        {
          account: "hk-wallet.example:position",
          participant: "hk-wallet.example",
          currency: "HKD",
          debits: "1067.67",
          credits: "0.00",
          balance: "-1067.67",
        },
      ],
    },
  });
});

it("tells the balances as they were at an earlier position", async () => {
  const { body } = await get("/v1/balances?currency=HKD&asOf=4");
  expect(body).toMatchObject({ asOf: 4, sealedSize: 11 });
  expect(body).toHaveProperty(
    "balances",
    expect.arrayContaining([
      expect.objectContaining({ account: "hk-wallet.example:position", debits: "1000.00" }),
    ]),
  );
  expect((await get("/v1/balances?asOf=0")).body).toMatchObject({ asOf: 0, balances: [] });
});

it("does not pretend to know a position that is not applied yet", async () => {
  expect(await get("/v1/balances?asOf=12")).toMatchObject({
    status: 409,
    body: { code: "position-ahead" },
  });
});

it.each(["asOf=-1", "asOf=1.5", "currency=hkd", "participant=a%20b", "other=1"])(
  "refuses the query %s",
  async (query) => {
    expect((await get(`/v1/balances?${query}`)).status).toBe(400);
  },
);

it("tells per currency that debits are credits", async () => {
  const { body } = await get("/v1/balances/summary");
  const difference = "0.00";
  expect(body).toMatchObject({
    asOf: 11,
    currencies: [
      { currency: "HKD", difference },
      { currency: "PHP", difference },
    ],
  });
});

it("tells how far the books are, what ended, the seal, and the fault that ended them", async () => {
  const progress = {
    lane: 0,
    origin,
    applied: 11,
    nextOffset: "12",
    transfers: { committed: 2, rejected: 1, cancelled: 1, expired: 1 },
    sealedSize: 11,
    sealed: expect.stringContaining(`${origin}\n11\n`),
  };
  expect(await get("/v1/progress")).toMatchObject({ status: 200, body: progress });
  fault = { position: 7, code: "signature-wrong", detail: "hk-wallet.example/k1" };
  expect((await get("/v1/progress")).body).toMatchObject({ fault });
});
