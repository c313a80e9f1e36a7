// What two operators post for a break: cover given or taken, once, never more than is there; and every audit
// comes to the same.
import { describe, expect, test } from "vitest";
import {
  audit,
  balanceIn,
  deadCodes,
  hk,
  makeSettlingWorld,
  operator,
  say,
  standingIn,
  testKeys,
  type World,
} from "../testing/index.ts";

type Options = Parameters<typeof say.adjustment>[1];
const adjust = (
  world: World,
  body: Options = {},
  signing: Parameters<typeof say.adjustment>[2] = {},
) => world.run([say.adjustment(world.keys(), body, signing)]);

const auditedWhole = (world: World): void => {
  expect(audit(world, world.entries)).toBe(world.entries.length);
};

describe("an adjustment", () => {
  test("gives cover against the operator's adjustments, and stands before the audit", () => {
    const world = makeSettlingWorld();
    const before = standingIn(world, hk, "HKD").liquidity;
    adjust(world);
    expect(standingIn(world, hk, "HKD").liquidity - before).toBe(500n);
    expect(balanceIn(world, `${operator}:adjustments`, "HKD")).toBe(-500n);
    auditedWhole(world);
  });

  test("of another rounding goes against the operator's rounding", () => {
    const world = makeSettlingWorld();
    adjust(world, { break: "fx-residue", amount: "0.01" });
    expect(balanceIn(world, `${operator}:rounding`, "HKD")).toBe(-1n);
    auditedWhole(world);
  });

  test("is posted once for one break, and never another way", () => {
    const world = makeSettlingWorld();
    adjust(world);
    const size = world.entries.length;
    expect(deadCodes(adjust(world))).toEqual([]);
    expect(deadCodes(adjust(world, { amount: "6.00" }))).toEqual(["statement-reused"]);
    expect(world.entries.length).toBe(size);
  });

  test("takes only cover that a bank has confirmed and nobody needs", () => {
    const world = makeSettlingWorld();
    // All of the world's cover is advanced, until the first adjustment gives some.
    const taken = { key: "b", side: "debit" } as const;
    expect(deadCodes(adjust(world, taken))).toEqual(["withdrawal-uncovered"]);
    adjust(world);
    expect(deadCodes(adjust(world, { ...taken, amount: "5.01" }))).toEqual([
      "withdrawal-uncovered",
    ]);
    expect(deadCodes(adjust(world, taken))).toEqual([]);
    expect(balanceIn(world, `${operator}:adjustments`, "HKD")).toBe(0n);
    auditedWhole(world);
  });

  test.each([
    ["one operator", {}, { signers: [testKeys.alice] }, "signature-missing"],
    ["a participant of nobody", { participant: "nobody.example" }, {}, "account-unknown"],
    ["a currency that is not served", { currency: "USD" }, {}, "currency-not-served"],
    ["decimals that are not there", { amount: "1.001" }, {}, "amount-decimals"],
    ["nothing", { amount: "0.00" }, {}, "amount-decimals"],
    ["another log", {}, { origin: "sealane.example/2026/1" }, "wrong-log"],
  ])("for %s is refused", (_case, body, signing, code) => {
    const world = makeSettlingWorld();
    expect(deadCodes(adjust(world, body, signing))).toEqual([code]);
  });
});
