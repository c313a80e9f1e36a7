import { makeLog } from "@sealane/rules/testing";
import { expect, it } from "vitest";
import { percentOf, positionsOf, type BalancesBody } from "./positions.ts";

const state = makeLog().keyLog.history().states.at(-1)!;

const account = (name: string, currency: string, debits: string, credits: string) => ({
  account: name,
  currency,
  debits,
  credits,
});

/** The transfer that is worked out in the README of protocol, after advances. */
const body: BalancesBody = {
  asOf: 12,
  sealedSize: 12,
  balances: [
    account("hk-wallet.example:liquidity", "HKD", "0.00", "5000.00"),
    account("fx-desk.example:liquidity", "PHP", "0.00", "10000.00"),
    account("sealane.example:advances", "HKD", "5000.00", "0.00"),
    account("sealane.example:advances", "PHP", "10000.00", "2500.00"),
    account("hk-wallet.example:position", "HKD", "1000.00", "0.00"),
    account("fx-desk.example:position", "HKD", "0.00", "995.00"),
    account("fx-desk.example:position", "PHP", "8035.56", "0.00"),
    account("ph-wallet.example:position", "PHP", "0.00", "8035.56"),
    account("sealane.example:fees", "HKD", "0.00", "5.00"),
  ],
};
const answer = positionsOf(body, state);
const rowOf = (participant: string, currency: string) =>
  answer.rows.find((row) => row.participant === participant && row.currency === currency);

it("shows what a participant owes, and its headroom by the rule of the lane", () => {
  expect(rowOf("hk-wallet.example", "HKD")).toMatchObject({
    owes: "1000.00",
    isOwed: "0.00",
    liquidity: "5000.00",
    headroom: "4000.00",
    headroomPercent: 80,
  });
});

it("does not count what is owed to a gross participant as headroom", () => {
  expect(rowOf("ph-wallet.example", "PHP")).toMatchObject({
    owes: "0.00",
    isOwed: "8035.56",
    liquidity: "0.00",
    headroom: "0.00",
  });
});

it("shows every currency that a liquidity provider holds", () => {
  expect(rowOf("fx-desk.example", "HKD")).toMatchObject({ isOwed: "995.00" });
  expect(rowOf("fx-desk.example", "PHP")).toMatchObject({ owes: "8035.56", headroom: "1964.44" });
});

it("shows what no bank's statement covers as unbacked", () => {
  expect(answer.unbacked).toEqual([
    { currency: "HKD", amount: "5000.00", liquidity: "5000.00", percent: 100 },
    { currency: "PHP", amount: "7500.00", liquidity: "10000.00", percent: 75 },
  ]);
});

it("says by how much the books are off", () => {
  expect(answer.sums).toContainEqual({ currency: "HKD", difference: "0.00" });
  expect(answer.sums).toContainEqual({ currency: "PHP", difference: "-2500.00" });
});

it.each([
  [1n, 0n, 0],
  [-5n, 10n, 0],
  [999n, 1_000n, 99],
  [2_000n, 1_000n, 100],
])("calls %d of %d %d percent", (part, whole, percent) => {
  expect(percentOf(part, whole)).toBe(percent);
});
