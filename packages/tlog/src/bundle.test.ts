import fc from "fast-check";
import { expect, test } from "vitest";
import { utf8 } from "./bytes.ts";
import { decodeBundle, encodeBundle } from "./bundle.ts";

const malformed = expect.objectContaining({ code: "bundle-malformed" }) as Error;

test("writes a big-endian length before each entry", () => {
  const bundle = encodeBundle([utf8("ab"), new Uint8Array(0), new Uint8Array(0x0102)]);
  expect([...bundle.subarray(0, 8)]).toEqual([0, 2, 97, 98, 0, 0, 1, 2]);
  expect(bundle).toHaveLength(8 + 0x0102);
});

test("gives back what it was given", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 256 }), (entries) => {
      expect(decodeBundle(encodeBundle(entries))).toEqual(entries);
    }),
  );
  const largest = new Uint8Array(0xffff).fill(1);
  expect(decodeBundle(encodeBundle([largest]))).toEqual([largest]);
});

test("is a prefix of every wider bundle", () => {
  const entries = ["a", "bc", ""].map(utf8);
  const wide = encodeBundle(entries);
  const narrow = encodeBundle(entries.slice(0, 2));
  expect(wide.subarray(0, narrow.length)).toEqual(narrow);
});

test("reads bundles in the middle of other memory", () => {
  const memory = new Uint8Array(20);
  memory.set(encodeBundle([utf8("xyz")]), 7);
  expect(decodeBundle(memory.subarray(7, 12))).toEqual([utf8("xyz")]);
});

test("refuses a bundle that ends early, or has too many or too large entries", () => {
  const bundle = encodeBundle([utf8("ab"), utf8("cd")]);
  for (const length of [1, 2, 3, 5, 6, 7]) {
    expect(() => decodeBundle(bundle.subarray(0, length))).toThrow(malformed);
  }
  expect(decodeBundle(bundle.subarray(0, 4))).toHaveLength(1);
  expect(() => decodeBundle(new Uint8Array(2 * 257))).toThrow(malformed);
  const many = Array.from({ length: 257 }, () => new Uint8Array(0));
  expect(() => encodeBundle(many)).toThrow(malformed);
  expect(() => encodeBundle([new Uint8Array(0x10000)])).toThrow(malformed);
});
