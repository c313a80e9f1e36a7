import { expect, test } from "vitest";
import goVectors from "../vectors/go-vectors.json" with { type: "json" };
import { fromBase64, utf8 } from "./bytes.ts";
import { checkCheckpoint } from "./check-policy.ts";
import { leafHash } from "./hash.ts";
import { parsePolicy } from "./policy.ts";
import { formatProof, parseProof } from "./proof.ts";
import { formatVerifierKey, parseVerifierKey } from "./verifier-key.ts";
import { verifyInclusion } from "./verify-proof.ts";

const malformed = expect.objectContaining({ code: "proof-malformed" }) as Error;
const leaf = "entry 123\n";
const proof = {
  extra: utf8(leaf),
  index: goVectors.inclusionIndex,
  hashes: goVectors.inclusion.map(fromBase64),
  checkpoint: goVectors.note,
};
const text = formatProof(proof);

/** One key as log and as witness: what the vectors were made with. */
const { name, publicKey } = parseVerifierKey(goVectors.vkey);
const policy = parsePolicy(
  `log ${goVectors.vkey}\nwitness w ${formatVerifierKey(name, 4, publicKey)}\nquorum w\n`,
);

/** A whole offline check of a receipt; the leaf is what `extra` carries. */
const verify = (receipt: string): void => {
  const { extra, index, hashes, checkpoint } = parseProof(receipt);
  const checked = checkCheckpoint(policy, checkpoint);
  if (!checked.quorum) throw new Error("not sealed");
  const { size, root } = checked.checkpoint;
  verifyInclusion(leafHash(extra!), index, size, hashes, root);
};

test("writes a proof as the specification lays it out", () => {
  const lines = text.split("\n");
  expect(lines[0]).toBe("c2sp.org/tlog-proof@v1");
  expect(lines[1]).toBe("extra ZW50cnkgMTIzCg==");
  expect(lines[2]).toBe("index 123");
  expect(lines.slice(3, 12)).toEqual(goVectors.inclusion);
  expect(lines[12]).toBe("");
  expect(text.endsWith(`\n\n${goVectors.note}`)).toBe(true);
});

test("gives back what it was given, with extra data and without", () => {
  expect(parseProof(text)).toEqual(proof);
  const { extra: _extra, ...bare } = proof;
  expect(parseProof(formatProof(bare))).toEqual(bare);
  expect(formatProof(parseProof(text))).toBe(text);
});

test("verifies offline, against a note and proof that Go made", () => {
  expect(() => verify(text)).not.toThrow();
});

test("does not verify with any character changed, dropped or doubled", () => {
  for (let at = 0; at < text.length; at += 1) {
    const before = text.slice(0, at);
    const after = text.slice(at + 1);
    const changed = [1, 2, 32].map((bit) => String.fromCharCode(text.charCodeAt(at) ^ bit));
    for (const put of ["", text[at]! + text[at]!, ...changed]) {
      expect(
        () => verify(before + put + after),
        `position ${at}, ${JSON.stringify(put)}`,
      ).toThrow();
    }
  }
  expect(() => verify(`${text}\n`)).toThrow();
  expect(() => verify(` ${text}`)).toThrow();
});

const swap = (from: string, to: string): string => text.replace(from, to);

test.each([
  ["another version", swap("proof@v1", "proof@v2")],
  ["no index", swap("index 123\n", "")],
  ["an index with a leading zero", swap("index 123", "index 0123")],
  ["an index that is negative", swap("index 123", "index -1")],
  [
    "extra data after the index",
    swap("extra ZW50cnkgMTIzCg==\nindex 123", "index 123\nextra AA=="),
  ],
  ["extra data twice", swap("index 123", "extra AA==\nindex 123")],
  ["empty extra data", swap("extra ZW50cnkgMTIzCg==", "extra ")],
  ["extra data that is not canonical", swap("Cg==", "Ch==")],
  ["a line that is no hash", swap("jkUjk", "jkUj")],
  ["64 hashes", swap("index 123\n", `index 123\n${`${goVectors.root}\n`.repeat(55)}`)],
  ["no checkpoint", text.slice(0, text.indexOf("\n\n") + 2)],
  ["a checkpoint without signatures", text.slice(0, text.indexOf("\n— "))],
  ["carriage returns", text.replaceAll("\n", "\r\n")],
  ["nothing", ""],
])("refuses a proof with %s", (_name, candidate) => {
  expect(() => parseProof(candidate)).toThrow(malformed);
});

test("writes no proof that could not be read", () => {
  expect(() => formatProof({ ...proof, index: -1 })).toThrow(malformed);
  expect(() => formatProof({ ...proof, extra: new Uint8Array(0) })).toThrow(malformed);
  expect(() => formatProof({ ...proof, hashes: [new Uint8Array(31)] })).toThrow(malformed);
  expect(() => formatProof({ ...proof, checkpoint: "no note" })).toThrow(malformed);
  const many = Array.from({ length: 64 }, () => new Uint8Array(32));
  expect(() => formatProof({ ...proof, hashes: many })).toThrow(malformed);
});
