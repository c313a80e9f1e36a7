import { makeLog } from "@sealane/rules/testing";
import { expect, it } from "vitest";
import { percentOf, positionsOf, type BalancesBody, type StandingsBody } from "./positions.ts";

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
const standing = (participant: string, currency: string, more: object) => ({
  participant,
  currency,
  liquidity: "0.00",
  unbacked: "0.00",
  pending: "0.00",
  headroom: "0.00",
  shortfall: "0.00",
  ...more,
});
const standings: StandingsBody = {
  asOf: 12,
  pendingKnown: true,
  positions: [
    standing("hk-wallet.example", "HKD", {
      liquidity: "5000.00",
      unbacked: "5000.00",
      headroom: "4000.00",
    }),
    standing("ph-wallet.example", "PHP", { headroom: "-12.00" }),
    standing("fx-desk.example", "HKD", {}),
    standing("fx-desk.example", "PHP", {
      liquidity: "10000.00",
      unbacked: "7500.00",
      cap: "4000.00",
      headroom: "1000.00",
    }),
  ],
};
const answer = positionsOf(body, standings, state);
const rowOf = (participant: string, currency: string) =>
  answer.rows.find((row) => row.participant === participant && row.currency === currency);

it("shows what a participant owes beside its cover, and how much of that is left", () => {
  expect(rowOf("hk-wallet.example", "HKD")).toMatchObject({
    role: "wallet",
    owes: "1000.00",
    isOwed: "0.00",
    liquidity: "5000.00",
    unbacked: "5000.00",
    headroom: "4000.00",
    headroomPercent: 80,
  });
});

it("shows no headroom, and not less than none, of a participant without cover", () => {
  expect(rowOf("ph-wallet.example", "PHP")).toMatchObject({
    owes: "0.00",
    isOwed: "8035.56",
    headroom: "-12.00",
    headroomPercent: 0,
  });
});

it("measures what is left against a cap that is below the cover", () => {
  expect(rowOf("fx-desk.example", "HKD")).toMatchObject({ isOwed: "995.00" });
  expect(rowOf("fx-desk.example", "PHP")).toMatchObject({ owes: "8035.56", headroomPercent: 25 });
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
