// A witness's file about a forked log: it stands for anybody who has the policy, and nothing else does.
import {
  cosignedCheckpoint,
  lineOf,
  origin,
  policy,
  testKeys,
  witnessKeys,
} from "@sealane/rules/testing";
import {
  appendLeaf,
  composeNote,
  consistencyProof,
  emptyRange,
  formatCheckpointText,
  leafHash,
  rangeRoot,
  rootOf,
  toBase64,
} from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { isEvidence, verifyEvidence } from "./verify-evidence.ts";

const rangeOf = (size: number, what = "leaf") =>
  Array.from({ length: size }, (_, at) => leafHash(`${what} ${at}`)).reduce(
    appendLeaf,
    emptyRange(),
  );
const offeredOf = (size: number, what: string, key = testKeys.checkpoint): string => {
  const root = rangeRoot(rangeOf(size, what));
  const text = formatCheckpointText({ origin, size, root, extensions: [] });
  return composeNote(text, [lineOf(key, text)]);
};
const [witness] = witnessKeys;
const cosigned = cosignedCheckpoint(testKeys.checkpoint, rangeOf(5), [witness!], 1_800_000_000);
const file = (fields: object): string =>
  JSON.stringify(
    { kind: "two-roots-for-one-size", at: "2026-11-22T07:00:00.000Z", cosigned, ...fields },
    undefined,
    1,
  );

describe("a witness's evidence", () => {
  it("stands for two roots of one size under the log's key, and names who cosigned", () => {
    const text = file({ offered: offeredOf(5, "forged"), oldSize: 5, proof: [] });
    expect(isEvidence(text)).toBe(true);
    const verdict = verifyEvidence(text, policy);
    expect(verdict).toMatchObject({ ok: true, origin, size: 5, cosignedBy: ["w1"] });
    expect(verdict.ok && new Set(verdict.roots).size).toBe(2);
  });

  const growthOf = (what: string, oldSize = 5) => {
    const leaves = Array.from({ length: 9 }, (_, at) => leafHash(`${what} ${at}`));
    const read = (level: number, index: number) =>
      rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
    const proof = consistencyProof(oldSize, 9, read).map(toBase64);
    return { kind: "growth-not-proven", offered: offeredOf(9, what), oldSize, proof };
  };

  it("stands for a larger log whose own proof gives the size that was cosigned another root", () => {
    const verdict = verifyEvidence(file(growthOf("forged")), policy);
    const [root, other] = [rangeRoot(rangeOf(5)), rangeRoot(rangeOf(5, "forged"))].map(toBase64);
    expect(verdict).toEqual({
      ok: true,
      origin,
      size: 5,
      roots: [root, other],
      cosignedBy: ["w1"],
    });
  });

  it("stands for a larger log that grew from another power of two, with its root there beside it", () => {
    const cosignedAt8 = cosignedCheckpoint(
      testKeys.checkpoint,
      rangeOf(8),
      [witness!],
      1_800_000_000,
    );
    const oldRoot = toBase64(rangeRoot(rangeOf(8, "forged")));
    const fields = { ...growthOf("forged", 8), cosigned: cosignedAt8, oldRoot };
    expect(verifyEvidence(file(fields), policy)).toMatchObject({ ok: true, size: 8 });
    const wrong: readonly (readonly [string, object])[] = [
      ["consistency-mismatch", { oldRoot: toBase64(leafHash("x")) }],
      ["proof-malformed", { oldRoot: "AA==" }],
      ["evidence-inconclusive", { oldRoot: 1 }],
      ["evidence-inconclusive", { oldSize: 4 }],
      [
        "evidence-inconclusive",
        { ...growthOf("leaf", 8), oldRoot: toBase64(rangeRoot(rangeOf(8))) },
      ],
    ];
    for (const [code, changes] of wrong) {
      const verdict = verifyEvidence(file({ ...fields, ...changes }), policy);
      expect([changes, verdict]).toMatchObject([changes, { ok: false, code }]);
    }
  });

  it("does not stand for a log that grew, nor for a proof of something else", () => {
    const { proof, ...without } = growthOf("forged");
    const grown = file(growthOf("leaf"));
    expect(verifyEvidence(grown, policy)).toMatchObject({ code: "evidence-inconclusive" });
    const wrong: readonly (readonly [string, object])[] = [
      ["evidence-inconclusive", without],
      ["evidence-inconclusive", { ...growthOf("forged"), oldSize: 4 }],
      ["evidence-inconclusive", { ...growthOf("forged"), proof: [1] }],
      ["consistency-mismatch", { ...growthOf("forged"), proof: proof.slice(1) }],
      ["consistency-mismatch", { ...growthOf("forged"), proof: proof.toReversed() }],
      ["proof-malformed", { ...growthOf("forged"), proof: ["AA==", ...proof.slice(1)] }],
      // A proof from a power of two begins with the old root, and leaves it out.
      ["evidence-inconclusive", { ...growthOf("forged", 8), cosigned: offeredOf(8, "leaf") }],
    ];
    for (const [code, fields] of wrong) {
      expect(verifyEvidence(file(fields), policy)).toMatchObject({ ok: false, code });
    }
  });

  it.each([
    ["two sizes", { offered: offeredOf(6, "forged") }, "evidence-inconclusive"],
    ["one root", { offered: offeredOf(5, "leaf") }, "evidence-inconclusive"],
    ["one checkpoint", { cosigned: null, offered: offeredOf(5, "x") }, "evidence-inconclusive"],
    [
      "a checkpoint by another key",
      { offered: offeredOf(5, "forged", testKeys.stranger) },
      "note-unknown-key",
    ],
    ["no second checkpoint", {}, "evidence-malformed"],
  ])("does not stand for %s", (_, fields, code) => {
    expect(verifyEvidence(file(fields), policy)).toMatchObject({ ok: false, code });
  });
});
