import { expect, test } from "vitest";
import { convert, exactResidue, feeAt, invertedAmount } from "./convert.ts";
import type { Rate } from "./rate.ts";
import { BHD, CLF, HKD, JPY, PHP, rate } from "./test-currencies.ts";

/** Conversions on which floats were off by one minor unit. */
test.each([
  ["5.0013", 10_000n, 50_013n],
  ["5.0036", 10_000n, 50_036n],
  ["1.0", 9_007_199_254_740_993n, 9_007_199_254_740_993n],
])("converts at %s exactly where a float does not", (text, minor, expected) => {
  expect(convert(minor, HKD, PHP, rate(text), "down")).toEqual({ minor: expected, residue: "0" });
});

test("rounds as named, and states what rounding took away", () => {
  const r = rate("8.1165");
  expect(convert(12_345n, HKD, PHP, r, "down")).toEqual({ minor: 100_198n, residue: "0.001925" });
  expect(convert(12_345n, HKD, PHP, r, "up")).toEqual({ minor: 100_199n, residue: "-0.008075" });
  expect(convert(12_345n, HKD, PHP, r, "half-even")).toEqual({
    minor: 100_198n,
    residue: "0.001925",
  });
  expect(convert(1n, HKD, PHP, rate("0.5"), "half-even")).toEqual({ minor: 0n, residue: "0.005" });
  expect(convert(3n, HKD, PHP, rate("0.5"), "half-even")).toEqual({ minor: 2n, residue: "-0.005" });
});

test("converts between currencies of other decimals", () => {
  expect(convert(1n, JPY, CLF, rate("2"), "down")).toEqual({ minor: 20_000n, residue: "0" });
  expect(convert(10_000n, CLF, JPY, rate("2"), "down")).toEqual({ minor: 2n, residue: "0" });
  expect(convert(9_999n, CLF, JPY, rate("1"), "down")).toEqual({ minor: 0n, residue: "0.9999" });
  expect(convert(1n, BHD, JPY, rate("390.123"), "down")).toEqual({
    minor: 0n,
    residue: "0.390123",
  });
  expect(convert(0n, HKD, PHP, rate("8"), "up")).toEqual({ minor: 0n, residue: "0" });
});

test("finds the smallest amount that converts to at least the target", () => {
  expect(invertedAmount(811_650n, HKD, PHP, rate("8.1165"))).toBe(100_000n);
  expect(invertedAmount(811_651n, HKD, PHP, rate("8.1165"))).toBe(100_001n);
  expect(invertedAmount(0n, HKD, PHP, rate("8"))).toBe(0n);
  expect(invertedAmount(1n, JPY, HKD, rate("0.05"))).toBe(1n);
});

test("rounds fees up to the published amounts", () => {
  expect(feeAt(50_000n, "41", "up")).toBe(205n);
  expect(feeAt(100_000n, "41", "up")).toBe(410n);
  expect(feeAt(100_001n, "41", "up")).toBe(411n);
  expect(feeAt(100_001n, "41", "down")).toBe(410n);
  expect(feeAt(100_000n, "37.5", "up")).toBe(375n);
  expect(feeAt(100_000n, "0", "up")).toBe(0n);
  expect(feeAt(0n, "41", "up")).toBe(0n);
});

test("states what stays behind when another amount is paid out", () => {
  expect(exactResidue(100_000n, HKD, PHP, rate("8.1165"), 811_600n)).toBe("0.5");
  expect(exactResidue(100_000n, HKD, PHP, rate("8.1165"), 811_651n)).toBe("-0.01");
});

test("refuses negative amounts and forged rates", () => {
  const negative = expect.objectContaining({ code: "amount-negative" }) as Error;
  expect(() => convert(-1n, HKD, PHP, rate("8"), "down")).toThrow(negative);
  expect(() => invertedAmount(-1n, HKD, PHP, rate("8"))).toThrow(negative);
  expect(() => feeAt(-1n, "41", "up")).toThrow(negative);
  expect(() => convert(1n, HKD, PHP, "8.10" as Rate, "down")).toThrow(
    expect.objectContaining({ code: "rate-malformed" }) as Error,
  );
  expect(() => feeAt(1n, "41bp", "up")).toThrow(
    expect.objectContaining({ code: "basis-points-malformed" }) as Error,
  );
});
