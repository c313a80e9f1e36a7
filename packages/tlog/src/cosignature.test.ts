import { expect, test } from "vitest";
import { fromUtf8 } from "./bytes.ts";
import { cosignatureMessage, cosignatureTime, encodeCosignature } from "./cosignature.ts";
import { publicKeyOf } from "./ed25519.ts";
import { composeNote, formatSignatureLine, parseNote } from "./note.ts";
import { openNote, verifierFor } from "./open-note.ts";
import { cosignLine, signNoteLine } from "./sign-note.ts";
import { keyIdOf } from "./verifier-key.ts";
import type { VerifierKey } from "./verifier-key.ts";

/** The checkpoint of c2sp.org/tlog-cosignature. */
const TEXT =
  "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const SPEC_LINE =
  "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
const SEED = new Uint8Array(32).fill(9);

const keyOf = (type: 1 | 4): VerifierKey => {
  const publicKey = publicKeyOf(SEED);
  return { name: "w1.example", keyId: keyIdOf("w1.example", type, publicKey), type, publicKey };
};
const line = (time: number): string => cosignLine("w1.example", SEED, TEXT, time);

test("reads the time of the cosignature in the specification", () => {
  const [signature] = parseNote(composeNote(TEXT, [SPEC_LINE])).signatures;
  expect(signature?.signature).toHaveLength(72);
  expect(cosignatureTime(signature!.signature)).toBe(1679315147);
});

test("signs the message that the specification shows", () => {
  expect(fromUtf8(cosignatureMessage(1679315147, TEXT))).toBe(
    `cosignature/v1\ntime 1679315147\n${TEXT}`,
  );
});

test("opens its own cosignature and reads its time", () => {
  const opened = openNote(composeNote(TEXT, [line(1_795_000_000)]), [verifierFor(keyOf(4))]);
  expect(opened.text).toBe(TEXT);
  expect(cosignatureTime(opened.verified[0]!.signature)).toBe(1_795_000_000);
});

test("keeps times above 2^32 exact", () => {
  for (const time of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER]) {
    expect(cosignatureTime(encodeCosignature(time, new Uint8Array(64)))).toBe(time);
  }
});

test("refuses a cosignature with any byte changed, its time included", () => {
  const key = keyOf(4);
  const [signature] = parseNote(composeNote(TEXT, [line(1_795_000_000)])).signatures;
  for (let at = 0; at < 72; at += 1) {
    const bytes = signature!.signature.slice();
    bytes[at] = bytes[at]! ^ 1;
    const note = composeNote(TEXT, [formatSignatureLine(key.name, key.keyId, bytes)]);
    expect(() => openNote(note, [verifierFor(key)]), `byte ${at}`).toThrow(
      expect.objectContaining({ code: "note-bad-signature" }) as Error,
    );
  }
});

test("takes no note signature for a cosignature, nor the reverse", () => {
  const cosigner = keyOf(4);
  const signer = keyOf(1);
  const plain = parseNote(composeNote(TEXT, [signNoteLine("w1.example", SEED, TEXT)]));
  const stamped = parseNote(composeNote(TEXT, [line(1_795_000_000)]));
  expect(verifierFor(signer).verify(TEXT, plain.signatures[0]!.signature)).toBe(true);
  expect(verifierFor(cosigner).verify(TEXT, plain.signatures[0]!.signature)).toBe(false);
  expect(verifierFor(cosigner).verify(TEXT, stamped.signatures[0]!.signature)).toBe(true);
  expect(verifierFor(signer).verify(TEXT, stamped.signatures[0]!.signature)).toBe(false);
});

test("refuses a time that is not a whole number of seconds below 2^53", () => {
  for (const time of [-1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
    expect(() => line(time)).toThrow(
      expect.objectContaining({ code: "cosignature-malformed" }) as Error,
    );
  }
  const late = new Uint8Array(72).fill(0xff);
  expect(() => cosignatureTime(late)).toThrow();
  expect(verifierFor(keyOf(4)).verify(TEXT, late)).toBe(false);
  expect(() => cosignatureTime(new Uint8Array(71))).toThrow();
});
