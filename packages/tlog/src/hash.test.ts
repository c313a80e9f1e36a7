import { expect, test } from "vitest";
import { concatBytes, fromHex, toHex, utf8 } from "./bytes.ts";
import { EMPTY_ROOT, leafHash, nodeHash, sha256 } from "./hash.ts";
import { sha256 as sha256Node } from "./sha256-node.ts";
import { sha256 as sha256Portable } from "./sha256-portable.ts";

test("hashes as FIPS 180-4 says", () => {
  expect(toHex(sha256("abc"))).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  expect(toHex(EMPTY_ROOT)).toBe(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

test("hashes the same on Node and elsewhere, for bytes and strings", () => {
  for (const text of ["", "abc", "è la sera — 🌙", "x".repeat(70_000)]) {
    const expected = toHex(sha256Node(utf8(text)));
    expect(toHex(sha256Node(text))).toBe(expected);
    expect(toHex(sha256Portable(text))).toBe(expected);
    expect(toHex(sha256Portable(utf8(text)))).toBe(expected);
  }
});

test("hashes leaves and nodes with the prefixes of RFC 6962", () => {
  for (const text of ["", "entry", "\0", "è", "y".repeat(65_534), "z".repeat(200_000)]) {
    const expected = sha256(concatBytes(Uint8Array.of(0), utf8(text)));
    expect(leafHash(text)).toEqual(expected);
    expect(leafHash(utf8(text))).toEqual(expected);
  }
  const [left, right] = [sha256("l"), sha256("r")];
  expect(nodeHash(left, right)).toEqual(sha256(concatBytes(Uint8Array.of(1), left, right)));
});

test("is not disturbed by what was hashed before, or by a change of the result", () => {
  const before = toHex(leafHash(fromHex("00ff")));
  leafHash(new Uint8Array(1000).fill(7));
  leafHash(fromHex("00ff")).fill(0);
  expect(toHex(leafHash(fromHex("00ff")))).toBe(before);
});

test("refuses what has no one hash", () => {
  expect(() => leafHash("\ud800")).toThrow("surrogate");
  expect(() => sha256("\udfff")).toThrow("surrogate");
  expect(() => nodeHash(new Uint8Array(31), new Uint8Array(32))).toThrow(RangeError);
});
