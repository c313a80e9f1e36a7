// Windows, nets and banks' statements, from commands to entries, with real signatures; each log is
// audited afterwards by the fold that shares no code with the lane but the rules.
import { settlementSchema, type BankLine, type WindowNet } from "@sealane/protocol";
import { describe, expect, test } from "vitest";
import {
  accountOf,
  audit,
  bankLinesOf,
  bodiesOf,
  clearingOf,
  cut,
  deadCodes,
  fx,
  hk,
  innerKinds,
  netsOf,
  operator,
  ph,
  putTogether,
  say,
  settle,
  standingIn,
  takeApart,
  testKeys,
  worldWithTransfer,
  type GenesisOptions,
  type World,
} from "../testing/index.ts";

const auditedWhole = (world: World): void => {
  expect(audit(world, world.entries)).toBe(world.entries.length);
};

describe("a window", () => {
  test("is cut by an entry; its nets follow, one per participant, and sum to zero", () => {
    const world = worldWithTransfer();
    const batch = cut(world);
    expect(innerKinds(batch)).toEqual(["window-cut", ...Array(4).fill("window-net")]);
    const nets = netsOf(batch);
    expect(nets.map(({ participant }) => participant)).toEqual([fx, hk, ph, operator]);
    expect(nets[1]).toMatchObject({
      from: 0,
      to: 4,
      totals: [{ currency: "HKD", debits: "1000.00", credits: "0.00", fees: "0.00" }],
      legs: [{ currency: "HKD", side: "pay", counterparty: `${operator}:settlement` }],
    });
    expect(nets[3]?.legs).toMatchObject([{ currency: "HKD", side: "receive", amount: "2.00" }]);
    expect(nets.map(({ legs }) => legs.length)).toEqual([2, 1, 1, 1]);
    auditedWhole(world);
  });

  test("is cut once: a second cut of two, and a repeat, change nothing", () => {
    const world = worldWithTransfer();
    const keys = world.keys();
    const both = world.run([
      say.windowCut(keys, { number: 0 }),
      say.windowCut(keys, { number: 0 }, { signers: [testKeys.bob] }),
    ]);
    expect(innerKinds(both).filter((kind) => kind === "window-cut")).toHaveLength(1);
    expect(deadCodes(both)).toEqual([]);
    expect(cut(world).outcome.entries).toEqual([]);
    expect(deadCodes(cut(world, 5))).toEqual(["window-unknown"]);
    expect(innerKinds(cut(world, 1))).toEqual(["window-cut"]);
    auditedWhole(world);
  });

  test.each([
    ["nobody who may", { signers: [testKeys.hk] }, "signature-missing"],
    ["a stranger", { signers: [testKeys.stranger] }, "signature-missing"],
    ["an operator for another log", { origin: "sealane.example/2026/1" }, "wrong-log"],
  ] as const)("is not cut by %s", (_who, signing, code) => {
    const world = worldWithTransfer();
    const batch = world.run([say.windowCut(world.keys(), { number: 0 }, signing)]);
    expect([batch.outcome.entries.length, deadCodes(batch)]).toEqual([0, [code]]);
  });

  test("is cut by the corridor's scheduler, when it is due and not before", () => {
    const world = worldWithTransfer();
    const signing = { signers: [testKeys.scheduler] };
    const early = { number: 0, due: "2026-12-31T00:00:00.000Z" };
    expect(deadCodes(world.run([say.windowCut(world.keys(), early, signing)]))).toEqual([
      "cut-early",
    ]);
    const due = { number: 0, due: "2026-11-22T00:00:00.000Z" };
    expect(innerKinds(world.run([say.windowCut(world.keys(), due, signing)]))[0]).toBe(
      "window-cut",
    );
    auditedWhole(world);
  });

  test.each([
    ["multilateral", [1, 1, 1, 2]],
    ["bilateral", [2, 1, 1, 2]],
    ["gross", [2, 1, 1, 2]],
  ] as const)("nets %s", (netting, legs) => {
    const world = worldWithTransfer({ corridor: { netting } });
    const nets = netsOf(cut(world));
    const counts = [hk, ph, operator, fx].map(
      (name) => nets.find(({ participant }) => participant === name)?.legs.length,
    );
    expect(counts).toEqual(legs);
    auditedWhole(world);
  });

  test("whose nets are changed, left out or said without a cut is refused by an audit", () => {
    const world = worldWithTransfer();
    cut(world);
    world.publishSheet();
    const pieces = world.entries.map(takeApart);
    const forged = (edit: (all: typeof pieces) => typeof pieces) =>
      audit(world, putTogether(edit(pieces)));
    expect(forged((all) => all)).toBe(world.entries.length);
    const without = forged((all) => all.filter((_, at) => at !== 5));
    expect(without).toEqual({ position: 5, code: "derived-missing" });
    const alone = forged((all) => all.filter((_, at) => at !== 4));
    expect(alone).toMatchObject({ position: 4, code: "derived-unexpected" });
    const last = forged((all) => all.filter((_, at) => at !== 8));
    expect(last).toEqual({ position: 8, code: "derived-missing" });
  });
});

describe("a bank's statement", () => {
  const closed = (options?: GenesisOptions) => {
    const world = worldWithTransfer(options);
    return { world, nets: netsOf(cut(world)) };
  };

  test("settles every participant whose lines are booked; exposure goes down", () => {
    const { world, nets } = closed();
    expect(standingIn(world, hk, "HKD")).toMatchObject({ exposure: 100_000n });
    const batch = settle(world, bankLinesOf(nets));
    expect(innerKinds(batch)).toEqual(["bank-statement", ...Array(4).fill("settlement")]);
    expect(standingIn(world, hk, "HKD")).toMatchObject({ exposure: 0n, headroom: 100_000_000n });
    expect([clearingOf(world, "HKD"), clearingOf(world, "PHP")]).toEqual([0n, 0n]);
    expect(world.state.settlement.closed.size).toBe(0);
    auditedWhole(world);
  });

  test("counts once, and its number is not used for another", () => {
    const { world, nets } = closed();
    settle(
      world,
      bankLinesOf(nets, () => ({ status: "pending" })),
    );
    const again = settle(
      world,
      bankLinesOf(nets, () => ({ status: "pending" })),
    );
    expect([again.outcome.entries.length, deadCodes(again)]).toEqual([0, []]);
    expect(deadCodes(settle(world, bankLinesOf(nets)))).toEqual(["statement-reused"]);
    const other = settle(world, bankLinesOf(nets), { reference: "STATEMENT-2" });
    expect(innerKinds(other)).toHaveLength(5);
    const late = settle(world, bankLinesOf(nets), { reference: "STATEMENT-3" });
    expect(deadCodes(late)).toEqual(["window-settled"]);
    auditedWhole(world);
  });

  const other = "HKWALLETEXAMPLEXXX";
  const refused: [string, (nets: WindowNet[]) => BankLine[], string][] = [
    [
      "a sum that is not zero",
      (nets) =>
        bankLinesOf(nets, ({ currency, side }, name) =>
          currency === "HKD" && side === "debit" && name === hk ? { amount: "1000.01" } : {},
        ),
      "sum-not-zero",
    ],
    [
      "amounts that are not the net's",
      (nets) =>
        bankLinesOf(nets, ({ currency, amount }, name) =>
          currency !== "HKD"
            ? {}
            : name === hk
              ? { amount: "1001.00" }
              : name === fx
                ? { amount: "999.00" }
                : { amount },
        ),
      "amount-mismatch",
    ],
    [
      "a missing account",
      (nets) => bankLinesOf(nets, (_, name) => (name === ph ? undefined : {})),
      "account-missing",
    ],
    [
      "an unknown account",
      (nets) => bankLinesOf(nets, (_, name) => (name === ph ? { account: other } : {})),
      "account-unknown",
    ],
    [
      "another's account",
      (nets) =>
        bankLinesOf(nets, ({ currency }, name) =>
          name === ph ? { account: accountOf(hk, currency) } : {},
        ),
      "line-unexpected",
    ],
    [
      "too many decimals",
      (nets) => bankLinesOf(nets, (_, name) => (name === hk ? { amount: "1000.001" } : {})),
      "amount-decimals",
    ],
    [
      "a line twice",
      (nets) => [...bankLinesOf(nets), bankLinesOf(nets)[0] as BankLine],
      "line-twice",
    ],
    [
      "a reference that is no leg's",
      (nets) => bankLinesOf(nets, (_, name) => (name === hk ? { reference: "X" } : {})),
      "line-unexpected",
    ],
  ];
  test.each(refused)("with %s is refused whole", (_what, lines, code) => {
    const { world, nets } = closed();
    const before = structuredClone(world.state.settlement);
    const batch = settle(world, lines(nets));
    expect([batch.outcome.entries.length, deadCodes(batch)]).toEqual([0, [code]]);
    expect(world.state.settlement).toEqual(before);
  });

  test.each([
    ["an operator's signature", { signers: [testKeys.alice] }, {}, "signature-missing"],
    ["a signature that does not verify", { forged: true }, {}, "signature-wrong"],
    ["another participant's key", { signers: [testKeys.hk] }, {}, "signature-missing"],
    [
      "a window that nobody cut",
      {},
      { window: { corridor: "hkd-php", number: 7, attempt: 0 } },
      "window-unknown",
    ],
    ["a bank that is none", { signers: [testKeys.fxTransfer] }, { bank: fx }, "key-purpose"],
  ] as const)("with %s is refused whole", (_what, signing, body, code) => {
    const { world, nets } = closed();
    const window = { corridor: "hkd-php", number: 0, attempt: 0 };
    const statement = { window, lines: bankLinesOf(nets), ...body };
    const batch = world.run([say.bankStatement(world.keys(), statement, signing)]);
    expect([batch.outcome.entries.length, deadCodes(batch)]).toEqual([0, [code]]);
  });

  test("holds who is not paid in all currencies, with a reason, and nobody else", () => {
    const { world, nets } = closed();
    const lines = bankLinesOf(nets, ({ currency }, name) =>
      name === fx && currency === "PHP" ? { status: "rejected", reason: "AM04" } : {},
    );
    const batch = settle(world, lines);
    const settlements = bodiesOf(batch, settlementSchema, "settlement");
    expect(settlements.map(({ participant, result }) => [participant, result])).toEqual([
      [fx, "held"],
      [hk, "settled"],
      [ph, "settled"],
      [operator, "settled"],
    ]);
    expect(settlements[0]).toMatchObject({ why: "line-rejected", reason: "AM04" });
    expect(standingIn(world, fx, "PHP").exposure).toBe(723_550n);
    const later = settle(world, bankLinesOf(nets), { reference: "STATEMENT-2" });
    expect(innerKinds(later)).toEqual(["bank-statement", "settlement"]);
    expect([clearingOf(world, "HKD"), clearingOf(world, "PHP")]).toEqual([0n, 0n]);
    auditedWhole(world);
  });

  test("may not take a booked line back", () => {
    const { world, nets } = closed();
    settle(
      world,
      bankLinesOf(nets, (_, name) => (name === ph ? { status: "pending" } : {})),
    );
    const back = bankLinesOf(nets, (_, name) => (name === hk ? { status: "rejected" } : {}));
    expect(deadCodes(settle(world, back, { reference: "STATEMENT-2" }))).toEqual(["line-reversed"]);
  });

  test("about instructions that were taken back counts no more; new ones do", () => {
    const { world, nets } = closed();
    const abort = say.settlementAbort(world.keys(), { number: 0 });
    expect(deadCodes(world.run([{ ...abort, operators: ["one"] }]))).toEqual(["signature-missing"]);
    world.run([abort]);
    expect(deadCodes(settle(world, bankLinesOf(nets)))).toEqual(["settlement-aborted"]);
    const window = [...world.state.settlement.closed.values()][0];
    const again = nets.map((net) => ({
      ...net,
      legs: [...(window?.nets.get(net.participant)?.legs ?? [])],
    }));
    const named = { corridor: "hkd-php", number: 0, attempt: 1 };
    settle(world, bankLinesOf(again), { window: named });
    expect(world.state.settlement.closed.size).toBe(0);
    auditedWhole(world);
  });
});
