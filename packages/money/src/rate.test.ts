import { expect, test } from "vitest";
import { compareRates, isBasisPoints, parseRate, scaledBasisPoints, scaledRate } from "./rate.ts";
import type { Rate } from "./rate.ts";
import { applySpread, crossRate } from "./derive-rate.ts";
import { rate } from "./test-currencies.ts";

test.each([
  ["8.1165", "8.1165"],
  ["8.1160", "8.116"],
  ["8.000", "8"],
  ["10", "10"],
  ["100.00", "100"],
  ["0.000000000001", "0.000000000001"],
  ["999999999999.999999999999", "999999999999.999999999999"],
])("reads %s as the canonical rate %s", (text, canonical) => {
  expect(parseRate(text)).toBe(canonical);
});

test.each([
  "0",
  "0.0",
  "-1",
  "+1",
  "01",
  "1.",
  ".1",
  "1e3",
  "1e-3",
  "NaN",
  "0x1",
  " 1",
  "1\n",
  "1000000000000",
  "0.0000000000001",
  "",
])("reads no rate from %j", (text) => {
  expect(parseRate(text)).toBeUndefined();
});

test("compares rates by value", () => {
  expect(compareRates(rate("8.1165"), rate("8.1165"))).toBe(0);
  expect(compareRates(rate("8.1165"), rate("8.12"))).toBe(-1);
  expect(compareRates(rate("10"), rate("9.999999999999"))).toBe(1);
  expect([rate("2"), rate("10"), rate("0.5")].toSorted(compareRates)).toEqual(["0.5", "2", "10"]);
});

test("refuses a rate that no parser made", () => {
  for (const forged of ["8.10", "1e3", "0", ""]) {
    expect(() => scaledRate(forged as Rate)).toThrow(
      expect.objectContaining({ code: "rate-malformed" }) as Error,
    );
  }
});

test("takes basis points of zero or more, with up to six decimals", () => {
  for (const text of ["0", "41", "37.5", "37.50", "999999.999999"]) {
    expect(isBasisPoints(text)).toBe(true);
  }
  for (const text of ["-1", "041", "1e1", "", "1.", "1000000", "0.0000001"]) {
    expect(isBasisPoints(text)).toBe(false);
    expect(() => scaledBasisPoints(text)).toThrow(
      expect.objectContaining({ code: "basis-points-malformed" }) as Error,
    );
  }
});

test("still knows rates after more of them than it remembers", () => {
  for (let at = 1; at < 3000; at += 1) expect(scaledRate(rate(`${at}`)).digits).toBe(BigInt(at));
});

test("divides reference rates: PHP per EUR by HKD per EUR, 2026-10-30", () => {
  expect(crossRate("71.143", "8.7652", 4, "half-even")).toBe("8.1165");
  expect(crossRate("71.143", "8.7652", 4, "down")).toBe("8.1165");
  expect(crossRate("71.143", "8.7652", 4, "up")).toBe("8.1166");
  expect(crossRate("71.143", "8.7652", 12, "down")).toBe("8.116529001049");
});

test("rounds quotients as named", () => {
  expect(crossRate("1", "3", 12, "up")).toBe("0.333333333334");
  expect(crossRate("2", "3", 4, "down")).toBe("0.6666");
  expect(crossRate("1", "8", 2, "half-even")).toBe("0.12");
  expect(crossRate("3", "8", 2, "half-even")).toBe("0.38");
  expect(crossRate("1", "1", 12, "up")).toBe("1");
  expect(crossRate("999999999999", "999999999998", 12, "up")).toBe("1.000000000002");
});

test("takes a spread off a rate", () => {
  expect(applySpread(rate("8.1165"), "25", 4, "down")).toBe("8.0962");
  expect(applySpread(rate("8.1165"), "25", 4, "up")).toBe("8.0963");
  expect(applySpread(rate("8.1165"), "0", 4, "down")).toBe("8.1165");
  expect(applySpread(rate("8"), "0.5", 12, "half-even")).toBe("7.9996");
});

test("refuses what would be no rate", () => {
  const outOfRange = expect.objectContaining({ code: "rate-out-of-range" }) as Error;
  const malformed = expect.objectContaining({ code: "rate-malformed" }) as Error;
  expect(() => crossRate("1", "999999999999", 4, "down")).toThrow(outOfRange);
  expect(() => crossRate("999999999999", "0.1", 4, "down")).toThrow(outOfRange);
  expect(() => crossRate("1", "1", 13, "down")).toThrow(outOfRange);
  expect(() => crossRate("1", "1", 1.5, "down")).toThrow(outOfRange);
  expect(() => applySpread(rate("1"), "10000", 4, "up")).toThrow(outOfRange);
  expect(() => applySpread(rate("1"), "10001", 4, "up")).toThrow(outOfRange);
  expect(() => crossRate("0", "1", 4, "down")).toThrow(malformed);
  expect(() => crossRate("1", "0", 4, "down")).toThrow(malformed);
  expect(() => crossRate("N/A", "1", 4, "down")).toThrow(malformed);
  expect(() => applySpread(rate("1"), "-5", 4, "down")).toThrow(
    expect.objectContaining({ code: "basis-points-malformed" }) as Error,
  );
});
