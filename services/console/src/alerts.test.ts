import { expect, it } from "vitest";
import { makeAlertBoard, type Facts } from "./alerts.ts";
import type { ServiceHealth, WitnessHealth } from "./api-types.ts";
import { parseMetrics } from "./metrics-text.ts";

const service = (name: string, more: Partial<ServiceHealth> = {}): ServiceHealth => ({
  name,
  url: "http://127.0.0.1:1",
  state: "up",
  sinceMs: 0,
  checks: { all: "ok" },
  ...more,
});
const witness = (name: string, state: WitnessHealth["state"] = "cosigning"): WitnessHealth => ({
  name,
  keyName: `${name}/witness`,
  state,
});

const well: Facts = {
  log: { origin: "sealane.example/2026/0", size: 100 },
  ledger: { unsealedAgeMs: 0, inputLag: 0 },
  books: { applied: 100 },
  services: ["ledger", "hk-wallet", "fx-desk"].map((name) => service(name)),
  witnesses: ["hk-wallet", "ph-wallet", "fx-desk", "auditor"].map((name) => witness(name)),
  quorum: 3,
  money: [],
  metrics: () => undefined,
};
const withMetrics = (of: string, text: string): Facts => ({
  ...well,
  metrics: (name) => (name === of ? parseMetrics(text) : undefined),
});

/** What stands after the facts have been so for a minute. */
const afterMinute = (facts: Facts): string[] => {
  const board = makeAlertBoard();
  board.update(facts, 0);
  return board.update(facts, 60_000).map(({ severity, code }) => `${severity} ${code}`);
};

it("is silent while all is well", () => {
  expect(afterMinute(well)).toEqual([]);
});

it.each<[string, Facts, string]>([
  [
    "a service is down",
    { ...well, services: [service("ledger", { state: "down" })] },
    "page down:ledger",
  ],
  [
    "a service is not ready",
    { ...well, services: [service("fx-desk", { state: "not-ready", checks: { feed: "stale" } })] },
    "ticket not-ready:fx-desk",
  ],
  ["nothing is sealed for 5 s", { ...well, ledger: { unsealedAgeMs: 5_001 } }, "page unsealed"],
  ["the input lags", { ...well, ledger: { inputLag: 5_001 } }, "page input-lag"],
  [
    "a checkpoint is refused",
    { ...well, log: { ...well.log, fault: "note-bad-signature" } },
    "page checkpoint",
  ],
  [
    "one witness is missing, and a quorum is left",
    { ...well, witnesses: well.witnesses.with(0, witness("hk-wallet", "down")) },
    "ticket witnesses",
  ],
  [
    "too few witnesses are left",
    {
      ...well,
      witnesses: [...well.witnesses.slice(2), witness("a", "down"), witness("b", "behind")],
    },
    "page witnesses",
  ],
  ["the books have ended", { ...well, books: { applied: 100, fault: "at 7" } }, "page books"],
  ["the books are behind", { ...well, log: { origin: "", size: 1_102 } }, "ticket books-lag"],
  [
    "a chain alarm",
    withMetrics("hk-wallet", "sealane_chain_alarm 1"),
    "page chain-alarm:hk-wallet",
  ],
  [
    "a credit is owed",
    withMetrics("hk-wallet", "sealane_owed_credit_age_ms 60001"),
    "page credit-owed:hk-wallet",
  ],
  [
    "nothing is quoted",
    withMetrics("fx-desk", "sealane_pairs_quoted 0"),
    "page not-quoting:fx-desk",
  ],
  [
    "an inbox lags",
    withMetrics("hk-wallet", "sealane_inbox_lag 1001"),
    "ticket inbox-lag:hk-wallet",
  ],
])("tells that %s", (_, facts, alert) => {
  expect(afterMinute(facts)).toEqual([alert]);
});

it("waits before it tells what may pass, and forgets what has passed", () => {
  const board = makeAlertBoard();
  const down = { ...well, services: [service("fx-desk", { state: "down" })] };
  expect(board.update(down, 0)).toEqual([]);
  expect(board.update(down, 3_000)).toMatchObject([{ code: "down:fx-desk", sinceMs: 0 }]);
  expect(board.update(well, 4_000)).toEqual([]);
  expect(board.update(down, 5_000)).toEqual([]);
});

it("tells dead letters that came while it looked, for five minutes, and none from before", () => {
  const board = makeAlertBoard();
  const letters = (count: number) => withMetrics("ledger", `sealane_dead_letters_total ${count}`);
  expect(board.update(letters(4), 0)).toEqual([]);
  expect(board.update(letters(6), 10_000)).toMatchObject([
    { severity: "ticket", summary: "ledger put 2 inputs aside in the last five minutes" },
  ]);
  expect(board.update(letters(6), 330_000)).toEqual([]);
});

it("puts pages first, then the oldest", () => {
  const board = makeAlertBoard();
  const lag = { ...well, log: { origin: "", size: 1_102 } };
  board.update(lag, 0);
  const both = { ...lag, ledger: { unsealedAgeMs: 9_000 } };
  expect(board.update(both, 60_000).map(({ code }) => code)).toEqual(["unsealed", "books-lag"]);
});

it("passes on what settlement wants looked at, and counts breaks past their deadline", () => {
  const held = {
    level: "warning" as const,
    code: "held",
    participant: "ph-wallet.example",
    window: "hkd-php/2",
    detail: "line-rejected: AC06",
  };
  const short = {
    level: "critical" as const,
    code: "shortfall",
    participant: "hk-wallet.example",
    currency: "HKD",
    detail: "12.00 HKD is not paid back",
  };
  const facts = {
    ...withMetrics("reconciliation", "sealane_overdue_breaks 2\n"),
    money: [held, short],
  };
  expect(afterMinute(facts)).toEqual([
    "page shortfall:hk-wallet.example:HKD",
    "ticket held:ph-wallet.example:hkd-php/2",
    "ticket breaks-overdue",
  ]);
  const [, ticket] = makeAlertBoard().update(facts, 0);
  expect(ticket?.summary).toBe(
    "ph-wallet.example is held in window hkd-php/2: line-rejected: AC06",
  );
});
