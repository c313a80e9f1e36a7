// Cover that moves between two lanes, from the operators' order to both entries, with real signatures;
// each log is audited afterwards, by itself and under the policy.
import { describe, expect, test } from "vitest";
import {
  audit,
  carriedFrom,
  liquidityIn,
  liquidityOut,
  balanceIn,
  begin,
  deadCodes,
  hk,
  innerKinds,
  makeFundedWorld,
  makeWorld,
  origin,
  origin1,
  policyOfTwo,
  standingIn,
  testKeys,
  type Batch,
  type World,
} from "../testing/index.ts";
import { auditEntry } from "../audit.ts";
import { sealedBy } from "../carried.ts";
import { verifyEntry } from "../verify-entry.ts";
import { unbackedOf } from "./bank-statement.ts";

type Lanes = { readonly from: World; readonly to: World };

const twoLanes = (): Lanes => {
  const from = makeFundedWorld({ twoLanes: true });
  return { from, to: makeWorld({ twoLanes: true }, { lane: 1, keyLog: from.keyLog }) };
};

const checksOf = (world: World) => ({
  origin: world.origin,
  history: world.keyLog.history(),
  signatures: true,
  sealed: sealedBy(policyOfTwo),
});

type Order = Parameters<typeof liquidityOut>[1];
const letGo = (world: World, body: Order = {}, signing: Parameters<typeof liquidityOut>[2] = {}) =>
  world.run([liquidityOut(world.keys(), body, signing)]);

const takeIn = ({ from, to }: Lanes, seq: number, cosigners = 3): Batch =>
  to.run([liquidityIn(to.keys(), checksOf(to), carriedFrom(from, seq, cosigners))]);

const liquidity = (world: World): bigint => standingIn(world, hk, "HKD").liquidity;
const inTransit = (world: World): bigint => balanceIn(world, `${hk}:in-transit`, "HKD");

const auditedWhole = (world: World): void => {
  expect(audit(world, world.entries)).toBe(world.entries.length);
  const state = begin(world);
  const sealed = { ...state, sealed: sealedBy(policyOfTwo) };
  for (const entry of world.entries) expect(auditEntry(sealed, entry)).toMatchObject({ ok: true });
};

describe("cover", () => {
  test("leaves one lane by an entry and comes into the other by another, which carries the first", () => {
    const lanes = twoLanes();
    const { from, to } = lanes;
    const out = letGo(from, { amount: "100.00", unbacked: "100.00" });
    expect(innerKinds(out)).toEqual(["liquidity-out"]);
    expect([liquidity(from), inTransit(from)]).toEqual([99_990_000n, 10_000n]);
    const taken = takeIn(lanes, 3);
    expect(innerKinds(taken)).toEqual(["liquidity-in"]);
    expect(taken.notes[0]).toContain(from.entries[3]);
    expect([liquidity(to), inTransit(to) + inTransit(from)]).toEqual([10_000n, 0n]);
    auditedWhole(from);
    auditedWhole(to);
  });

  test("leaves once and comes in once, whoever repeats it", () => {
    const lanes = twoLanes();
    const { from, to } = lanes;
    letGo(from);
    const again = letGo(from);
    expect([again.outcome.entries.length, deadCodes(again)]).toEqual([0, []]);
    expect(deadCodes(letGo(from, { amount: "99.00", unbacked: "99.00" }))).toEqual([
      "statement-reused",
    ]);
    takeIn(lanes, 3);
    const twice = takeIn(lanes, 3);
    expect([twice.outcome.entries.length, deadCodes(twice)]).toEqual([0, []]);
    expect(liquidity(to)).toBe(10_000n);
  });

  test("that is only advanced stays marked so, and what backs it stays where it is", () => {
    const lanes = twoLanes();
    const { from, to } = lanes;
    expect(deadCodes(letGo(from, { unbacked: "99.99" }))).toEqual(["withdrawal-uncovered"]);
    letGo(from);
    takeIn(lanes, 3);
    expect(unbackedOf(from.state.settlement, hk, "HKD")).toBe(99_990_000n);
    expect(unbackedOf(to.state.settlement, hk, "HKD")).toBe(10_000n);
    const back = liquidityOut(to.keys(), { to: origin, key: "back" }, { origin: origin1 });
    to.run([back]);
    from.run([liquidityIn(from.keys(), checksOf(from), carriedFrom(to, 1))]);
    expect(unbackedOf(from.state.settlement, hk, "HKD")).toBe(100_000_000n);
    expect([liquidity(from), liquidity(to)]).toEqual([100_000_000n, 0n]);
    auditedWhole(from);
    auditedWhole(to);
  });

  test.each<[string, Order, Parameters<typeof liquidityOut>[2], string]>([
    ["for one operator", {}, { signers: [testKeys.alice] }, "signature-missing"],
    ["to the lane that it is in", { to: origin }, {}, "lane-unknown"],
    ["to a lane that nobody knows", { to: "sealane.example/2026/7" }, {}, "lane-unknown"],
    ["of nobody", { participant: "nobody.example" }, {}, "account-unknown"],
    ["in a currency that is not served", { currency: "EUR" }, {}, "currency-not-served"],
    ["of an amount that is none", { amount: "1.001", unbacked: "1.00" }, {}, "amount-decimals"],
    ["less than nothing of it backed", { unbacked: "100.01" }, {}, "amount-decimals"],
    ["beyond what is there", { amount: "1000000.01" }, {}, "withdrawal-uncovered"],
    ["after its time", { until: "2026-11-22T07:00:00.000Z" }, {}, "move-late"],
    ["days ahead", { until: "2026-12-22T07:00:00.000Z" }, {}, "move-early"],
    ["of another log", {}, { origin: origin1 }, "wrong-log"],
  ])("does not leave %s", (_what, order, signing, code) => {
    const { from } = twoLanes();
    const batch = letGo(from, order, signing);
    expect([batch.outcome.entries.length, deadCodes(batch)]).toEqual([0, [code]]);
  });

  test("that open transfers need does not leave", () => {
    const { from } = twoLanes();
    from.run([from.intent({ key: "0", amount: "999950.00" })]);
    expect(deadCodes(letGo(from))).toEqual(["withdrawal-uncovered"]);
  });
});

describe("what is carried", () => {
  test("is taken in under a quorum only, in the lane that it was let go for", () => {
    const lanes = twoLanes();
    const { from, to } = lanes;
    letGo(from);
    expect(() => takeIn(lanes, 3, 2)).toThrow("quorum-missing");
    expect(() => takeIn({ from, to: from }, 3)).toThrow("lane-unknown");
    expect(() => takeIn(lanes, 2)).toThrow("lets nothing go");
    const frame = carriedFrom(from, 3);
    const open = (changed: Partial<typeof frame>) =>
      liquidityIn(to.keys(), checksOf(to), { ...frame, ...changed });
    expect(() => open({ proof: carriedFrom(from, 2).proof })).toThrow("proof-malformed");
    expect(() => open({ entry: frame.entry.replace("100.00", "900.00") })).toThrow(
      "signature-missing",
    );
    const other = frame.proof.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${"A".repeat(43)}=\n`);
    expect(() => open({ proof: other })).toThrow("inclusion-mismatch");
  });

  test("is judged by who reads the other lane alone: an entry that was never let go is refused", () => {
    const lanes = twoLanes();
    const { from, to } = lanes;
    letGo(from);
    const [note = ""] = takeIn(lanes, 3).notes;
    expect(verifyEntry(note, checksOf(to))).toMatchObject({ ok: true });
    const forged = note.replace("\\nindex 3\\n", "\\nindex 2\\n");
    expect(verifyEntry(forged, { ...checksOf(to), signatures: false })).toMatchObject({
      code: "proof-malformed",
    });
  });
});
