import { expect, test } from "vitest";
import goVectors from "../vectors/go-vectors.json" with { type: "json" };
import probes from "../vectors/merkle-probes.json" with { type: "json" };
import { fromBase64 } from "./bytes.ts";
import { EMPTY_ROOT, leafHash } from "./hash.ts";
import { rootOf } from "./merkle.ts";
import { consistencyProof, inclusionProof } from "./merkle-proof.ts";
import { oldRootWithin, verifyConsistency, verifyInclusion } from "./verify-proof.ts";

const bytes = (text: string | null): Uint8Array => fromBase64(text ?? "");
const list = (hashes: readonly string[] | null): Uint8Array[] => (hashes ?? []).map(fromBase64);
const accepts = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ name: "TlogError" });
    return false;
  }
};

test("judges all published inclusion probes as transparency-dev/merkle does", () => {
  const wrong = probes.inclusion.filter((probe) => {
    const { leafHash: leaf, leafIdx, treeSize, proof, root } = probe;
    return (
      accepts(() => verifyInclusion(bytes(leaf), leafIdx, treeSize, list(proof), bytes(root))) ===
      probe.wantErr
    );
  });
  expect(probes.inclusion).toHaveLength(98);
  expect(wrong.map(({ name, desc }) => `${name}: ${desc}`)).toEqual([]);
});

test("judges all published consistency probes as transparency-dev/merkle does", () => {
  const wrong = probes.consistency.filter((probe) => {
    const { size1, size2, proof, root1, root2 } = probe;
    return (
      accepts(() => verifyConsistency(size1, size2, list(proof), bytes(root1), bytes(root2))) ===
      probe.wantErr
    );
  });
  expect(probes.consistency).toHaveLength(98);
  // The one difference: this probe's two equal roots are the words "don't care 2". Ours must be
  // hashes, of 32 bytes.
  expect(wrong.map(({ name }) => name)).toEqual([
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty",
  ]);
});

const goLeaves = Array.from({ length: 300 }, (_, at) => leafHash(`entry ${at}\n`));
const read = (level: number, index: number): Uint8Array =>
  rootOf(goLeaves.slice(index * 2 ** level, (index + 1) * 2 ** level));

test("makes the roots and proofs that Go makes", () => {
  const { size, root, oldSize, oldRoot, inclusionIndex } = goVectors;
  expect(rootOf(goLeaves)).toEqual(fromBase64(root));
  expect(rootOf(goLeaves.slice(0, oldSize))).toEqual(fromBase64(oldRoot));
  expect(inclusionProof(inclusionIndex, size, read)).toEqual(list(goVectors.inclusion));
  expect(consistencyProof(oldSize, size, read)).toEqual(list(goVectors.consistency));
});

test("takes the empty tree as the beginning of every tree, with its own root only", () => {
  const root = goLeaves[0]!;
  verifyConsistency(0, 1, [], EMPTY_ROOT, root);
  verifyConsistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT);
  const mismatch = expect.objectContaining({ code: "consistency-mismatch" }) as Error;
  expect(() => verifyConsistency(0, 1, [], root, root)).toThrow(mismatch);
  expect(() => verifyConsistency(0, 1, [root], EMPTY_ROOT, root)).toThrow(mismatch);
  expect(() => verifyConsistency(0, 0, [], EMPTY_ROOT, root)).toThrow(mismatch);
  expect(() => verifyConsistency(1, 0, [], root, EMPTY_ROOT)).toThrow(mismatch);
  expect(() => verifyConsistency(1, 1, [], root, goLeaves[1]!)).toThrow(mismatch);
});

test("refuses numbers and hashes that cannot be", () => {
  const malformed = expect.objectContaining({ code: "proof-malformed" }) as Error;
  const root = goLeaves[0]!;
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 53, Infinity]) {
    expect(() => verifyInclusion(root, bad, 1, [], root)).toThrow(malformed);
    expect(() => verifyInclusion(root, 0, bad, [], root)).toThrow(malformed);
    expect(() => verifyConsistency(bad, 1, [], root, root)).toThrow(malformed);
    expect(() => verifyConsistency(1, bad, [], root, root)).toThrow(malformed);
    expect(() => inclusionProof(bad, 1, read)).toThrow(malformed);
    expect(() => consistencyProof(1, bad, read)).toThrow(malformed);
  }
  const short = root.subarray(1);
  expect(() => verifyInclusion(short, 0, 1, [], root)).toThrow(malformed);
  expect(() => verifyInclusion(root, 0, 2, [short], root)).toThrow(malformed);
  expect(() => verifyConsistency(1, 2, [short], root, root)).toThrow(malformed);
  expect(() => inclusionProof(1, 1, read)).toThrow(malformed);
  expect(() => consistencyProof(2, 1, read)).toThrow(malformed);
});

test("verifies at sizes above 2^32", () => {
  const [a, b] = [goLeaves[0]!, goLeaves[1]!];
  const size = 2 ** 40;
  const proof = Array.from({ length: 40 }, () => b);
  expect(() => verifyInclusion(a, size - 1, size, proof, a)).toThrow("another root");
  expect(() => verifyInclusion(a, size - 1, size, proof.slice(1), a)).toThrow("too short");
  expect(() => verifyInclusion(a, size - 1, size, [...proof, a], a)).toThrow("too long");
});

test("a proof of growth says which root the old size has, but for a power of two", () => {
  const leaves = Array.from({ length: 40 }, (_, at) => leafHash(`leaf ${at}`));
  const hashAt = (level: number, index: number) =>
    rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
  for (let size = 2; size <= leaves.length; size += 1) {
    const root = rootOf(leaves.slice(0, size));
    for (let old = 1; old < size; old += 1) {
      const proof = consistencyProof(old, size, hashAt);
      const expected = (old & (old - 1)) === 0 ? undefined : rootOf(leaves.slice(0, old));
      expect(oldRootWithin(old, size, proof, root)).toEqual(expected);
      if (expected === undefined) continue;
      const changed = proof.map((hash, at) => (at === 0 ? leafHash("another") : hash));
      expect(() => oldRootWithin(old, size, changed, root)).toThrow(
        /the consistency proof|no proof of growth|not a proof/,
      );
      expect(() => oldRootWithin(old, size, proof.slice(1), root)).toThrow(
        /the consistency proof|no proof of growth|not a proof/,
      );
    }
  }
  expect(() => oldRootWithin(3, 3, [], EMPTY_ROOT)).toThrow(
    /the consistency proof|no proof of growth|not a proof/,
  );
  expect(() => oldRootWithin(0, 3, [], EMPTY_ROOT)).toThrow(
    /the consistency proof|no proof of growth|not a proof/,
  );
});
