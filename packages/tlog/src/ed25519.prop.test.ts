import fc from "fast-check";
import { expect, test } from "vitest";
import { concatBytes } from "./bytes.ts";
import { admitPublicKey, publicKeyOf, signEd25519 } from "./ed25519.ts";
import { verifyEd25519, verifyEd25519Reference } from "./ed25519.ts";
import { signEd25519 as signPortable } from "./ed25519-portable.ts";

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const message = fc.uint8Array({ maxLength: 300 });
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn));
const toNumber = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

const agree = (key: Uint8Array, text: Uint8Array, signature: Uint8Array): boolean => {
  const fast = verifyEd25519(key, text, signature);
  expect(verifyEd25519Reference(key, text, signature)).toBe(fast);
  return fast;
};

test("both signers make the same signature, and both verifiers accept it", () => {
  fc.assert(
    fc.property(seed, message, (secret, text) => {
      const signature = signEd25519(secret, text);
      expect(signPortable(secret, text)).toEqual(signature);
      expect(agree(publicKeyOf(secret), text, signature)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test("both verifiers refuse a signature, message or key with one bit changed", () => {
  fc.assert(
    fc.property(seed, message, fc.nat(), (secret, text, at) => {
      const all = concatBytes(signEd25519(secret, text), publicKeyOf(secret), text);
      const bit = at % (all.length * 8);
      all[bit >> 3] = all[bit >> 3]! ^ (1 << (bit & 7));
      const key = all.subarray(64, 96);
      // Only admitted keys are judged; a changed key is admitted one time in sixteen.
      if (!admitPublicKey(key).ok) return;
      expect(agree(key, all.subarray(96), all.subarray(0, 64))).toBe(false);
    }),
    { numRuns: 120 },
  );
});

test("both verifiers refuse s + L, which verifies in careless libraries", () => {
  fc.assert(
    fc.property(seed, message, (secret, text) => {
      const signature = signEd25519(secret, text);
      const malleated = littleEndian(toNumber(signature.subarray(32)) + ORDER);
      const other = concatBytes(signature.subarray(0, 32), malleated);
      expect(agree(publicKeyOf(secret), text, other)).toBe(false);
    }),
    { numRuns: 40 },
  );
});

test("both verifiers agree on random bytes", () => {
  const bytes64 = fc.uint8Array({ minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(seed, message, bytes64, (secret, text, signature) => {
      expect(agree(publicKeyOf(secret), text, signature)).toBe(false);
    }),
    { numRuns: 40 },
  );
});
