// What the witnesses have seen against what the database has: at the start, while another instance may be
// writing, and each time the lane is taken.
import type { Sql } from "@sealane/database";
import { formatVerifierKey, parsePolicy, publicKeyOf, sha256 } from "@sealane/tlog";
import { describe, expect, test } from "vitest";
import { askWitnesses, makeConfirm } from "./start-up.ts";
import type { WitnessClient } from "./witness-client.ts";

const origin = "ledger.example/2026/0";
const keyOf = (name: string, type: 1 | 4): string =>
  formatVerifierKey(name, type, publicKeyOf(sha256(name)));
const names = ["a", "b", "c", "d"];
const policy = parsePolicy(
  [
    `log ${keyOf(origin, 1)}`,
    ...names.map((name) => `witness ${name} ${keyOf(`${name}.example`, 4)} http://127.0.0.1:1`),
    `group three 3 ${names.join(" ")}`,
    "quorum three",
    "",
  ].join("\n"),
);

/** Witnesses that have seen so much; undefined does not answer. */
const witnessesAt = (sizes: () => readonly (number | undefined)[]): WitnessClient[] =>
  names.map((name, at) => ({
    name,
    busy: () => false,
    cosign: () => Promise.resolve({ outcome: "failed", detail: "not asked" }),
    sizeOf: () => Promise.resolve(sizes()[at]),
    close: () => undefined,
  }));

const storedSize = (size: () => number): Sql => ({
  query: <Row>() => Promise.resolve({ rows: [{ size: BigInt(size()) }] as Row[], rowCount: 1 }),
});

const start = (sizes: () => readonly (number | undefined)[], size: () => number) =>
  askWitnesses({
    sql: storedSize(size),
    lane: 0,
    origin,
    policy,
    witnesses: witnessesAt(sizes),
    signal: new AbortController().signal,
    log: { info: () => undefined },
  });

describe("at the start", () => {
  test("an instance that writes meanwhile is no reason to refuse", async () => {
    // The log grows by ten each time that anybody looks at it.
    let size = 100;
    const grown = (): number => (size += 10);
    const told = await start(
      () => [grown(), grown(), grown(), grown()],
      () => size,
    );
    expect(told).toBeUndefined();
  });

  test("a witness that has seen more than the database is", async () => {
    const told = await start(
      () => [90, 101, undefined, undefined],
      () => 100,
    );
    expect(told).toBe(
      "a witness has 101 entries of the log, the database 100: do not sign, recover",
    );
  });
});

describe("when the lane is taken", () => {
  const confirm = (...sizes: (number | undefined)[]) =>
    makeConfirm({ origin, policy, witnesses: witnessesAt(() => sizes) });

  test("two of four witnesses have to answer, unless one goes on with its own work", async () => {
    expect(await confirm(100, 100, undefined, undefined)(100, false)).toBeUndefined();
    const alone = confirm(100, undefined, undefined, undefined);
    await expect(alone(100, false)).rejects.toMatchObject({
      code: "witnesses-silent",
      retryable: true,
    });
    expect(await alone(100, true)).toBeUndefined();
  });

  test("a witness that hangs is not waited for, when enough have answered", async () => {
    const [first, second, ...others] = witnessesAt(() => [100, 100, 100, 100]);
    const hanging = others.map((one) => ({ ...one, sizeOf: () => new Promise<number>(() => {}) }));
    const witnesses = [first, second, ...hanging].filter((one) => one !== undefined);
    expect(await makeConfirm({ origin, policy, witnesses })(100, false)).toBeUndefined();
  });

  test("one that has seen more is believed, whoever goes on", async () => {
    for (const continues of [true, false]) {
      expect(await confirm(undefined, 101)(100, continues)).toContain("do not sign");
    }
  });
});
