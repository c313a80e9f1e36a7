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
let answer: { status: number; body: unknown };
let asked: string | undefined;

beforeAll(async () => {
  server = createServer((req, res) => {
    asked = req.url;
    res.statusCode = answer.status;
    res.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  answer = { status: 200, body: { asOf: 4, sealedSize: 4, balances: rows } };
});

const compare = () => compareBalances(url, 4, recomputed);

describe("reconciliation's balances", () => {
  it("are compared at the audited position", async () => {
    expect(await compare()).toEqual({ ok: true, compared: 2 });
    expect(asked).toBe("/v1/balances?asOf=4");
  });

  it("may be in minor units, with the participant apart, and have empty accounts", async () => {
    const balances = [
      {
        participant: "hk.example",
        account: "position",
        currency: "HKD",
        debits: "100000",
        credits: "0",
      },
      {
        participant: "ph.example",
        account: "position",
        currency: "PHP",
        debits: "0",
        credits: "723550",
      },
      { participant: "ph.example", account: "fees", currency: "PHP", debits: "0", credits: "0" },
    ];
    answer.body = { asOf: "4", balances };
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
      answer.body = { asOf: 4, balances };
      expect(await compare()).toMatchObject({ ok: false, code: "balance-mismatch" });
    }
  });

  it("are no answer for another position, or when unreadable", async () => {
    answer.body = { asOf: 3, balances: rows };
    expect(await compare()).toMatchObject({ code: "balances-other-position" });
    for (const balances of ["x", [{ ...rows[0], debits: "-1.00" }], [rows[0], rows[0]], [{}]]) {
      answer.body = { asOf: 4, balances };
      expect(await compare()).toMatchObject({ code: "balances-malformed" });
    }
    answer = { status: 404, body: {} };
    await expect(compare()).rejects.toMatchObject({ code: "log-refused" });
  });
});
