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
  emptyRange,
  formatCheckpointText,
  leafHash,
  rangeRoot,
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
