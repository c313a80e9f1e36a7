import { expect, test } from "vitest";
import { fromHex, toHex } from "./bytes.ts";
import { leafHash } from "./hash.ts";
import { appendLeaf, appendLeaves, compactRange, emptyRange, rangeRoot, rootOf } from "./merkle.ts";

/** The tree of the Certificate Transparency reference tests (RFC 6962): leaves, and roots. */
const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const hashes = LEAVES.map((leaf) => leafHash(fromHex(leaf)));

test("has the published root at each size", () => {
  let range = emptyRange();
  expect(toHex(rangeRoot(range))).toBe(ROOTS[0]);
  hashes.forEach((hash, at) => {
    range = appendLeaf(range, hash);
    expect(range.size).toBe(at + 1);
    expect(toHex(rangeRoot(range))).toBe(ROOTS[at + 1]);
    expect(toHex(rootOf(hashes.slice(0, at + 1)))).toBe(ROOTS[at + 1]);
  });
});

test("keeps one hash per one bit of its size, the largest subtree first", () => {
  const range = appendLeaves(emptyRange(), hashes.slice(0, 7));
  expect(range.hashes.map(toHex)).toEqual([
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
  ]);
});

test("does not change the range that it appends to", () => {
  const before = appendLeaves(emptyRange(), hashes.slice(0, 3));
  appendLeaves(before, hashes.slice(3));
  expect(before.size).toBe(3);
  expect(toHex(rangeRoot(before))).toBe(ROOTS[3]);
  rangeRoot(emptyRange()).fill(0);
  expect(toHex(rangeRoot(emptyRange()))).toBe(ROOTS[0]);
});

test("goes on from a stored range, and refuses one of the wrong shape", () => {
  const stored = appendLeaves(emptyRange(), hashes.slice(0, 5));
  const restored = compactRange(5, stored.hashes);
  expect(toHex(rangeRoot(appendLeaves(restored, hashes.slice(5))))).toBe(ROOTS[8]);
  const malformed = expect.objectContaining({ code: "range-malformed" }) as Error;
  expect(() => compactRange(4, stored.hashes)).toThrow(malformed);
  expect(() => compactRange(7, stored.hashes)).toThrow(malformed);
  expect(() => compactRange(-1, [])).toThrow(malformed);
  expect(() => compactRange(0.5, [])).toThrow(malformed);
  expect(() => compactRange(1, [new Uint8Array(31)])).toThrow(malformed);
  expect(() => appendLeaf(emptyRange(), new Uint8Array(31))).toThrow(RangeError);
});

test("appends beyond 2^32 leaves", () => {
  const size = 2 ** 33 + 2 ** 32 + 1;
  const range = compactRange(size, [hashes[0]!, hashes[1]!, hashes[2]!]);
  const next = appendLeaf(range, hashes[3]!);
  expect(next.size).toBe(size + 1);
  expect(next.hashes).toHaveLength(3);
});
