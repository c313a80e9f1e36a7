// `sealane return` and `sealane recall` against a door that only notes what it is asked.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { makeProgram } from "./main.ts";

const original = "7f3b1f70-5c6d-4f6e-8a3c-2b1d0e9f8a7b";
const made = "7f3b1111-5c6d-4f6e-8a3c-2b1d0e9f8a7b";
const received = { currency: "PHP", amount: "8035.56" };

type Asked = { readonly path: string; readonly key: unknown; readonly body: unknown };
let asked: Asked[];
let answer: object;
let folder: string;
const printed: string[] = [];
const stdout = process.stdout.write.bind(process.stdout);
const home = process.env["SEALANE_HOME"];

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const text = Buffer.concat(chunks).toString("utf8");
    if (req.method === "POST") {
      const key = req.headers["idempotency-key"];
      asked.push({ path: req.url ?? "", key, body: JSON.parse(text) });
    }
    const looked = { transferId: original, status: "credited", received, steps: {} };
    res.writeHead(200, { "Content-Type": "application/json" });
    res.end(JSON.stringify(req.method === "GET" ? looked : answer));
  });
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sealane-return-"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(folder, "token"), "a-token-of-16-chars\n");
  const wallet = { url, tokenFile: "token", accountPrefix: "+1" };
  const participants = {
    "hk-wallet": { ...wallet, id: "hk-wallet.example", currency: "HKD" },
    "ph-wallet": { ...wallet, id: "ph-wallet.example", currency: "PHP" },
  };
  writeFileSync(join(folder, "cli.json"), JSON.stringify({ participants, log: url }));
  process.env["SEALANE_HOME"] = folder;
});
afterAll(async () => {
  if (home === undefined) delete process.env["SEALANE_HOME"];
  else process.env["SEALANE_HOME"] = home;
  rmSync(folder, { recursive: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked = [];
  answer = { transferId: made, status: "sealed", sent: received, steps: {}, final: true };
  printed.length = 0;
  process.stdout.write = (text) => printed.push(String(text)) > 0;
});
afterEach(() => {
  process.stdout.write = stdout;
  process.exitCode = 0;
});

const run = (...args: string[]): Promise<unknown> =>
  makeProgram().parseAsync(["node", "sealane", ...args]);

test("gives back all that is left, for the reason that is said, under the key that is given", async () => {
  await run("return", original, "--from", "ph-wallet", "--reason", "AC04", "--key", "k1");
  const path = `/v1/transfers/${original}/returns`;
  expect(asked).toEqual([{ path, key: "k1", body: { reason: "AC04" } }]);
  expect(printed.join("")).toContain(`return ${made}: sealed`);
});

test("gives a part back in the currency in which it was received", async () => {
  const terms = ["--rate", "today", "--bearer", "payer", "--recall", made];
  await run("return", original, "--from", "ph-wallet", "--amount", "10.00", ...terms);
  const amount = { currency: "PHP", amount: "10.00" };
  const body = { amount, rate: "today", bearer: "payer", recallId: made };
  expect(asked).toMatchObject([{ body }]);
});

test("asks for a transfer back, and cancels", async () => {
  answer = { transferId: made, status: "sealed", recallOf: original, sent: received, steps: {} };
  await run("recall", original, "--from", "hk-wallet", "--reason", "DUPL", "--json");
  await run("recall", original, "--from", "hk-wallet", "--cancel");
  const path = `/v1/transfers/${original}/recalls`;
  expect(asked).toMatchObject([
    { path, body: { reason: "DUPL", cancel: false } },
    { path, body: { cancel: true } },
  ]);
  expect(JSON.parse(printed[0] ?? "")).toMatchObject({ event: "recall", recallOf: original });
});

test("says no to a recall", async () => {
  await run("recall", original, "--from", "ph-wallet", "--refuse", "CUST");
  const path = `/v1/transfers/${original}/recalls/refusal`;
  expect(asked).toMatchObject([{ path, body: { reason: "CUST" } }]);
});

test("ends with 1 when it is refused, and asks nothing that has no meaning", async () => {
  answer = { transferId: made, status: "rejected", reason: "AM09", detail: "too much", steps: {} };
  await run("return", original, "--from", "ph-wallet");
  expect([process.exitCode, printed.join("")]).toEqual([1, expect.stringContaining("too much")]);
  asked = [];
  await run("return", original, "--from", "ph-wallet", "--rate", "yesterday");
  expect(asked).toEqual([]);
});
