// Cover that came from another lane before the verifiers in Go and Python: both lanes' logs stand, and one
// that took in what no quorum had sealed, or what another lane was let have, does not.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  audit,
  carriedFrom,
  liquidityIn,
  liquidityOut,
  makeFundedWorld,
  makeWorld,
  origin1,
  policyOfTwoText,
  putTogether,
  signed,
  takeApart,
  testKeys,
  type World,
} from "@sealane/rules/testing";
import { parseNote } from "@sealane/tlog";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publish } from "./corpus.ts";
import { publishedFiles, writeFolder } from "./published-folder.ts";
import { buildGoVerifier, findPythonVerifier, type Verifier } from "./verifiers.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-lane-moves-"));
const verifiers: Verifier[] = [];
beforeAll(() => {
  mkdirSync(join(folder, "go"));
  for (const tool of [buildGoVerifier(join(folder, "go")), findPythonVerifier()]) {
    if ("found" in tool) verifiers.push(tool.found);
  }
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Two lanes; cover left the first, and came into the second under a checkpoint of so many witnesses. */
const moved = (cosigners: number): readonly [World, World] => {
  const from = makeFundedWorld({ twoLanes: true });
  const to = makeWorld({ twoLanes: true }, { lane: 1, keyLog: from.keyLog });
  from.run([liquidityOut(from.keys(), {})]);
  const checks = { origin: to.origin, history: to.keyLog.history(), signatures: true };
  to.run([liquidityIn(to.keys(), checks, carriedFrom(from, 3, cosigners))]);
  return [from, to];
};

const verdicts = async (
  name: string,
  world: World,
  log: typeof testKeys.checkpoint,
  entries: readonly string[] = world.entries,
) => {
  const place = join(folder, name);
  writeFolder(place, publishedFiles(publish(world, { entries, seal: { log } })));
  const all: (boolean | string)[] = [];
  for (const verifier of verifiers) {
    const [verdict] = await verifier.logs([place], { policy: policyOfTwoText });
    all.push(verdict?.ok === true ? true : (verdict?.detail ?? ""));
  }
  return all;
};

test("both lanes stand before all verifiers", async () => {
  const [from, to] = moved(3);
  const stand = verifiers.map(() => true);
  expect(await verdicts("from", from, testKeys.checkpoint)).toEqual(stand);
  expect(await verdicts("to", to, testKeys.checkpoint1)).toEqual(stand);
});

test("what was taken in under too few cosignatures is refused", async () => {
  const [, to] = moved(2);
  const said = await verdicts("unsealed", to, testKeys.checkpoint1);
  expect(said).toEqual(verifiers.map(() => expect.stringContaining("too few cosignatures")));
});

test("what was taken in twice is refused", async () => {
  const [, to] = moved(3);
  const pieces = to.entries.map(takeApart);
  const twice = putTogether([...pieces, ...pieces.slice(-1)], origin1);
  const said = await verdicts("twice", to, testKeys.checkpoint1, twice);
  expect(said).toEqual(verifiers.map(() => expect.stringMatching(/ends twice$/)));
});

test("cover that leaves though it is needed is refused", async () => {
  const [from] = moved(3);
  const more = (text: string): string =>
    text.replaceAll('"amount":"100.00"', '"amount":"2000000.00"');
  const entries = putTogether(
    from.entries.map(takeApart).map(({ context, inner }) => {
      if (!inner.includes("/liquidity-out/")) return { context, inner };
      const postings = context.postings.map((one) => ({ ...one, amount: "2000000.00" }));
      const { text } = parseNote(inner);
      return {
        context: { ...context, postings },
        inner: signed(more(text), [testKeys.alice, testKeys.bob]),
      };
    }),
  );
  expect(audit(from, entries)).toMatchObject({ position: 3, code: "withdrawal-uncovered" });
  const said = await verdicts("needed", from, testKeys.checkpoint, entries);
  expect(said).toEqual(verifiers.map(() => expect.stringMatching(/cover/)));
});
