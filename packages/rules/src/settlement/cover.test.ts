// Deposits, withdrawals, advances that a bank's line backs, and a debtor who does not pay.
import type { BankLine, WindowDefault, WindowNet } from "@sealane/protocol";
import { describe, expect, test } from "vitest";
import { balanceOf } from "../positions.ts";
import {
  accountOf,
  audit,
  bankLinesOf,
  clearingOf,
  cut,
  deadCodes,
  hk,
  makeSettlingWorld,
  netsOf,
  ph,
  say,
  settle,
  standingIn,
  testKeys,
  worldWithTransfer,
  type Batch,
  type World,
} from "../testing/index.ts";
import { defaultPayments } from "./defaults.ts";

const auditedWhole = (world: World): void => {
  expect(audit(world, world.entries)).toBe(world.entries.length);
};

describe("cover", () => {
  const deposit = (world: World, line: Partial<BankLine>, reference = "D-1"): Batch => {
    const whole: BankLine = {
      reference: "B-1",
      account: accountOf(hk, "HKD"),
      currency: "HKD",
      side: "credit",
      amount: "500.00",
      status: "booked",
      ...line,
    };
    return world.run([say.bankStatement(world.keys(), { reference, lines: [whole] })]);
  };

  test("comes and goes with the bank's lines, each once", () => {
    const world = makeSettlingWorld();
    deposit(world, {});
    expect(standingIn(world, hk, "HKD").liquidity).toBe(100_050_000n);
    expect(deadCodes(deposit(world, {}, "D-2"))).toEqual(["line-twice"]);
    deposit(world, { side: "debit", reference: "B-2" }, "D-3");
    expect(standingIn(world, hk, "HKD").liquidity).toBe(100_000_000n);
    const more = deposit(world, { side: "debit", reference: "B-3", amount: "0.01" }, "D-4");
    // What is left is only advanced: no bank has it.
    expect(deadCodes(more)).toEqual(["withdrawal-uncovered"]);
    auditedWhole(world);
  });

  test("that is advanced is unbacked until a line with its id and amount matches it", () => {
    const world = makeSettlingWorld();
    const [id] = [...world.state.settlement.unbacked.keys()];
    const reference = id ?? "";
    expect(deadCodes(deposit(world, { reference }))).toEqual(["advance-mismatch"]);
    deposit(world, { reference, amount: "1000000.00" });
    expect(world.state.settlement.unbacked.has(reference)).toBe(false);
    expect(standingIn(world, hk, "HKD").liquidity).toBe(100_000_000n);
    auditedWhole(world);
  });

  test("that is needed does not leave", () => {
    const world = makeSettlingWorld();
    deposit(world, {});
    world.transfer({ key: "a", amount: "999900.00" });
    world.transfer({ key: "b", amount: "300.00" });
    const out = deposit(world, { side: "debit", reference: "B-2" }, "D-2");
    expect(deadCodes(out)).toEqual(["withdrawal-uncovered"]);
  });
});

describe("a default", () => {
  const dayMs = 24 * 3_600_000;
  const overdue = () => {
    const world = worldWithTransfer();
    const line: BankLine = {
      reference: "B-1",
      account: accountOf(hk, "HKD"),
      currency: "HKD",
      side: "credit",
      amount: "400.00",
      status: "booked",
    };
    world.run([say.bankStatement(world.keys(), { reference: "D-1", lines: [line] })]);
    const nets = netsOf(cut(world));
    const net = nets.find(({ participant }) => participant === hk) as WindowNet;
    const { totals } = net;
    const { settlement, balances } = world.state;
    const body: WindowDefault = {
      corridor: "hkd-php",
      number: 0,
      attempt: 0,
      participant: hk,
      totals,
      payments: defaultPayments(settlement, balances, net),
    };
    return { world, nets, body };
  };
  const suspend = (world: World): void => {
    const body = { participant: hk, suspended: true, reason: "unpaid" };
    world.keyLog.log("suspension", body, [testKeys.alice], world.nowMs());
  };

  test("takes backed cover first; the rest is a named shortfall, which a deposit pays back", () => {
    const { world, nets, body } = overdue();
    expect(body.payments).toEqual([{ currency: "HKD", cover: "400.00", shortfall: "600.00" }]);
    suspend(world);
    const batch = world.run([say.windowDefault(world.keys(), body)], {
      atMs: world.nowMs() + dayMs,
    });
    expect(deadCodes(batch)).toEqual([]);
    expect(standingIn(world, hk, "HKD")).toMatchObject({ exposure: 0n, liquidity: 100_000_000n });
    expect(balanceOf(world.state.balances, `${hk}:shortfall`, "HKD").postedDebit).toBe(60_000n);
    settle(
      world,
      bankLinesOf(nets, (_, name) => (name === hk ? { status: "rejected" } : {})),
    );
    expect([clearingOf(world, "HKD"), clearingOf(world, "PHP")]).toEqual([0n, 0n]);
    const back: BankLine = {
      reference: "B-2",
      account: accountOf(hk, "HKD"),
      currency: "HKD",
      side: "credit",
      amount: "700.00",
      status: "booked",
    };
    world.run([say.bankStatement(world.keys(), { reference: "D-2", lines: [back] })]);
    expect(balanceOf(world.state.balances, `${hk}:shortfall`, "HKD").postedCredit).toBe(60_000n);
    expect(standingIn(world, hk, "HKD").liquidity).toBe(100_010_000n);
    auditedWhole(world);
  });

  test("needs two operators, the deadline, a suspension, a debtor and the books' own amounts", () => {
    const { world, body } = overdue();
    const post = (change: Partial<WindowDefault> = {}, signing: say.Signing = {}) =>
      deadCodes(world.run([say.windowDefault(world.keys(), { ...body, ...change }, signing)]));
    expect(post({}, { signers: [testKeys.alice] })).toEqual(["signature-missing"]);
    expect(post()).toEqual(["not-overdue"]);
    world.run([], { atMs: world.nowMs() + dayMs });
    expect(post()).toEqual(["not-suspended"]);
    suspend(world);
    expect(post({ participant: ph })).toEqual(["not-suspended"]);
    const wrong = [{ currency: "HKD", cover: "1000.00", shortfall: "0.00" }];
    expect(post({ payments: wrong })).toEqual(["amount-mismatch"]);
    expect(post({ number: 3 })).toEqual(["window-unknown"]);
    expect(post()).toEqual([]);
    expect(post()).toEqual(["window-settled"]);
    auditedWhole(world);
  });
});
