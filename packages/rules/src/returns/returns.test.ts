// Returns, recalls and cancellations of what was committed: what is posted, what is refused and why, and
// that an audit of the log finds the same.
import { describe, expect, it } from "vitest";
import type { LaneCommand } from "../commands.ts";
import { parseTime } from "@sealane/protocol";
import {
  audit,
  fx,
  hk,
  makeFundedWorld,
  operator,
  origin,
  ph,
  refuseRecall,
  say,
  testKeys,
  type World,
} from "../testing/index.ts";
import { cancelPeriodMs, returnPeriodMs } from "./state.ts";

/** Cover for who gives money back, and one committed transfer of HKD 1,000.00. */
const begin = (options: Parameters<typeof makeFundedWorld>[0] = {}) => {
  const world = makeFundedWorld(options);
  const keys = world.keys();
  world.run([
    say.advance(keys, { key: "ph", participant: ph, currency: "PHP", amount: "100000.00" }),
    say.advance(keys, { key: "fx", participant: fx, currency: "HKD", amount: "100000.00" }),
  ]);
  const id = world.transfer({ key: "t" });
  return { world, id };
};

const refusalOf = (world: World, command: LaneCommand, atMs?: number): string | undefined => {
  const { outcome } = world.run([command], atMs === undefined ? {} : { atMs });
  return outcome.refusals[0]?.code ?? outcome.deadLetters[0]?.code;
};

const posted = (world: World, command: LaneCommand) => {
  const { outcome } = world.run([command]);
  expect(outcome.refusals).toEqual([]);
  return outcome.entries[0]?.postings.map(({ debit, credit, currency, amount }) =>
    [debit, credit, currency, amount].join(" "),
  );
};

const stands = (world: World): void =>
  expect(audit(world, world.entries)).toBe(world.entries.length);

// Sent 1000.00, fee 2.00, converted 998.00, at 7.25 received PHP 7235.50.
describe("a full return at the original rate", () => {
  it("turns the conversion round, to the cent, and the payer bears the fee", () => {
    const { world, id } = begin();
    expect(posted(world, world.giveBack(id))).toEqual([
      `${ph}:position ${fx}:position PHP 7235.50`,
      `${fx}:position ${hk}:position HKD 998.00`,
    ]);
    const { balances } = world.state;
    expect(balances.get(`${ph}:position PHP`)).toMatchObject({ postedDebit: 723_550n });
    expect(balances.get(`${fx}:position HKD`)).toMatchObject({
      postedDebit: 99_800n,
      postedCredit: 99_800n,
    });
    stands(world);
  });

  it("gives the fee back too, at the payee's cost or at the earner's", () => {
    const payee = begin();
    expect(posted(payee.world, payee.world.giveBack(payee.id, { bearer: "payee" }))).toEqual([
      `${ph}:position ${fx}:position PHP 7235.50`,
      `${ph}:position ${fx}:position PHP 14.50`,
      `${fx}:position ${hk}:position HKD 998.00`,
      `${fx}:position ${hk}:position HKD 2.00`,
    ]);
    stands(payee.world);
    const returns = { rates: ["original" as const], bearers: ["earner" as const] };
    const earner = begin({ policy: { returns } });
    expect(posted(earner.world, earner.world.giveBack(earner.id, { bearer: "earner" }))).toEqual([
      `${ph}:position ${fx}:position PHP 7235.50`,
      `${fx}:position ${hk}:position HKD 998.00`,
      `${operator}:position ${hk}:position HKD 2.00`,
    ]);
    stands(earner.world);
  });

  it("is told to all three, and owed to the payer's customer until its provider says so", () => {
    const { world, id } = begin();
    const made = world.giveBack(id);
    const { outcome } = world.run([made]);
    expect([...outcome.inbox.keys()].toSorted()).toEqual([fx, hk, ph]);
    expect(world.state.uncredited.get(hk)).toMatchObject([{ id: made.body.id, payer: ph }]);
    const n = (world.chains.get(hk)?.length ?? 0) - 1;
    const credit = say.credited(
      world.keys(),
      { participant: hk, upTo: n, head: world.chains.get(hk)?.[n] ?? "" },
      { signers: [testKeys.hk] },
    );
    expect([...world.run([credit]).outcome.inbox.keys()].toSorted()).toEqual([hk, ph]);
    expect(world.state.uncredited.get(hk)).toEqual([]);
    stands(world);
  });

  it("belongs to the window of its corridor, like the transfer", () => {
    const { world, id } = begin({ corridor: {} });
    world.run([world.giveBack(id)]);
    expect(world.state.settlement.open.get("hkd-php")?.transfers).toBe(2);
    const { outcome } = world.run([say.windowCut(world.keys(), { number: 0 })]);
    const totals = outcome.entries.slice(1).map(({ inner }) => inner.split("\n")[1]);
    expect(totals.join()).toContain('"participant":"ph-wallet.example"');
    stands(world);
  });

  it("happens once, however often it arrives", () => {
    const { world, id } = begin();
    const made = world.giveBack(id);
    world.run([made]);
    const size = world.entries.length;
    const { outcome } = world.run([made, made]);
    expect(outcome.inbox.get(ph)).toEqual([
      { type: "entry", seq: size - 1 },
      { type: "entry", seq: size - 1 },
    ]);
    expect(world.entries).toHaveLength(size);
  });
});

describe("partial returns", () => {
  it("give back together exactly what was converted, however they are cut", () => {
    const { world, id } = begin();
    for (const [key, amount] of [
      ["a", "0.33"],
      ["b", "3000.01"],
      ["c", "17.00"],
      ["d", undefined],
    ] as const) {
      const options = amount === undefined ? { key } : { key, amount };
      expect(world.run([world.giveBack(id, options)]).outcome.refusals).toEqual([]);
    }
    expect(world.state.balances.get(`${fx}:position HKD`)).toMatchObject({ postedDebit: 99_800n });
    expect(world.state.balances.get(`${fx}:position PHP`)).toMatchObject({
      postedDebit: 723_550n,
      postedCredit: 723_550n,
    });
    stands(world);
  });

  it("signed at the same time do not both count", () => {
    const { world, id } = begin();
    const [one, other] = ["a", "b"].map((key) => world.giveBack(id, { key, amount: "5000.00" }));
    const { outcome } = world.run([one as LaneCommand, other as LaneCommand]);
    expect(outcome.entries).toHaveLength(1);
    expect(outcome.refusals).toMatchObject([{ code: "return-conflict", final: true }]);
    expect(refusalOf(world, world.giveBack(id, { key: "c", amount: "2235.51" }))).toBe(
      "return-exceeds",
    );
    stands(world);
  });
});

type Case = readonly [code: string, make: (world: World, id: string) => LaneCommand];

describe("a return is refused", () => {
  const cases: readonly Case[] = [
    ["signature-wrong", (world, id) => world.giveBack(id, {}, { forged: true })],
    ["signature-missing", (world, id) => world.giveBack(id, {}, { signers: [testKeys.hk] })],
    ["wrong-log", (world, id) => world.giveBack(id, {}, { origin: `${origin}0` })],
    [
      "wrong-lane-free id of another",
      (world, id) => world.giveBack(id, { id: world.transfer({ key: "other" }) }),
    ],
    ["original-unknown", (world, id) => world.giveBack(id, {}, { inner: world.entries[0] })],
    [
      "original-unknown",
      (world, id) => {
        const other = world.originalOf(world.transfer({ key: "other" }));
        const { seq, hash } = other;
        return world.giveBack(id, { original: { id, seq, hash } });
      },
    ],
    [
      "return-not-yours",
      (world, id) => world.giveBack(id, { participant: hk }, { signers: [testKeys.hk] }),
    ],
    ["return-exceeds", (world, id) => world.giveBack(id, { amount: "7235.51" })],
    ["amount-invalid", (world, id) => world.giveBack(id, { amount: "7235.5" })],
    ["return-conflict", (world, id) => world.giveBack(id, { amount: "1.00", before: "1.00" })],
    [
      "amount-mismatch",
      (world, id) => world.giveBack(id, { back: { currency: "HKD", amount: "998.01" } }),
    ],
    [
      "amount-mismatch",
      (world, id) => world.giveBack(id, { back: { currency: "PHP", amount: "998.00" } }),
    ],
    ["return-terms", (world, id) => world.giveBack(id, { bearer: "earner" })],
    ["return-terms", (world, id) => world.giveBack(id, { rate: "today" })],
    ["recall-unknown", (world, id) => world.giveBack(id, { recall: id })],
  ];
  it.each(cases)("with %s", (code, make) => {
    const { world, id } = begin();
    const command = make(world, id);
    const expected = code.startsWith("wrong-lane-free") ? "signature-missing" : code;
    expect(refusalOf(world, command)).toBe(expected);
    stands(world);
  });

  it("after 30 days, and what was remembered of it is forgotten", () => {
    const { world, id } = begin();
    world.run([world.giveBack(id, { amount: "1.00" })]);
    const { timeMs } = world.originalOf(id);
    const late = world.giveBack(id, { key: "late" });
    expect(refusalOf(world, late, timeMs + returnPeriodMs + 1)).toBe("return-late");
    world.publishSheet();
    const next = world.transfer({ key: "next" });
    world.run([world.giveBack(next)], { atMs: world.nowMs() + 10_000 });
    expect([...world.state.settlement.returned.keys()]).toEqual([next]);
    stands(world);
  });

  it("beyond the cover of who gives it back, or of who converts it", () => {
    for (const [who, currency, code] of [
      [ph, "PHP", "insufficient-funds"],
      [fx, "HKD", "insufficient-liquidity"],
    ] as const) {
      const world = makeFundedWorld();
      const id = world.transfer({ key: "t" });
      const other = who === ph ? fx : ph;
      const its = other === ph ? "PHP" : "HKD";
      const keys = world.keys();
      const cover = { key: "c", participant: other, currency: its, amount: "100000.00" };
      const little = { key: "l", participant: who, currency, amount: "997.99" };
      world.run([say.advance(keys, cover), say.advance(keys, little)]);
      expect(refusalOf(world, world.giveBack(id))).toBe(code);
    }
  });

  it("while a party is suspended, and while nothing new is reserved", () => {
    const { world, id } = begin();
    const { outcome } = world.run([world.giveBack(id)], { mayReserve: false });
    expect(outcome.refusals).toMatchObject([{ code: "lane-unsealed", final: false }]);
    world.keyLog.log(
      "suspension",
      { participant: hk, suspended: true, reason: "drill" },
      [testKeys.alice],
      world.nowMs(),
    );
    expect(refusalOf(world, world.giveBack(id))).toBe("payee-suspended");
  });
});

describe("today's rate", () => {
  const withSheet = () => {
    const { world, id } = begin();
    const pair = { from: "PHP", to: "HKD" };
    const sheet = say.rateSheet(
      world.keys(),
      say.makeSheet({ pair, rate: "0.14", number: 1 }, world.nowMs()),
    );
    world.run([sheet]);
    const cited = { provider: fx, number: 1, hash: say.sheetHash(sheet) };
    return { world, id, cited };
  };
  const back = (amount: string) => ({ currency: "HKD", amount });

  it("converts at a sheet of now, rounded down, and uses its total", () => {
    const { world, id, cited } = withSheet();
    const made = world.giveBack(id, { rate: "today", sheet: cited, back: back("1012.97") });
    expect(posted(world, made)).toEqual([
      `${ph}:position ${fx}:position PHP 7235.50`,
      `${fx}:position ${hk}:position HKD 1012.97`,
    ]);
    expect(world.state.sheets.get(`${fx} PHP/HKD`)?.[0]?.usedMinor).toBe(723_550n);
    stands(world);
  });

  it("is refused at another price, without a sheet that holds, or where policy has none", () => {
    const { world, id, cited } = withSheet();
    const at = (options: Parameters<World["giveBack"]>[1]) =>
      refusalOf(world, world.giveBack(id, { rate: "today", sheet: cited, ...options }));
    expect(at({ key: "a", back: back("1012.98") })).toBe("amount-mismatch");
    expect(at({ key: "b", back: back("1012.97"), sheet: { ...cited, number: 2 } })).toBe(
      "sheet-unknown",
    );
    expect(at({ key: "c", back: back("1012.97"), bearer: "payee" })).toBe("return-terms");
    const { body } = world.sheet();
    const until = parseTime(body.honourUntil) + 60_000;
    const late = world.giveBack(id, {
      key: "d",
      rate: "today",
      sheet: cited,
      back: back("1012.97"),
    });
    expect(refusalOf(world, late, until)).toBe("sheet-expired");
    stands(world);
  });
});

describe("a recall", () => {
  it("is told to both, and answered by a return that names it", () => {
    const { world, id } = begin();
    const asked = world.recall(id, { reason: "DUPL" });
    const { outcome } = world.run([asked]);
    expect([...outcome.inbox.keys()].toSorted()).toEqual([hk, ph]);
    const recall = asked.body.id;
    expect(posted(world, world.giveBack(id, { recall, reason: "FOCR" }))).toHaveLength(2);
    expect(world.state.settlement.recalls.size).toBe(0);
    stands(world);
  });

  it("is refused with a reason, once", () => {
    const { world, id } = begin();
    const asked = world.recall(id);
    world.run([asked]);
    const answer = refuseRecall(world.keys(), asked, { reason: "CUST" });
    expect(world.run([answer]).outcome.entries).toHaveLength(1);
    expect(refusalOf(world, answer)).toBe("recall-unknown");
    stands(world);
  });

  it("is open one at a time, and closed when nothing is left to return", () => {
    const { world, id } = begin();
    world.run([world.recall(id)]);
    expect(refusalOf(world, world.recall(id, { key: "again" }))).toBe("recall-open");
    world.run([world.giveBack(id)]);
    expect(world.state.settlement.recalls.size).toBe(0);
    expect(refusalOf(world, world.recall(id, { key: "third" }))).toBe("return-exceeds");
    stands(world);
  });

  const cases: readonly Case[] = [
    [
      "return-not-yours",
      (world, id) => world.recall(id, { participant: ph }, { signers: [testKeys.ph] }),
    ],
    ["signature-missing", (world, id) => world.recall(id, {}, { signers: [testKeys.ph] })],
    ["return-exceeds", (world, id) => world.recall(id, { amount: "7235.51" })],
    ["original-unknown", (world, id) => world.recall(id, {}, { inner: world.entries[1] })],
    ["not-cancellable", (world, id) => world.recall(id, { cancel: true, amount: "1.00" })],
  ];
  it.each(cases)("is not taken with %s", (code, make) => {
    const { world, id } = begin();
    expect(refusalOf(world, make(world, id))).toBe(code);
    stands(world);
  });
});

describe("the sender's cancellation of what was committed", () => {
  const whole = { bearer: "earner", reason: "FOCR" } as const;

  it("is answered by all of it with the fee, whatever policy says of fees", () => {
    const { world, id } = begin();
    const asked = world.recall(id, { cancel: true });
    world.run([asked]);
    const recall = asked.body.id;
    expect(refusalOf(world, world.giveBack(id, { key: "a", recall }))).toBe("recall-binding");
    expect(posted(world, world.giveBack(id, { key: "b", recall, ...whole }))).toEqual([
      `${ph}:position ${fx}:position PHP 7235.50`,
      `${fx}:position ${hk}:position HKD 998.00`,
      `${operator}:position ${hk}:position HKD 2.00`,
    ]);
    stands(world);
  });

  it("is decided by log order: not after it was paid out, and refused only after", () => {
    const first = begin();
    const covered = first.world.originalOf(first.id).payeeN;
    first.world.run([first.world.credit(ph, covered)]);
    expect(refusalOf(first.world, first.world.recall(first.id, { cancel: true }))).toBe(
      "not-cancellable",
    );
    const { world, id } = begin();
    const asked = world.recall(id, { cancel: true });
    world.run([asked]);
    const no = refuseRecall(world.keys(), asked, { reason: "ARDT" });
    expect(refusalOf(world, no)).toBe("not-paid-out");
    const n = world.originalOf(id).payeeN;
    world.run([world.credit(ph, n)]);
    expect(world.run([no]).outcome.entries).toHaveLength(1);
    stands(world);
  });

  it("is possible for 30 minutes, and takes the place of a recall that is open", () => {
    const { world, id } = begin();
    world.run([world.recall(id)]);
    const { timeMs } = world.originalOf(id);
    const just = world.recall(id, { key: "now", cancel: true });
    expect(refusalOf(world, just, timeMs + cancelPeriodMs)).toBeUndefined();
    expect(world.state.settlement.recalls.get(id)).toMatchObject({ cancel: true });
    const other = begin();
    const late = other.world.recall(other.id, { cancel: true });
    const at = other.world.originalOf(other.id).timeMs + cancelPeriodMs + 1;
    expect(refusalOf(other.world, late, at)).toBe("not-cancellable");
    stands(world);
  });
});
