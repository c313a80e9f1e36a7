import { expect, it } from "vitest";
import {
  ageText,
  agoText,
  clockText,
  durationText,
  groupDigits,
  netText,
  shortId,
} from "./format.ts";

it.each([
  ["0.00", "0.00"],
  ["999", "999"],
  ["1000", "1,000"],
  ["-1234567.8", "-1,234,567.8"],
  // More digits than a float holds, and four decimals that are no thousands.
  ["90071992547409931234.5678", "90,071,992,547,409,931,234.5678"],
])("groups the digits of %s as text", (amount, shown) => {
  expect(groupDigits(amount)).toBe(shown);
});

it.each([
  [0, "0 ms"],
  [4.23, "4.2 ms"],
  [110, "110 ms"],
  [3_140, "3.1 s"],
  [59_900, "60 s"],
  [720_000, "12 min"],
  [86_400_000, "24 h"],
  [864_000_000, "10 d"],
])("writes %d ms as %s", (ms, shown) => {
  expect(durationText(ms)).toBe(shown);
});

it("never says that something happened in the future", () => {
  expect(agoText(5_000, 4_000)).toBe("now");
  expect(agoText(0, 5_900)).toBe("5 s ago");
});

it("shows the day only where it is another one", () => {
  const nowMs = Date.parse("2026-11-22T16:00:00.000Z");
  expect(clockText("2026-11-22T15:59:01.120Z", nowMs)).toBe("15:59:01.120");
  expect(clockText("2026-11-21T15:59:01.000Z", nowMs)).toBe("2026-11-21 15:59:01");
});

it("shortens an id at both ends", () => {
  expect(shortId("5137dbb5-feab-4322-97f0-44a8b18cfb11")).toBe("5137dbb5…fb11");
});

it.each([
  [8, "8 s"],
  [3_599, "59 min"],
  [7_260, "2 h 1 min"],
  [100_800, "1 d 4 h"],
])("writes an age of %d s as %s", (seconds, shown) => {
  expect(ageText(seconds)).toBe(shown);
});

it.each([
  ["995.00", "5.00", "1000.00", "0.00"],
  ["0.00", "0.05", "1.00", "-0.95"],
  ["90071992547409931234.56", "0.00", "0.01", "90071992547409931234.55"],
  ["7", "0", "9", "-2"],
])("nets %s and fees %s less %s to %s", (credits, fees, debits, net) => {
  expect(netText(credits, fees, debits)).toBe(net);
});
