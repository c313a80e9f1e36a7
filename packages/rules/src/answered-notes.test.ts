// Statements that answer terms hold the note of those terms whole. What a party adds to it below goes into the
// log with it, so the lane takes no line that nobody has judged: one that is not good, or none at all, would
// make an entry that every verifier refuses, and one party could end the log for all.
import { composeNote, parseNote } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { audit, lineOf, makeFundedWorld, say, testKeys } from "./testing/index.ts";

const reserved = () => {
  const world = makeFundedWorld();
  const intent = world.intent({ key: "a" });
  world.run([intent]);
  const note = world.openNote(intent.body.id) ?? "";
  return { world, id: intent.body.id, note };
};

const added: readonly (readonly [what: string, add: (note: string) => string])[] = [
  ["a bad line of a known key", (note) => `${note}${lineOf(testKeys.fxTransfer, "else\n")}\n`],
  [
    "a good line of a known key",
    (note) => `${note}${lineOf(testKeys.fxTransfer, parseNote(note).text)}\n`,
  ],
  [
    "a line of a key that nobody knows",
    (note) => `${note}${lineOf(testKeys.stranger, "else\n")}\n`,
  ],
  ["the payer's line again", (note) => `${note}${parseNote(note).signatures[0]?.line}\n`],
  ["a line that is none", (note) => `${note}x\n`],
];

describe("a rejection", () => {
  it.each(added)("of terms with %s is not logged", (_, add) => {
    const { world, id, note } = reserved();
    const { outcome } = world.run([say.rejection(world.keys(), { id }, add(note))]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code: "signature-missing" }] });
    expect(world.state.open.has(id)).toBe(true);
    world.run([say.rejection(world.keys(), { id }, note)]);
    expect(audit(world, world.entries)).toBe(4);
  });
});

describe("a cancellation", () => {
  it("of a note that is none is not logged", () => {
    const { world, id, note } = reserved();
    const { outcome } = world.run([say.cancellation(world.keys(), { id }, `${note}x\n`)]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code: "wrong-log" }] });
    expect(world.state.open.has(id)).toBe(true);
  });

  it("of terms under whichever lines is logged, and stands: it needs none of them", () => {
    const { world, id, note } = reserved();
    const { text } = parseNote(note);
    const terms = composeNote(text, [lineOf(testKeys.fxTransfer, "else\n")]);
    world.run([say.cancellation(world.keys(), { id }, terms)]);
    expect(audit(world, world.entries)).toBe(4);
  });
});
