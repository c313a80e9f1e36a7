// Banks' statements that are longer than an entry: handed in together, logged one behind the other, and
// taken or refused as the one statement that they are; every log is audited afterwards.
import { bankStatementSchema, liquiditySchema, type BankLine } from "@sealane/protocol";
import { describe, expect, test } from "vitest";
import {
  accountOf,
  audit,
  balanceIn,
  bankLinesOf,
  bodiesOf,
  cut,
  deadCodes,
  hk,
  innerKinds,
  makeSettlingWorld,
  netsOf,
  putTogether,
  say,
  takeApart,
  testKeys,
  worldWithTransfer,
  type World,
} from "../testing/index.ts";

const deposits = (count: number): BankLine[] =>
  Array.from({ length: count }, (_, at) => ({
    reference: `IN-${at}`,
    account: accountOf(hk, "HKD"),
    currency: "HKD",
    side: "credit",
    amount: "10.00",
    status: "booked",
  }));

const partsOf = (world: World, lines: BankLine[], size = 100) =>
  say.statementParts(world.keys(), { lines }, size);

describe("a bank's statement in parts", () => {
  test("is logged part behind part, and means what all of its lines say", () => {
    const world = makeSettlingWorld();
    const before = balanceIn(world, `${hk}:liquidity`, "HKD");
    const batch = world.run([say.handedIn(partsOf(world, deposits(250)))]);
    expect(innerKinds(batch)).toEqual([
      ...Array(3).fill("bank-statement"),
      ...Array(4).fill("liquidity"),
    ]);
    const [first, , last] = bodiesOf(batch, bankStatementSchema, "bank-statement");
    expect(first?.digest).toBe(last?.digest);
    expect(last?.part).toMatchObject({ number: 3, of: 3 });
    const taken = bodiesOf(batch, liquiditySchema, "liquidity");
    expect(taken.map(({ lines }) => lines.length)).toEqual([64, 64, 64, 58]);
    // The place of its last part: with it the statement is whole.
    expect(taken[0]?.statement.seq).toBe(batch.outcome.entries[2]?.seq);
    expect(balanceIn(world, `${hk}:liquidity`, "HKD") - before).toBe(250_000n);
    expect(audit(world, world.entries)).toBe(world.entries.length);
  });

  test("settles a window as one whole statement does", () => {
    const world = worldWithTransfer();
    const lines = bankLinesOf(netsOf(cut(world)));
    const window = { corridor: "hkd-php", number: 0, attempt: 0 };
    const parts = say.statementParts(world.keys(), { window, lines }, 2);
    const batch = world.run([say.handedIn(parts)]);
    expect(innerKinds(batch).filter((kind) => kind === "settlement")).toHaveLength(4);
    // The same once more is no harm, and nothing new.
    const again = world.run([say.handedIn(parts)]);
    expect([again.outcome.entries.length, deadCodes(again)]).toEqual([0, []]);
    expect(audit(world, world.entries)).toBe(world.entries.length);
  });

  test("is refused whole for a line in its last part", () => {
    const world = makeSettlingWorld();
    const lines = deposits(201);
    lines[200] = { ...(lines[200] as BankLine), account: "NOBODYS00" };
    const batch = world.run([say.handedIn(partsOf(world, lines))]);
    expect([batch.outcome.entries.length, deadCodes(batch)]).toEqual([0, ["account-unknown"]]);
    const twice = [...deposits(100), ...deposits(1)];
    expect(deadCodes(world.run([say.handedIn(partsOf(world, twice))]))).toEqual(["line-twice"]);
  });

  test.each([
    ["its last part left out", (all: Parts) => all.slice(0, 2), "part-missing"],
    ["a part in the middle left out", ([a, , c]: Parts) => [a, c], "part-mismatch"],
    ["two parts turned", ([a, b, c]: Parts) => [a, c, b], "part-mismatch"],
    ["its first part alone", ([a]: Parts) => [a], "part-missing"],
    ["only its last part", (all: Parts) => all.slice(2), "part-mismatch"],
    ["a part twice", ([a, b, c]: Parts) => [a, b, b, c], "part-mismatch"],
  ])("is refused with %s", (_what, change, code) => {
    const world = makeSettlingWorld();
    const parts = partsOf(world, deposits(250));
    const some = change(parts).filter((part) => part !== undefined);
    const batch = world.run([say.handedIn(some)]);
    expect([batch.outcome.entries.length, deadCodes(batch)]).toEqual([0, [code]]);
  });

  test("is refused with a part of another statement, or one that the bank has not signed", () => {
    const world = makeSettlingWorld();
    const [first, second] = partsOf(world, deposits(150));
    const other = { lines: deposits(150), reference: "STATEMENT-2" };
    const [, strange] = say.statementParts(world.keys(), other, 100);
    const forged = say.statementParts(world.keys(), { lines: deposits(150) }, 100, {
      signers: [testKeys.hk],
    })[1];
    if (first === undefined || second === undefined) throw new Error("no parts");
    const codes = [strange, forged].map((part) =>
      deadCodes(world.run([say.handedIn([first, part ?? second])])),
    );
    expect(codes).toEqual([["part-mismatch"], ["signature-missing"]]);
    expect(world.run([say.handedIn([first, second])]).outcome.entries).toHaveLength(5);
  });

  test("may not be torn apart in the log", () => {
    const world = makeSettlingWorld();
    const at = world.entries.length;
    world.run([say.handedIn(partsOf(world, deposits(250)))]);
    world.publishSheet();
    const pieces = world.entries.map(takeApart);
    const without = (...places: number[]) =>
      audit(world, putTogether(pieces.filter((_, place) => !places.includes(place - at))));
    expect(without()).toBe(world.entries.length);
    expect(without(1)).toEqual({ position: at + 1, code: "part-mismatch" });
    expect(without(2, 3, 4, 5)).toEqual({ position: at + 2, code: "part-missing" });
    expect(without(0)).toEqual({ position: at, code: "part-mismatch" });
  });
});

describe("a statement of one part", () => {
  test("with more than accounts can hold is refused", () => {
    const world = makeSettlingWorld();
    const lines = deposits(100).map((line) => ({ ...line, amount: "999999999999999.00" }));
    const batch = world.run([say.bankStatement(world.keys(), { lines })]);
    expect(deadCodes(batch)).toEqual(["amount-too-large"]);
  });

  test("with more deposits than an entry can post gives several entries", () => {
    const world = makeSettlingWorld();
    const batch = world.run([say.bankStatement(world.keys(), { lines: deposits(100) })]);
    const taken = bodiesOf(batch, liquiditySchema, "liquidity");
    expect(taken.map(({ lines }) => lines.length)).toEqual([64, 36]);
    expect(audit(world, world.entries)).toBe(world.entries.length);
  });
});

type Parts = ReturnType<typeof partsOf>;
