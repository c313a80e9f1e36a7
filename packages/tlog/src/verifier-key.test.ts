import { expect, test } from "vitest";
import { fromHex, toHex } from "./bytes.ts";
import { publicKeyOf } from "./ed25519.ts";
import { formatVerifierKey, keyIdOf, parseVerifierKey } from "./verifier-key.ts";

const SPEC = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";

test.each([SPEC, PETER, ENOCH])("reads and writes %s", (vkey) => {
  const key = parseVerifierKey(vkey);
  expect(key.type).toBe(1);
  expect(formatVerifierKey(key.name, key.type, key.publicKey)).toBe(vkey);
});

test("reads name, id and key", () => {
  const key = parseVerifierKey(SPEC);
  expect(key.name).toBe("example.com/foo");
  expect(key.keyId).toBe(0x530d903a);
  expect(toHex(key.publicKey)).toBe(
    "e932791ae6e7a840a46164c904786426d5e7821dd8b29a00d61cae72afdd4da4",
  );
});

test("gives a cosignature key another id for the same name and key", () => {
  const publicKey = publicKeyOf(new Uint8Array(32).fill(7));
  expect(keyIdOf("witness.example/w1", 1, publicKey)).toBe(0x68cca5d4);
  expect(keyIdOf("witness.example/w1", 4, publicKey)).toBe(0xaa4a09d1);
  const vkey = formatVerifierKey("witness.example/w1", 4, publicKey);
  expect(parseVerifierKey(vkey)).toMatchObject({ keyId: 0xaa4a09d1, type: 4 });
});

test("refuses every part of a vkey, as x/mod does", () => {
  for (let start = 0; start <= PETER.length; start += 1) {
    for (let end = start; end <= PETER.length; end += 1) {
      if (start === 0 && end === PETER.length) continue;
      expect(() => parseVerifierKey(PETER.slice(start, end))).toThrow();
    }
  }
});

test("refuses a vkey with any character changed", () => {
  for (let at = 0; at < PETER.length; at += 1) {
    for (const step of [1, 2, -1]) {
      const changed = String.fromCharCode(PETER.charCodeAt(at) + step);
      expect(() => parseVerifierKey(PETER.slice(0, at) + changed + PETER.slice(at + 1))).toThrow();
    }
  }
});

test.each([
  "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
  "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  `${PETER}\n`,
  ` ${PETER}`,
])("refuses %j", (vkey) => {
  expect(() => parseVerifierKey(vkey)).toThrow(
    expect.objectContaining({ code: "vkey-malformed" }) as Error,
  );
});

test("admits no key under which one signature fits every message", () => {
  const identity = fromHex(`01${"00".repeat(31)}`);
  expect(() => parseVerifierKey(formatVerifierKey("a.example", 1, identity))).toThrow(
    expect.objectContaining({ code: "key-inadmissible" }) as Error,
  );
});

test("writes no vkey that could not be read", () => {
  const key = publicKeyOf(new Uint8Array(32));
  for (const name of ["", "a b", "a+b", "a\u00a0b", "a\u2028b", "a\nb", "a\u0001b", "\ud800"]) {
    expect(() => formatVerifierKey(name, 1, key)).toThrow();
  }
  expect(() => formatVerifierKey("a", 1, key.subarray(1))).toThrow();
});
