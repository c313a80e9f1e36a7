// The whole room against fractions of whole numbers, written here on their own: no scale, no
// cache, no closed form. Seeds are printed by fast-check when a property fails.
import { Decimal } from "decimal.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAmount, parseAmount } from "./amount.ts";
import { convert, feeAt, invertedAmount } from "./convert.ts";
import { currencyExponent } from "./currency.ts";
import type { Currency } from "./currency.ts";
import type { Rounding } from "./decimal-text.ts";
import { applySpread, crossRate } from "./derive-rate.ts";
import { quoteFixedReceive, quoteFixedSend } from "./quote.ts";
import { compareRates, parseRate } from "./rate.ts";
import { BHD, CLF, HKD, JPY, rate } from "./test-currencies.ts";

type Fraction = { readonly n: bigint; readonly d: bigint };

const fraction = (text: string): Fraction => {
  const [whole = "", decimals = ""] = text.replace("-", "").split(".");
  const n = BigInt(whole + decimals);
  return { n: text.startsWith("-") ? -n : n, d: 10n ** BigInt(decimals.length) };
};
const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
const minus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d - b.n * a.d, d: a.d * b.d });
const same = (a: Fraction, b: Fraction): boolean => a.n * b.d === b.n * a.d;
const floor = ({ n, d }: Fraction): bigint => (n - (((n % d) + d) % d)) / d;
const round = (value: Fraction, rounding: Rounding): bigint => {
  const low = floor(value);
  const above = minus(value, { n: low, d: 1n });
  if (above.n === 0n || rounding === "down") return low;
  if (rounding === "up") return low + 1n;
  const half = 2n * above.n - above.d;
  if (half !== 0n) return half > 0n ? low + 1n : low;
  return low % 2n === 0n ? low : low + 1n;
};
const unit = (currency: Currency): bigint => 10n ** BigInt(currencyExponent(currency));

const currencies = fc.constantFrom(JPY, HKD, BHD, CLF);
const roundings = fc.constantFrom<Rounding>("down", "up", "half-even");
const minors = fc.oneof(
  fc.bigInt({ min: 0n, max: 2000n }),
  fc.bigInt({ min: 0n, max: 10n ** 15n }),
  fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
);
const rates = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.integer({ min: 0, max: 12 }))
  .map(([digits, scale]) => {
    const text = digits.toString().padStart(scale + 1, "0");
    const point = text.length - scale;
    return parseRate(scale === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`);
  })
  .filter((parsed) => parsed !== undefined);
const basisPoints = fc
  .tuple(fc.integer({ min: 0, max: 9999 }), fc.integer({ min: 0, max: 999 }))
  .map(([whole, part]) => (part === 0 ? `${whole}` : `${whole}.${String(part).padStart(3, "0")}`));

test("converts as fractions do, with the exact residue", () => {
  fc.assert(
    fc.property(
      minors,
      currencies,
      currencies,
      rates,
      roundings,
      (minor, from, to, r, rounding) => {
        const exactMajor = times({ n: minor, d: unit(from) }, fraction(r));
        const exactMinor = times(exactMajor, { n: unit(to), d: 1n });
        const converted = convert(minor, from, to, r, rounding);
        expect(converted.minor).toBe(round(exactMinor, rounding));
        const residue = minus(exactMajor, { n: converted.minor, d: unit(to) });
        expect(same(fraction(converted.residue), residue)).toBe(true);
        expect(converted.residue).toMatch(/^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/);
      },
    ),
    { numRuns: 1000 },
  );
});

test("converts as decimal.js does at 80 digits", () => {
  const Exact = Decimal.clone({ precision: 80 });
  fc.assert(
    fc.property(minors, currencies, currencies, rates, (minor, from, to, r) => {
      const major = new Exact(minor.toString()).div(unit(from).toString()).times(r);
      const whole = major.times(unit(to).toString()).toDecimalPlaces(0, Decimal.ROUND_DOWN);
      expect(convert(minor, from, to, r, "down").minor.toString()).toBe(whole.toFixed());
    }),
    { numRuns: 300 },
  );
});

test("takes fees as fractions do", () => {
  fc.assert(
    fc.property(minors, basisPoints, roundings, (minor, points, rounding) => {
      const exact = times({ n: minor, d: 10_000n }, fraction(points));
      expect(feeAt(minor, points, rounding)).toBe(round(exact, rounding));
    }),
    { numRuns: 500 },
  );
});

test("inverts to the smallest amount that suffices", () => {
  fc.assert(
    fc.property(minors, currencies, currencies, rates, (target, from, to, r) => {
      const source = invertedAmount(target, from, to, r);
      expect(convert(source, from, to, r, "down").minor >= target).toBe(true);
      if (source === 0n) return;
      expect(convert(source - 1n, from, to, r, "down").minor < target).toBe(true);
    }),
    { numRuns: 500 },
  );
});

const pricing = fc.record({
  from: currencies,
  to: currencies,
  rate: rates,
  feeBasisPoints: basisPoints,
  feeMinimum: fc.bigInt({ min: 0n, max: 5000n }),
});

test("a fixed-send quote adds up, and its residue is less than a minor unit", () => {
  fc.assert(
    fc.property(pricing, minors, (prices, send) => {
      const quote = quoteFixedSend({ ...prices, send });
      const exactFee = times({ n: send, d: 10_000n }, fraction(prices.feeBasisPoints));
      const up = round(exactFee, "up");
      const fee = up > prices.feeMinimum ? up : prices.feeMinimum;
      if (!quote.ok) {
        const expected = send - fee <= 0n ? "converted-not-positive" : "receive-not-positive";
        expect(quote.code).toBe(expected);
        return;
      }
      expect(quote.fee).toBe(fee);
      expect(quote.send).toBe(quote.fee + quote.converted);
      const exact = times({ n: quote.converted, d: unit(prices.from) }, fraction(prices.rate));
      const residue = minus(exact, { n: quote.receive, d: unit(prices.to) });
      expect(same(fraction(quote.residue), residue)).toBe(true);
      expect(residue.n >= 0n && residue.n * unit(prices.to) < residue.d).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("a fixed-receive quote sends the least that pays out the asked amount", () => {
  const asked = fc.bigInt({ min: 1n, max: 10n ** 15n });
  fc.assert(
    fc.property(pricing, asked, (prices, receive) => {
      const quote = quoteFixedReceive({ ...prices, receive });
      if (!quote.ok) throw new Error("every asked amount has a price");
      const { send } = quote;
      expect(quote.receive).toBe(receive);
      expect(send).toBe(quote.fee + quote.converted);
      const forward = quoteFixedSend({ ...prices, send });
      expect(forward).toMatchObject({ ok: true, fee: quote.fee, converted: quote.converted });
      expect(forward.ok && forward.receive >= receive).toBe(true);
      const less = quoteFixedSend({ ...prices, send: send - 1n });
      expect(!less.ok || less.receive < receive).toBe(true);
      const exact = times({ n: quote.converted, d: unit(prices.from) }, fraction(prices.rate));
      const residue = minus(exact, { n: receive, d: unit(prices.to) });
      expect(same(fraction(quote.residue), residue)).toBe(true);
      expect(residue.n >= 0n).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("derives rates as fractions do, whatever the rounding", () => {
  const decimals = fc.integer({ min: 0, max: 12 });
  const reference = (exact: Fraction, places: number, rounding: Rounding): Fraction => {
    const d = 10n ** BigInt(places);
    return { n: round(times(exact, { n: d, d: 1n }), rounding), d };
  };
  const check = (make: () => string, expected: Fraction): void => {
    if (expected.n === 0n || floor(expected) >= 10n ** 12n) {
      expect(make).toThrow(expect.objectContaining({ code: "rate-out-of-range" }) as Error);
    } else {
      expect(same(fraction(make()), expected)).toBe(true);
    }
  };
  fc.assert(
    fc.property(
      rates,
      rates,
      basisPoints,
      decimals,
      roundings,
      (a, b, points, places, rounding) => {
        const [x, y] = [fraction(a), fraction(b)];
        const cross = reference({ n: x.n * y.d, d: x.d * y.n }, places, rounding);
        check(() => crossRate(a, b, places, rounding), cross);
        const kept = minus({ n: 1n, d: 1n }, times(fraction(points), { n: 1n, d: 10_000n }));
        const spread = reference(times(x, kept), places, rounding);
        check(() => applySpread(a, points, places, rounding), spread);
        const order = x.n * y.d - y.n * x.d;
        expect(compareRates(a, b)).toBe(order === 0n ? 0 : order < 0n ? -1 : 1);
      },
    ),
    { numRuns: 1000 },
  );
});

test("reads back every amount that it writes", () => {
  fc.assert(
    fc.property(minors, currencies, (minor, currency) => {
      const text = formatAmount(minor, currency);
      const parsed = parseAmount(text, currency, { allowZero: true });
      if ((text.split(".")[0] ?? "").length > 15) {
        expect(parsed).toMatchObject({ ok: false, code: "amount-too-large" });
      } else {
        expect(parsed).toEqual({ ok: true, minor });
      }
    }),
  );
});

test("accepts exactly the texts that the grammar names", () => {
  const texts = fc.string({
    unit: fc.constantFrom("0", "1", "9", ".", "-", "e", " ", "x"),
    maxLength: 6,
  });
  fc.assert(
    fc.property(texts, (text) => {
      const expected = /^(0|[1-9]\d{0,14})(\.\d{1,2})?$/.test(text);
      expect(parseAmount(text, HKD, { allowZero: true }).ok).toBe(expected);
    }),
    { numRuns: 2000 },
  );
  expect(rate("1")).toBe("1");
});
