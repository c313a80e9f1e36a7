import { expect, test } from "vitest";
import { MAX_MINOR, formatAmount, parseAmount } from "./amount.ts";
import { BHD, CLF, HKD, JPY } from "./test-currencies.ts";

test.each([
  ["1000", HKD, 100_000n],
  ["1000.5", HKD, 100_050n],
  ["1000.50", HKD, 100_050n],
  ["0.01", HKD, 1n],
  ["999999999999999.99", HKD, 99_999_999_999_999_999n],
  ["1", JPY, 1n],
  ["0.001", BHD, 1n],
  ["1.2345", CLF, 12_345n],
  ["922337203685477.5807", CLF, MAX_MINOR],
])("reads %s %s as %d minor units", (text, currency, minor) => {
  expect(parseAmount(text, currency)).toEqual({ ok: true, minor });
});

test.each([
  ["", "amount-malformed"],
  ["-1", "amount-malformed"],
  ["+1", "amount-malformed"],
  ["01", "amount-malformed"],
  ["00", "amount-malformed"],
  ["1.", "amount-malformed"],
  [".5", "amount-malformed"],
  ["1,000", "amount-malformed"],
  ["1 000", "amount-malformed"],
  [" 1", "amount-malformed"],
  ["1\n", "amount-malformed"],
  ["1e3", "amount-malformed"],
  ["1e50000000", "amount-malformed"],
  ["0x10", "amount-malformed"],
  ["NaN", "amount-malformed"],
  ["Infinity", "amount-malformed"],
  ["1_000", "amount-malformed"],
  ["١", "amount-malformed"],
  ["1.0.0", "amount-malformed"],
  ["9".repeat(100_000), "amount-malformed"],
  ["1000000000000000", "amount-too-large"],
  ["1.001", "amount-too-many-decimals"],
  ["1.000", "amount-too-many-decimals"],
  ["0", "amount-zero"],
  ["0.00", "amount-zero"],
])("refuses %j as %s", (text, code) => {
  expect(parseAmount(text, HKD)).toMatchObject({ ok: false, code });
});

test("judges decimals by the currency", () => {
  expect(parseAmount("1.0", JPY)).toMatchObject({ code: "amount-too-many-decimals" });
  expect(parseAmount("1.001", BHD)).toMatchObject({ ok: true });
  expect(parseAmount("1.0001", BHD)).toMatchObject({ code: "amount-too-many-decimals" });
  expect(parseAmount("1.00001", CLF)).toMatchObject({ code: "amount-too-many-decimals" });
});

test("refuses more minor units than a 64-bit number holds", () => {
  expect(parseAmount("922337203685477.5808", CLF)).toMatchObject({ code: "amount-too-large" });
});

test("takes zero when told to", () => {
  expect(parseAmount("0", HKD, { allowZero: true })).toEqual({ ok: true, minor: 0n });
  expect(parseAmount("0.00", HKD, { allowZero: true })).toEqual({ ok: true, minor: 0n });
});

test.each([
  [100_000n, HKD, "1000.00"],
  [5n, HKD, "0.05"],
  [0n, HKD, "0.00"],
  [-5n, HKD, "-0.05"],
  [-123_456n, HKD, "-1234.56"],
  [0n, JPY, "0"],
  [-7n, JPY, "-7"],
  [1n, BHD, "0.001"],
  [12_345n, CLF, "1.2345"],
])("writes %d minor units of %s as %s", (minor, currency, text) => {
  expect(formatAmount(minor, currency)).toBe(text);
});
