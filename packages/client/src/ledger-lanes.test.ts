// Which lane a service sends to: from the policy's logs, a URL each, and the key log's slots.
import { emptyKeyState, type KeyState } from "@sealane/rules";
import {
  formatVerifierKey,
  parsePolicy,
  parseVerifierKey,
  publicKeyOf,
  sha256,
} from "@sealane/tlog";
import { expect, test } from "vitest";
import { laneRouter, ledgerLanes, logUrlOf } from "./ledger-lanes.ts";

const base = "sealane.example";
const vkeyOf = (name: string, seed = name): string =>
  formatVerifierKey(name, 1, publicKeyOf(sha256(seed)));
const logLine = (name: string, url: string, seed?: string): string =>
  `log ${vkeyOf(name, seed)} ${url}`;

const policy = parsePolicy(
  `${[
    logLine(`${base}/2026/0`, "http://a/log"),
    logLine(`${base}/2026/1`, "http://b/log"),
    logLine(`${base}/keys`, "http://a/log/keys"),
    // A key that lane 1 had before.
    logLine(`${base}/2026/1`, "http://b/log", "older"),
    "quorum none",
  ].join("\n")}\n`,
);

const keysWith = (
  slots: readonly (readonly [lane: number, from: number, to: number])[],
): KeyState => ({
  ...emptyKeyState(`${base}/keys`, parseVerifierKey(vkeyOf(`${base}/keys`))),
  lanes: {
    period: "2026",
    lanes: slots.map(([lane, from, to]) => ({
      lane,
      origin: `${base}/2026/${lane}`,
      vkey: vkeyOf(`${base}/2026/${lane}`),
      slots: [{ from, to }],
    })),
  },
});

const idIn = (slot: number): string =>
  `${(slot << 6).toString(16).padStart(4, "0")}0000-0000-4000-8000-000000000000`;

test("one URL is one lane, the policy's first log", () => {
  expect(ledgerLanes(policy, ["http://a"], 7)).toEqual([
    { lane: 7, origin: `${base}/2026/0`, url: "http://a" },
  ]);
});

test("several URLs are the policy's lanes in order; a replaced key is no lane more", () => {
  expect(ledgerLanes(policy, ["http://a", "http://b"], 0)).toEqual([
    { lane: 0, origin: `${base}/2026/0`, url: "http://a" },
    { lane: 1, origin: `${base}/2026/1`, url: "http://b" },
  ]);
  expect(() => ledgerLanes(policy, ["http://a", "http://b", "http://c"], 0)).toThrow("2 lanes");
});

test("an id goes to the lane that has its slot, by the key log as it is now", () => {
  let keys: KeyState | undefined;
  const of = laneRouter([{ lane: 0 }, { lane: 1 }], () => keys);
  expect(of(idIn(1023))).toEqual({ lane: 0 }); // nothing is known: the first lane says so
  keys = keysWith([
    [0, 0, 512],
    [1, 512, 1024],
  ]);
  expect([0, 511, 512, 1023].map((slot) => of(idIn(slot)).lane)).toEqual([0, 0, 1, 1]);
  keys = keysWith([
    [0, 0, 600],
    [1, 600, 1024],
  ]);
  expect([512, 599, 600].map((slot) => of(idIn(slot)).lane)).toEqual([0, 0, 1]);
});

test("an entry's log is found in the policy by its origin", () => {
  expect(logUrlOf(policy, `${base}/2026/1/entry/v1\n{}`)).toBe("http://b/log");
  expect(logUrlOf(policy, "other.example/2026/1/entry/v1\n{}")).toBeUndefined();
});
