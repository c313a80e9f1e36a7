import { formatTime } from "@sealane/protocol";
import { leafHash, toBase64 } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import type { LaneCommand } from "./commands.ts";
import { sheetOverlapMs } from "./provider-statements.ts";
import {
  audit,
  fx,
  hk,
  makeFundedWorld,
  makeWorld,
  operator,
  ph,
  say,
  testKeys,
  type World,
} from "./testing/index.ts";

const codeOf = (world: World, ...commands: LaneCommand[]): string | undefined => {
  const { outcome } = world.run(commands);
  return outcome.refusals[0]?.code ?? outcome.deadLetters[0]?.code;
};

describe("a rate sheet", () => {
  it("is an entry in its provider's chain, told to it and all wallets", () => {
    const world = makeWorld();
    const { outcome } = world.publishSheet();
    expect(outcome.entries).toMatchObject([
      { outcome: "recorded", chains: [{ participant: fx, n: 0 }], postings: [] },
    ]);
    expect([...outcome.inbox.keys()].toSorted()).toEqual([fx, hk, ph]);
  });

  it("is honoured for two seconds after a higher number, and no longer", () => {
    const world = makeFundedWorld();
    const before = world.intent({ key: "a" }).body;
    world.publishSheet({ rate: "7.5" });
    const endsAtMs = world.nowMs() + sheetOverlapMs;
    const late = { ...before, id: world.terms({ key: "b" }).id };
    const first = world.run([say.intent(world.keys(), before)], { atMs: endsAtMs - 1 });
    expect(first.outcome.reserved).toHaveLength(1);
    const second = world.run([say.intent(world.keys(), late)], { atMs: endsAtMs });
    expect(second.outcome.refusals).toMatchObject([{ code: "sheet-superseded" }]);
  });

  it("is honoured until its last instant, exclusive, and from its first, inclusive", () => {
    const world = makeWorld();
    world.fund();
    const from = world.nowMs() + 1_000;
    const times = { from: formatTime(from), quoteUntil: formatTime(from + 5_000) };
    world.publishSheet({ ...times, honourUntil: formatTime(from + 10_000) });
    const at = (key: string, atMs: number) =>
      world.run([world.intent({ key })], { atMs }).outcome.refusals[0]?.code;
    expect(at("a", from - 1)).toBe("sheet-unknown");
    expect(at("b", from)).toBeUndefined();
    expect(at("c", from + 9_999)).toBeUndefined();
    expect(at("d", from + 10_000)).toBe("sheet-expired");
  });

  it("that was withdrawn takes no new transfer, and lets the open ones end", () => {
    const world = makeFundedWorld();
    const open = world.intent({ key: "a" });
    const late = world.intent({ key: "b" });
    const withdrawal = say.rateWithdrawal(world.keys(), world.sheet().body);
    const { outcome } = world.run([open, withdrawal, late]);
    expect(outcome.refusals).toMatchObject([{ id: late.body.id, code: "sheet-withdrawn" }]);
    world.run([world.accept(open.body.id)]);
    expect(audit(world, world.entries)).toBe(5);
    expect(codeOf(world, withdrawal)).toBe("sheet-unknown");
  });

  it("counts what is pending and committed against its total, and gives back what was released", () => {
    const world = makeWorld();
    world.fund();
    world.publishSheet({ totalPerLane: "2000.00" });
    const [a, b] = ["a", "b"].map((key) => world.intent({ key })) as [never, never];
    expect(world.run([a, b]).outcome.reserved).toHaveLength(2);
    expect(codeOf(world, world.intent({ key: "c" }))).toBe("sheet-exhausted");
    world.run([world.reject(world.terms({ key: "a" }).id)]);
    world.run([world.accept(world.terms({ key: "b" }).id)]);
    expect(world.run([world.intent({ key: "d" })]).outcome.reserved).toHaveLength(1);
    expect(codeOf(world, world.intent({ key: "e" }))).toBe("sheet-exhausted");
  });

  it.each([
    ["a number that is not higher", { number: 1 }, "sheet-refused"],
    ["a rate of zero", { rate: "0" }, "sheet-refused"],
    ["one currency", { pair: { from: "HKD", to: "HKD" } }, "sheet-refused"],
    ["a currency that does not exist", { pair: { from: "HKD", to: "QQQ" } }, "sheet-refused"],
    [
      "a currency that the provider does not serve",
      { pair: { from: "HKD", to: "USD" } },
      "sheet-refused",
    ],
    ["a limit with a third decimal", { maxTransfer: "1.001" }, "sheet-refused"],
    ["a total that is no amount", { totalPerLane: "0" }, "sheet-refused"],
    [
      "quotes for longer than it is honoured",
      { quoteUntil: "2026-11-22T09:00:00.000Z" },
      "sheet-refused",
    ],
    ["no end in sight", { honourUntil: "2026-11-24T09:00:00.000Z" }, "sheet-refused"],
    ["a provider that is a wallet only", { provider: hk }, "signature-missing"],
  ])("with %s is dead-lettered", (_, fields, code) => {
    const world = makeFundedWorld();
    const sheet = say.makeSheet({ number: 2, ...fields }, world.nowMs());
    expect(codeOf(world, say.rateSheet(world.keys(), sheet))).toBe(code);
    expect(world.state.size).toBe(3);
  });

  it.each([
    ["a key for transfers", { signers: [testKeys.fxTransfer] }, "key-purpose"],
    ["a signature that does not verify", { forged: true }, "signature-wrong"],
    ["another log's origin", { origin: "sealane.example/2025/0" }, "wrong-log"],
    ["something after it", { inner: "more\n" }, "terms-malformed"],
  ])("with %s is dead-lettered", (_, signing, code) => {
    const world = makeFundedWorld();
    const sheet = say.makeSheet({ number: 2 }, world.nowMs());
    expect(codeOf(world, say.rateSheet(world.keys(), sheet, signing))).toBe(code);
  });

  it("of a suspended or revoked provider is dead-lettered", () => {
    const world = makeFundedWorld();
    const sheet = say.makeSheet({ number: 2 }, world.nowMs());
    const body = { participant: fx, suspended: true, reason: "test" };
    world.keyLog.log("suspension", body, [testKeys.alice], world.nowMs());
    expect(codeOf(world, say.rateSheet(world.keys(), sheet))).toBe("sheet-refused");
    const lost = { participant: fx, vkey: testKeys.fx.vkey, reason: "lost" };
    world.keyLog.log("revocation", lost, [testKeys.fxRoot], world.nowMs());
    expect(codeOf(world, say.rateSheet(world.keys(), sheet))).toBe("key-revoked");
  });
});

describe("a credited statement", () => {
  const credited = () => {
    const world = makeFundedWorld();
    for (const key of ["a", "b", "c"]) world.transfer({ key });
    return world;
  };

  it("is one entry for many transfers, told to their payers", () => {
    const world = credited();
    const { outcome } = world.run([world.credit(ph, 1)]);
    expect(outcome.entries).toMatchObject([
      { outcome: "recorded", chains: [{ participant: ph, n: 3 }] },
    ]);
    expect([...outcome.inbox.keys()]).toEqual([ph, hk]);
    expect(world.state.uncredited.get(ph)?.map(({ n }) => n)).toEqual([2]);
    world.run([world.credit(ph, 3)]);
    expect(world.state.uncredited.get(ph)).toEqual([]);
    expect(audit(world, world.entries)).toBe(8);
  });

  it("says nothing new when it is repeated or goes back", () => {
    const world = credited();
    world.run([world.credit(ph, 1)]);
    for (const upTo of [1, 0]) {
      const { outcome } = world.run([world.credit(ph, upTo)]);
      expect(outcome).toMatchObject({ entries: [], deadLetters: [] });
    }
  });

  it.each([
    ["an entry that is not there yet", (world: World) => world.credit(ph, 3), "credit-ahead"],
    [
      "another history",
      (world: World) => world.credit(ph, 1, toBase64(leafHash("x"))),
      "head-mismatch",
    ],
    [
      "another's chain",
      (world: World) =>
        say.credited(world.keys(), {
          upTo: 0,
          head: world.chains.get(hk)?.[0] ?? "",
          participant: hk,
        }),
      "signature-missing",
    ],
  ] as const)("of %s is dead-lettered", (_, command, code) => {
    const world = credited();
    expect(codeOf(world, command(world))).toBe(code);
    expect(audit(world, world.entries)).toBe(6);
  });
});

describe("an advance", () => {
  it("gives liquidity against the operator's account, once for one id", () => {
    const world = makeWorld();
    const advance = say.advance(world.keys(), { amount: "500.00" });
    const { outcome } = world.run([advance, advance]);
    expect(outcome.entries).toHaveLength(1);
    expect(world.run([advance]).outcome.entries).toEqual([]);
    expect(world.state.balances.get(`${hk}:liquidity HKD`)?.postedCredit).toBe(50_000n);
    expect(world.state.balances.get(`${operator}:advances HKD`)?.postedDebit).toBe(50_000n);
    expect(audit(world, world.entries)).toBe(1);
  });

  it.each([
    ["one operator", {}, { signers: [testKeys.alice] }, "signature-missing"],
    ["one operator twice", {}, { signers: [testKeys.alice, testKeys.alice] }, "signature-missing"],
    [
      "an operator and a participant",
      {},
      { signers: [testKeys.alice, testKeys.hk] },
      "signature-missing",
    ],
    ["another log's origin", {}, { origin: "sealane.example/2025/0" }, "wrong-log"],
    ["an unknown participant", { participant: "nobody.example" }, {}, "payee-unknown"],
    ["a currency that is not served", { currency: "USD" }, {}, "currency-not-served"],
    ["an amount with a third decimal", { amount: "1.001" }, {}, "amount-invalid"],
    ["an amount of zero", { amount: "0.00" }, {}, "amount-invalid"],
  ])("with %s is dead-lettered", (_, body, signing, code) => {
    const world = makeWorld();
    expect(codeOf(world, say.advance(world.keys(), body, signing))).toBe(code);
    expect(world.state).toMatchObject({ size: 0 });
  });
});
