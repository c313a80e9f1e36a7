import { data } from "currency-codes";
import { expect, test } from "vitest";
import { allCurrencies, currencyExponent, parseCurrency } from "./currency.ts";
import { CODES_BY_EXPONENT } from "./currency-table.ts";

/** Codes for which ISO 4217 says "N.A." instead of a minor unit; `currency-codes` says 0. */
const WITHOUT_MINOR_UNIT = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split(" ");
/** What ISO decided after 2024-06-25, the date of the data in `currency-codes`. */
const WITHDRAWN = ["ANG", "BGN", "CUC"];
const ADDED = ["XAD", "XCG"];

test("has the decimals of ISO 4217 for each currency", () => {
  const excluded = new Set([...WITHOUT_MINOR_UNIT, ...WITHDRAWN]);
  const expected = data.filter(({ code }) => !excluded.has(code));
  expect(expected.length).toBeGreaterThan(150);
  for (const { code, digits } of expected) {
    const currency = parseCurrency(code);
    expect(currency).toBe(code);
    expect(`${code} ${currency && currencyExponent(currency)}`).toBe(`${code} ${digits}`);
  }
  const codes = new Set(data.map(({ code }) => code));
  expect(allCurrencies().filter((code) => !codes.has(code))).toEqual(ADDED);
});

test("names every exception: each is in the published data", () => {
  const codes = new Set(data.map(({ code }) => code));
  expect([...WITHOUT_MINOR_UNIT, ...WITHDRAWN].filter((code) => !codes.has(code))).toEqual([]);
});

test("knows 0, 2, 3 and 4 decimals", () => {
  const exponents = ["JPY", "HKD", "PHP", "BHD", "CLF"].map((code) =>
    currencyExponent(parseCurrency(code)!),
  );
  expect(exponents).toEqual([0, 2, 2, 3, 4]);
});

test.each([...WITHOUT_MINOR_UNIT, ...WITHDRAWN, "", "hkd", "HK", "HKDD", " HKD", "ZZZ", "344"])(
  "accepts no amount in %j",
  (code) => {
    expect(parseCurrency(code)).toBeUndefined();
  },
);

test("lists each currency once, in order", () => {
  for (const [, codes] of CODES_BY_EXPONENT) {
    expect(codes.split(" ")).toEqual([...new Set(codes.split(" "))].toSorted());
  }
  expect(new Set(allCurrencies()).size).toBe(allCurrencies().length);
});
