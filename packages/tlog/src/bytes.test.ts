import { expect, test } from "vitest";
import { decodeBase64Portable, encodeBase64Portable } from "./base64-portable.ts";
import { concatBytes, equalBytes, fromBase64, fromHex, fromUtf8 } from "./bytes.ts";
import { toBase64, toHex, utf8 } from "./bytes.ts";
import { TlogError } from "./errors.ts";

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof TlogError) return error.code;
    throw error;
  }
  return "none";
};

/** RFC 4648 section 10. */
const RFC4648 = [
  ["", ""],
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg=="],
  ["fooba", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy"],
] as const;

test.each(RFC4648)("writes and reads base64 of %j as in RFC 4648", (plain, encoded) => {
  expect(toBase64(utf8(plain))).toBe(encoded);
  expect(fromUtf8(fromBase64(encoded))).toBe(plain);
});

test.each(["Zg", "Zg=", "Zh==", "Zg==\n", " Zg==", "Zm8", "Zm9=", "Zm-_", "Z", "====", "Zg==Zg=="])(
  "refuses %j, which is not the one way to write its bytes",
  (text) => {
    expect(codeOf(() => fromBase64(text))).toBe("base64-malformed");
  },
);

test("encodes base64 without Buffer as with it", () => {
  for (const length of [0, 1, 2, 3, 255, 8192, 20_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 31) % 256);
    expect(encodeBase64Portable(bytes)).toBe(toBase64(bytes));
    expect(decodeBase64Portable(toBase64(bytes))).toEqual(bytes);
  }
  expect(decodeBase64Portable("*")).toBeUndefined();
});

test("returns bytes that own their memory", () => {
  const bytes = fromBase64("Zm9vYmFy");
  expect(bytes.constructor).toBe(Uint8Array);
  expect(bytes.buffer.byteLength).toBe(6);
});

test("refuses text that is not UTF-8 in either direction", () => {
  expect(codeOf(() => utf8("a\ud800b"))).toBe("text-malformed");
  expect(codeOf(() => fromUtf8(Uint8Array.of(0xff)))).toBe("text-malformed");
  expect(codeOf(() => fromUtf8(Uint8Array.of(0xc0, 0x80)))).toBe("text-malformed");
});

test("writes UTF-8 as TextEncoder does, of any length", () => {
  for (const length of [0, 1, 3, 21_845, 21_846, 100_000]) {
    for (const unit of ["a", "é", "—", "🌙"]) {
      const text = unit.repeat(length);
      expect(equalBytes(utf8(text), new TextEncoder().encode(text))).toBe(true);
    }
  }
  const first = utf8("abc");
  utf8("xyz");
  expect(fromUtf8(first)).toBe("abc");
});

test("keeps a byte order mark, so that bytes come back as they went in", () => {
  expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
});

test("writes lower-case hex and reads nothing else", () => {
  expect(toHex(Uint8Array.of(0, 15, 255))).toBe("000fff");
  expect(fromHex("000fff")).toEqual(Uint8Array.of(0, 15, 255));
  for (const text of ["0", "0F", "zz", " 0", "0x00"]) {
    expect(codeOf(() => fromHex(text))).toBe("hex-malformed");
  }
});

test("joins and compares bytes", () => {
  const joined = concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3));
  expect(joined).toEqual(Uint8Array.of(1, 2, 3));
  expect(equalBytes(joined, Uint8Array.of(1, 2, 3))).toBe(true);
  expect(equalBytes(joined, Uint8Array.of(1, 2, 4))).toBe(false);
  expect(equalBytes(joined, Uint8Array.of(1, 2))).toBe(false);
});
