import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compareBalances } from "./audit-balances.ts";

const recomputed = [
  { account: "hk.example:position", currency: "HKD", debits: 100_000n, credits: 0n },
  { account: "ph.example:position", currency: "PHP", debits: 0n, credits: 723_550n },
];

const rows = [
  { account: "hk.example:position", currency: "HKD", debits: "1000.00", credits: "0.00" },
  { account: "ph.example:position", currency: "PHP", debits: "0.00", credits: "7235.50" },
];

let server: Server;
let url: string;
type Body = { readonly asOf: number; readonly balances: unknown };
/** What is shown at a position, and what is shown as of now. */
let past: Body;
let now: Body;
/** How often it says that it is behind. */
let behind: number;
let asked: (string | undefined)[];

beforeAll(async () => {
  server = createServer((req, res) => {
    asked.push(req.url);
    res.statusCode = behind > 0 ? 409 : 200;
    behind -= 1;
    res.end(JSON.stringify(req.url?.includes("asOf") === true ? past : now));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(
  () =>
    new Promise((resolve) => {
      server.close(resolve);
    }),
);
beforeEach(() => {
  past = { asOf: 4, balances: rows };
  now = { asOf: 9, balances: [] };
  behind = 0;
  asked = [];
});

const compare = () => compareBalances(url, 4, recomputed);

describe("reconciliation's balances", () => {
  it("are compared at the audited position", async () => {
    expect(await compare()).toEqual({ ok: true, compared: 2 });
    expect(asked).toEqual(["/v1/balances?asOf=4", "/v1/balances"]);
  });

  it("are compared as they run too, when they are at that position", async () => {
    now = { asOf: 4, balances: rows };
    expect(await compare()).toEqual({ ok: true, compared: 2 });
    now = { asOf: 4, balances: rows.slice(1) };
    expect(await compare()).toMatchObject({ ok: false, code: "balance-mismatch" });
  });

  it("are waited for while they are behind", async () => {
    behind = 1;
    expect(await compare()).toEqual({ ok: true, compared: 2 });
    expect(asked).toHaveLength(3);
  });

  it("may have accounts that nothing was posted to", async () => {
    const empty = { account: "x.example:fees", currency: "PHP", debits: "0.00", credits: "0.00" };
    past = { asOf: 4, balances: [...rows, empty] };
    expect(await compare()).toEqual({ ok: true, compared: 2 });
  });

  it("are a difference when one is other, missing or too many", async () => {
    const [hk, ph] = rows;
    for (const balances of [
      [hk],
      [hk, { ...ph, credits: "7235.51" }],
      [hk, { ...ph, debits: "0.01" }],
      [...rows, { ...ph, account: "ph.example:fees" }],
    ]) {
      past = { asOf: 4, balances };
      expect(await compare()).toMatchObject({ ok: false, code: "balance-mismatch" });
    }
  });

  it("are no answer for another position, or when unreadable", async () => {
    past = { asOf: 3, balances: rows };
    expect(await compare()).toMatchObject({ code: "balances-other-position" });
    for (const balances of ["x", [{ ...rows[0], debits: "-1.00" }], [rows[0], rows[0]], [{}]]) {
      past = { asOf: 4, balances };
      expect(await compare()).toMatchObject({ code: "balances-malformed" });
    }
  });
});
