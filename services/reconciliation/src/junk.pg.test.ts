// Every route of the OpenAPI document, asked for what makes no sense: it says what is wrong, as a problem,
// and never fails by itself.
import { bearerAuth, createHttpApp, startHttp, tokenDigest, type HttpServer } from "@sealane/http";
import { makeSettlingWorld, policy } from "@sealane/rules/testing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { makeBankFiles } from "./bank-files.ts";
import { mountBanking } from "./banking-routes.ts";
import { makeBookReader } from "./book-reader.ts";
import { mountBreaks } from "./breaks/break-routes.ts";
import { openTestDesk } from "./breaks/test-desk.ts";
import { makeDesk } from "./desk.ts";
import { makePeriodReader } from "./period-reader.ts";
import { mountRoutes } from "./routes.ts";
import { mountSettlement } from "./settlement-routes.ts";
import { makeSettlementReader } from "./settlement-reader.ts";
import { openTestSchema, publish, startBooks } from "./test-books.ts";

const token = "approver-token-0123456789";
let schema: Awaited<ReturnType<typeof openTestSchema>>;
let http: HttpServer;

beforeAll(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
  const { sql } = schema;
  const world = makeSettlingWorld();
  world.transfer({ key: "a" });
  const { keeper } = startBooks(sql, world, { policy });
  await keeper.take(publish(world));
  const tokens = new Map([["approver/ann", tokenDigest(token)]]);
  const app = createHttpApp({ name: "test", auth: { operator: bearerAuth(tokens) } });
  const { origin } = world;
  const keys = () => world.keys();
  const clock = () => world.nowMs();
  const send = (): Promise<void> => Promise.resolve();
  const desk = makeDesk({ sql, lane: 0, origin, books: keeper.state, keys, send, clock });
  const reader = makeSettlementReader(sql, 0, origin);
  mountRoutes({ app, lane: 0, origin, reader: makeBookReader(sql, 0), fault: keeper.fault });
  mountSettlement({
    app,
    reader,
    desk,
    files: makeBankFiles(sql),
    books: keeper.state,
    keys,
    pending: () => Promise.resolve(new Map()),
    levels: { warnPercent: 80, criticalPercent: 95 },
    clock,
  });
  mountBanking({ app, reader, periods: makePeriodReader(sql, 0), keys, clock });
  mountBreaks({ app, ...openTestDesk(schema, world, keeper, clock), clock });
  http = await startHttp({ app, port: 0 });
});
afterAll(async () => {
  await http.close();
  await schema.close();
});

const junk = [
  "x",
  "-1",
  "0",
  "99999999999999999999",
  "9007199254740993",
  "NaN",
  "%00",
  "%F0%9F%98%80",
  "..%2F..%2Fetc%2Fpasswd",
  "hkd-php",
  "2026-11-22T00:00:00.000Z",
  "2026-02-30",
  "00000000-0000-4000-8000-000000000000",
  "'%3B%20drop%20table%20entry%3B--",
  "a".repeat(2_000),
  "W10",
  "WzEsMiwzXQ",
  // Cursors of lists by time: a NUL, and a good one.
  "WzEsIlx1MDAwMCIsIiJd",
  "WzEsImEiLCJiIl0",
];
const bodies = [
  "",
  "{",
  "null",
  "[]",
  '"text"',
  "{}",
  '{"__proto__":{"a":1}}',
  '{"notes":[],"file":"!"}',
  '{"notes":["x"],"file":"eA=="}',
  `{"notes":[${'"x",'.repeat(200)}"x"]}`,
  '{"text":""}',
  '{"owner":"nobody"}',
  '{"participant":"hk-wallet.example","reference":"S","from":"x","to":"y","lines":[]}',
  "[".repeat(5_000),
  "sealane.example/2026/0/window-cut/v1\n{}\n\n— x AAAA\n",
  "\u0000",
];

type Document = {
  paths: Record<
    string,
    Record<string, { parameters?: { name: string; in: string; required?: boolean }[] }>
  >;
};

let asked = 0;
const failed: string[] = [];
const ask = async (method: string, path: string, body?: string) => {
  asked += 1;
  const answer = await fetch(`${http.url}${path}`, {
    method: method.toUpperCase(),
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": body?.startsWith("sealane") === true ? "text/plain" : "application/json",
      "Idempotency-Key": `junk-key-${asked}`,
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  const about = `${method} ${path.slice(0, 80)} ${body?.slice(0, 40) ?? ""}: ${answer.status}`;
  if (answer.status >= 500) failed.push(about);
  else if (answer.status >= 400) {
    const type = answer.headers.get("content-type") ?? "";
    expect([about, type]).toEqual([about, expect.stringContaining("application/problem+json")]);
    expect([about, JSON.parse(text)]).toMatchObject([about, { status: answer.status }]);
  }
  return answer.status;
};

/** A break to say something about: a line that no transfer answers to. */
const aBreak = async (): Promise<string> => {
  const line = {
    reference: "L-1",
    side: "debit",
    currency: "HKD",
    amount: "3.00",
    status: "booked",
    bookedAt: "2026-11-22T07:00:00.100Z",
  };
  const period = { from: "2026-11-22T07:00:00.000Z", to: "2026-11-22T07:00:00.500Z" };
  const statement = { participant: "hk-wallet.example", reference: "S", ...period, lines: [line] };
  await ask("post", "/v1/provider-statements", JSON.stringify(statement));
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${http.url}/v1/breaks?state=all`, { headers });
  const { breaks } = (await answer.json()) as { breaks: { id: string }[] };
  return breaks[0]?.id ?? "";
};

describe("every route", () => {
  it("of a break takes no text that cannot be kept", async () => {
    const id = await aBreak();
    expect(id).not.toBe("");
    for (const bad of ["a\\u0000b", "\\ud800", "\\udc00x", ""]) {
      const body = `{"text":"${bad}"}`;
      expect([bad, await ask("post", `/v1/breaks/${id}/comments`, body)]).toEqual([bad, 400]);
    }
    const good = await ask(
      "post",
      `/v1/breaks/${id}/comments`,
      '{"text":"\\u2028 ok \\ud83d\\ude00"}',
    );
    expect([good, failed]).toEqual([200, []]);
  });

  it("says what is wrong with what makes no sense, and never fails", async () => {
    const document = (await (await fetch(`${http.url}/v1/openapi.json`)).json()) as Document;
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, about]) => ({ path, method, ...about })),
    );
    expect(routes.length).toBeGreaterThan(25);
    // What changes something needs a key, and the document says so.
    const needy = routes.filter(({ parameters = [] }) =>
      parameters.some(({ name, required }) => name === "idempotency-key" && required === true),
    );
    expect(needy).toEqual(routes.filter(({ method }) => method === "post"));
    const statuses = new Set<number>();
    for (const { path, method, parameters = [] } of routes) {
      const filled = (value: string): string => path.replaceAll(/\{\w+\}/g, value);
      for (const value of junk) {
        const query = parameters
          .filter((one) => one.in === "query")
          .map(({ name }) => `${name}=${value}`);
        const whole = `${filled(value)}${query.length === 0 ? "" : `?${query.join("&")}`}`;
        statuses.add(await ask(method, whole, method === "post" ? "{}" : undefined));
        for (const one of query) statuses.add(await ask(method, `${filled("0")}?${one}`));
      }
      if (method !== "post") continue;
      for (const body of bodies) {
        statuses.add(await ask(method, filled("00000000-0000-4000-8000-000000000000"), body));
      }
    }
    expect(failed).toEqual([]);
    expect([...statuses].toSorted((a, b) => a - b)).toEqual(
      expect.arrayContaining([200, 400, 404]),
    );
  });
});
