import fc from "fast-check";
import { expect, test } from "vitest";
import { splitProRata } from "./split.ts";

test("gives what is left to the largest remainders, and among equals to the first", () => {
  expect(splitProRata(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
  expect(splitProRata(101n, [1n, 1n, 1n])).toEqual([34n, 34n, 33n]);
  expect(splitProRata(10n, [1n, 2n, 4n])).toEqual([1n, 3n, 6n]);
  expect(splitProRata(1n, [1n, 3n])).toEqual([0n, 1n]);
  expect(splitProRata(7n, [0n, 5n, 0n])).toEqual([0n, 7n, 0n]);
  expect(splitProRata(0n, [1n, 1n])).toEqual([0n, 0n]);
});

test("refuses weights that say nothing", () => {
  const malformed = expect.objectContaining({ code: "weights-malformed" }) as Error;
  expect(() => splitProRata(1n, [])).toThrow(malformed);
  expect(() => splitProRata(1n, [0n, 0n])).toThrow(malformed);
  expect(() => splitProRata(1n, [2n, -1n])).toThrow(malformed);
  expect(() => splitProRata(-1n, [1n])).toThrow(
    expect.objectContaining({ code: "amount-negative" }) as Error,
  );
});

test("splits without losing a minor unit, each part within one of its exact share", () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), weights, (total, shares) => {
      const sum = shares.reduce((all, share) => all + share, 0n);
      fc.pre(sum > 0n);
      const parts = splitProRata(total, shares);
      expect(parts.reduce((all, part) => all + part, 0n)).toBe(total);
      parts.forEach((part, at) => {
        const distance = part * sum - total * shares[at]!;
        expect(distance < sum && distance > -sum).toBe(true);
      });
    }),
  );
});
