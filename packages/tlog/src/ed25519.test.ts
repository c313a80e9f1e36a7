import { expect, test } from "vitest";
import { fromHex, toHex, utf8 } from "./bytes.ts";
import {
  SIGNATURE_CASES,
  admitPublicKey,
  publicKeyOf,
  runSignatureCases,
  signEd25519,
  verifyEd25519,
  verifyEd25519Reference,
} from "./ed25519.ts";
import * as onNode from "./ed25519-node.ts";
import * as portable from "./ed25519-portable.ts";

/** RFC 8032 section 7.1, tests 1 to 3 and SHA(abc): seed, public key, message, signature. */
const RFC8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
  [
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  ],
] as const;

test.each(RFC8032)("signs and verifies with seed %s as RFC 8032 says", (seed, key, text, sig) => {
  const [seedBytes, message, signature] = [fromHex(seed), fromHex(text), fromHex(sig)];
  for (const implementation of [onNode, portable]) {
    expect(toHex(implementation.publicKeyOf(seedBytes))).toBe(key);
    expect(toHex(implementation.signEd25519(seedBytes, message))).toBe(sig);
    expect(implementation.verifyEd25519(fromHex(key), message, signature)).toBe(true);
  }
  expect(admitPublicKey(fromHex(key))).toEqual({ ok: true });
});

test("has all 16 published cases", () => {
  expect(SIGNATURE_CASES).toHaveLength(16);
  expect(SIGNATURE_CASES.filter((one) => one.accept)).toHaveLength(1);
});

test.each(SIGNATURE_CASES)('judges "$name" as expected, on Node and elsewhere', (one) => {
  const key = fromHex(one.publicKey);
  const message = fromHex(one.message);
  const signature = fromHex(one.signature);
  const admission = admitPublicKey(key);
  expect(admission.ok).toBe(one.keyAdmissible);
  for (const verify of [verifyEd25519, verifyEd25519Reference]) {
    expect(admission.ok && verify(key, message, signature)).toBe(one.accept);
  }
});

test("passes its own start-up check, and the check can fail", () => {
  expect(runSignatureCases()).toEqual([]);
  const lies = SIGNATURE_CASES.map((one) => ({ ...one, accept: !one.accept }));
  expect(runSignatureCases(lies)).toHaveLength(32);
  const [first] = SIGNATURE_CASES;
  expect(runSignatureCases([{ ...first!, keyAdmissible: true }])).toEqual([
    { name: "speccheck#0: key admission", expected: true, actual: false },
  ]);
  expect(() => runSignatureCases([])).toThrow(RangeError);
});

test.each([
  ["the field order as y", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["the identity", `01${"00".repeat(31)}`],
  ["the identity with the sign of zero", `01${"00".repeat(30)}80`],
  ["order two", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["y = 1 + p", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["no point", `02${"00".repeat(31)}`],
  ["31 bytes", "00".repeat(31)],
  ["33 bytes", "00".repeat(33)],
])("admits no key that is %s", (_name, hex) => {
  expect(admitPublicKey(fromHex(hex)).ok).toBe(false);
});

test("judges bytes of other lengths, and keys that are no point, as false", () => {
  const seed = new Uint8Array(32).fill(3);
  const key = publicKeyOf(seed);
  const message = utf8("hi");
  const signature = signEd25519(seed, message);
  for (const verify of [verifyEd25519, verifyEd25519Reference]) {
    expect(verify(key, message, signature)).toBe(true);
    expect(verify(key, message, signature.subarray(0, 63))).toBe(false);
    expect(verify(key, message, new Uint8Array(65))).toBe(false);
    expect(verify(key, message, new Uint8Array(0))).toBe(false);
    expect(verify(key.subarray(1), message, signature)).toBe(false);
    expect(verify(fromHex(`02${"00".repeat(31)}`), message, signature)).toBe(false);
  }
});

test("signs with the seed as it is now, and hands out copies of keys", () => {
  const seed = new Uint8Array(32).fill(4);
  const first = toHex(publicKeyOf(seed));
  publicKeyOf(seed).fill(0);
  expect(toHex(publicKeyOf(seed))).toBe(first);
  seed.fill(5);
  expect(toHex(publicKeyOf(seed))).not.toBe(first);
  expect(() => publicKeyOf(new Uint8Array(31))).toThrow();
});

test("still signs after more keys than its caches hold", () => {
  const seeds = Array.from({ length: 4200 }, (_, at) =>
    Uint8Array.of(at >> 8, at & 0xff, ...new Uint8Array(30)),
  );
  const keys = seeds.map((seed) => publicKeyOf(seed));
  const message = utf8("again");
  expect(verifyEd25519(keys[0]!, message, signEd25519(seeds[0]!, message))).toBe(true);
});
