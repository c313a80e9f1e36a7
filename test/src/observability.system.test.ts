// What an operator sees at 3 a.m.: one trace from the HTTP request through Kafka to both wallets and the
// books, metrics of every service, and logs that say nothing about a person.
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await system.stop();
});

const account = "+639170000123";

type Sent = { readonly transferId: string; readonly status: string };

/** @param flags `01` when the caller records the trace, `00` when it does not */
const sendUnder = async (traceId: string, flags: string, payee = account): Promise<Sent> => {
  const response = await system.call("hk-wallet", "/v1/transfers", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Idempotency-Key": randomUUID(),
      Prefer: "wait=10",
      traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-${flags}`,
    },
    body: JSON.stringify({
      payer: { account: "+85290000123" },
      payee: { participant: "ph-wallet.example", account: payee },
      amount: { currency: "HKD", amount: "77.00" },
    }),
  });
  return (await response.json()) as Sent;
};

const sendTraced = async (traceId: string): Promise<string> => {
  const { transferId, status } = await sendUnder(traceId, "01");
  expect(status).toBe("sealed");
  return transferId;
};

const textOf = (name: string): string => {
  const path = system.stack.home.path("logs", name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};

/** Names of a service's spans that belong to a trace. */
const spansOf = (service: string, traceId: string): string[] =>
  textOf(`${service}.traces.jsonl`)
    .split("\n")
    .filter((line) => line.includes(traceId))
    .map((line) => (JSON.parse(line) as { name: string }).name);

it("one trace goes from the request through Kafka to both wallets and the books", async () => {
  const traceId = randomBytes(16).toString("hex");
  await sendTraced(traceId);
  const expected: [string, string[]][] = [
    ["hk-wallet", ["adapter.intent", "adapter.sealed"]],
    ["ph-wallet", ["adapter.acceptance", "adapter.sealed"]],
    ["ledger", ["ledger.reserve", "ledger.committed", "ledger.seal"]],
    ["reconciliation", ["reconciliation.post"]],
  ];
  for (const [service, names] of expected) {
    const seen = await eventually(`${service} has written its spans`, () => {
      const spans = spansOf(service, traceId);
      return Promise.resolve(names.every((name) => spans.includes(name)) ? spans : undefined);
    });
    expect(seen).toEqual(expect.arrayContaining(names));
  }
});

it("of what nobody wanted traced only what ends badly is, and in every service", async () => {
  const [quiet, bad] = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
  expect(await sendUnder(quiet, "00")).toMatchObject({ status: "sealed" });
  // The payee's core refuses this account.
  expect(await sendUnder(bad, "00", "+639170000991")).toMatchObject({ status: "rejected" });
  const expected: [string, string[]][] = [
    ["hk-wallet", ["adapter.rejected"]],
    ["ph-wallet", ["adapter.rejection", "adapter.rejected"]],
    ["ledger", ["ledger.reserve", "ledger.rejected", "ledger.seal"]],
    ["reconciliation", ["reconciliation.post"]],
  ];
  for (const [service, names] of expected) {
    await eventually(`${service} has written its spans`, () =>
      Promise.resolve(names.every((name) => spansOf(service, bad).includes(name))),
    );
    expect(spansOf(service, quiet)).toEqual([]);
  }
});

it("every service serves its metrics", async () => {
  await sendTraced(randomBytes(16).toString("hex"));
  const expected: [string, RegExp[]][] = [
    [
      "ledger",
      [
        /^sealane_transfers(?:_total)?\{.*outcome="committed"/m,
        /^sealane_seal_ms_bucket/m,
        /^sealane_input_lag/m,
        /^sealane_unsealed_age_ms/m,
      ],
    ],
    [
      "hk-wallet",
      [
        /^sealane_step_ms_bucket\{.*step="sealed"/m,
        /^sealane_inbox_lag/m,
        /^sealane_owed_notices/m,
      ],
    ],
    ["ph-wallet", [/^sealane_transfers(?:_total)?\{.*state="sealed"/m, /^sealane_owed_credits/m]],
    ["fx-desk", [/^process_/m]],
    ["reconciliation", [/^sealane_applied_entries/m, /^sealane_journal_bytes \d\d/m]],
    ["witness", [/^witness_/m]],
  ];
  for (const [service, patterns] of expected) {
    const response = await fetch(`${system.stack.urls[service] ?? ""}/metrics`);
    const text = await response.text();
    for (const pattern of patterns) expect(text, service).toMatch(pattern);
  }
});

it("logs and traces are structured, and name no account", async () => {
  const id = await sendTraced(randomBytes(16).toString("hex"));
  await eventually("spans are written", () =>
    Promise.resolve(textOf("ledger.traces.jsonl").includes(id)),
  );
  const services = ["ledger", "hk-wallet", "ph-wallet", "fx-desk", "reconciliation", "witness"];
  const files = services.flatMap((service) => [`${service}.log`, `${service}.traces.jsonl`]);
  const lines = files.flatMap((file) => textOf(file).split("\n")).filter((line) => line !== "");
  expect(lines.length).toBeGreaterThan(files.length);
  for (const line of lines) {
    expect(line).not.toContain(account);
    expect(() => void JSON.parse(line)).not.toThrow();
  }
});
