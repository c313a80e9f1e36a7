import fc from "fast-check";
import { expect, test } from "vitest";
import { EMPTY_ROOT, leafHash, nodeHash } from "./hash.ts";
import { appendLeaves, emptyRange, rangeRoot, rootOf } from "./merkle.ts";
import { consistencyProof, inclusionProof } from "./merkle-proof.ts";
import type { HashReader } from "./merkle-proof.ts";
import { verifyConsistency, verifyInclusion } from "./verify-proof.ts";

const LIMIT = 600;
const leaves = Array.from({ length: LIMIT }, (_, at) => leafHash(`leaf ${at}`));

/** RFC 6962 section 2.1, word for word. */
const mth = (from: number, to: number): Uint8Array => {
  const n = to - from;
  if (n === 0) return EMPTY_ROOT;
  if (n === 1) return leaves[from]!;
  const k = 2 ** Math.floor(Math.log2(n - 1));
  return nodeHash(mth(from, from + k), mth(from + k, to));
};
const roots = Array.from({ length: LIMIT + 1 }, (_, size) => mth(0, size));
const read: HashReader = (level, index) => mth(index * 2 ** level, (index + 1) * 2 ** level);

const size = fc.integer({ min: 1, max: LIMIT });
const place = fc.tuple(size, fc.nat()).map(([n, at]) => ({ size: n, index: at % n }));
const pair = fc.tuple(size, size).map(([a, b]) => ({ old: Math.min(a, b), now: Math.max(a, b) }));

test("a range has the root that RFC 6962 defines, however it was appended to", () => {
  fc.assert(
    fc.property(pair, ({ old, now }) => {
      const first = appendLeaves(emptyRange(), leaves.slice(0, old));
      const both = appendLeaves(first, leaves.slice(old, now));
      expect(rangeRoot(first)).toEqual(roots[old]);
      expect(rangeRoot(both)).toEqual(roots[now]);
      expect(rootOf(leaves.slice(0, now))).toEqual(roots[now]);
    }),
    { numRuns: 60 },
  );
});

test("each inclusion proof verifies, for its own leaf, place and tree only", () => {
  fc.assert(
    fc.property(place, fc.nat(), ({ size: n, index }, other) => {
      const proof = inclusionProof(index, n, read);
      verifyInclusion(leaves[index]!, index, n, proof, roots[n]!);
      const refused = (leaf: number, at: number, total: number): void => {
        if (leaf === index && at === index && total === n) return;
        expect(() => verifyInclusion(leaves[leaf]!, at, total, proof, roots[total]!)).toThrow(
          expect.objectContaining({ code: "inclusion-mismatch" }) as Error,
        );
      };
      refused(other % LIMIT, index, n);
      refused(index, other % n, n);
      refused(index, index, 1 + (other % LIMIT));
      expect(() =>
        verifyInclusion(leaves[index]!, index, n, [...proof, leaves[0]!], roots[n]!),
      ).toThrow();
      if (proof.length === 0) return;
      expect(() => verifyInclusion(leaves[index]!, index, n, proof.slice(1), roots[n]!)).toThrow();
      const changed = proof.map((hash) => hash.slice());
      changed[other % proof.length]![other % 32]! ^= 1 + (other % 255);
      expect(() => verifyInclusion(leaves[index]!, index, n, changed, roots[n]!)).toThrow();
    }),
    { numRuns: 300 },
  );
});

test("each consistency proof verifies, for its own two trees only", () => {
  fc.assert(
    fc.property(pair, fc.nat(), ({ old, now }, other) => {
      const proof = consistencyProof(old, now, read);
      verifyConsistency(old, now, proof, roots[old]!, roots[now]!);
      const refused = (work: () => void): void => {
        expect(work).toThrow(expect.objectContaining({ code: "consistency-mismatch" }) as Error);
      };
      // A hash that is in no tree: a leaf is the root of the tree of one.
      const fake = nodeHash(leaves[other % LIMIT]!, leaves[other % LIMIT]!);
      refused(() => verifyConsistency(old, now, proof, fake, roots[now]!));
      refused(() => verifyConsistency(old, now, proof, roots[old]!, fake));
      refused(() => verifyConsistency(old, now, [...proof, fake], roots[old]!, roots[now]!));
      if (proof.length === 0) return;
      refused(() => verifyConsistency(old, now, proof.slice(1), roots[old]!, roots[now]!));
      refused(() => verifyConsistency(old, now, proof.slice(0, -1), roots[old]!, roots[now]!));
      const changed = proof.map((hash) => hash.slice());
      changed[other % proof.length]![other % 32]! ^= 1 + (other % 255);
      refused(() => verifyConsistency(old, now, changed, roots[old]!, roots[now]!));
    }),
    { numRuns: 300 },
  );
});

test("a proof is as long as the tree is high, and no longer", () => {
  fc.assert(
    fc.property(place, ({ size: n, index }) => {
      const height = Math.ceil(Math.log2(n));
      expect(inclusionProof(index, n, read).length).toBeLessThanOrEqual(height);
      expect(consistencyProof(index, n, read).length).toBeLessThanOrEqual(height + 1);
    }),
  );
});
