// A command that operators set aside: not decided, answered where its sender can be known, and bound by
// its refusal for ever.
import { describe, expect, test } from "vitest";
import type { IntentCommand, LaneCommand, SetAsideCommand } from "./commands.ts";
import { hk, makeFundedWorld, origin, testKeys, type World } from "./testing/index.ts";

const operators = ["operator.example/alice", "operator.example/bob"];

/** In a funded world: the fourth command, unless told. The world numbers commands as they come. */
const run = (world: World, of: LaneCommand | undefined, changes: Partial<SetAsideCommand> = {}) => {
  const body = { lane: 0, offset: "3", hash: "", reason: "stops-the-lane" };
  const common = { kind: "set-aside", offset: 0n, origin, body, decision: "note" } as const;
  return world.run([{ ...common, operators, of, ...changes }]).outcome;
};

describe("a command that is set aside", () => {
  test("has no effect but a signed refusal that binds its id, and a dead letter", () => {
    const world = makeFundedWorld();
    const intent = world.intent();
    const before = structuredClone([...world.state.balances]);
    const outcome = run(world, intent);
    expect(outcome.refusals).toMatchObject([
      { id: intent.body.id, participant: hk, code: "set-aside", reason: "TM01", final: true },
    ]);
    expect(outcome.deadLetters).toMatchObject([{ offset: 3n, code: "set-aside" }]);
    expect(outcome.setAside).toEqual([{ offset: 3n, decision: "note" }]);
    expect(outcome.entries).toEqual([]);
    expect([...world.state.balances]).toEqual(before);
    // The same again, and another request under its id, get what was decided first.
    const again = world.run([intent]).outcome;
    expect(again.reserved).toEqual([]);
    expect(again.inbox.get(hk)).toMatchObject([{ type: "refusal", id: intent.body.id }]);
  });

  test("leaves what was decided under its id before as it is", () => {
    const world = makeFundedWorld();
    const intent = world.intent();
    world.run([intent]);
    const body = { lane: 0, offset: "4", hash: "", reason: "stops-the-lane" };
    expect(run(world, intent, { body }).refusals).toEqual([]);
    expect(world.state.open.has(intent.body.id)).toBe(true);
  });

  test("answers nobody whom it cannot know", () => {
    const world = makeFundedWorld();
    const forged = world.intent({ key: "forged" }, { forged: true });
    const strange = world.intent({ key: "strange" }, { signers: [testKeys.stranger] });
    const elsewhere = world.intent({ key: "elsewhere" }, { origin: "sealane.example/2026/1" });
    const unread: (IntentCommand | undefined)[] = [forged, strange, elsewhere, undefined];
    for (const [at, of] of unread.entries()) {
      const body = { lane: 0, offset: String(3 + at), hash: "", reason: "stops-the-lane" };
      const outcome = run(world, of, { body });
      expect(outcome.refusals).toEqual([]);
      expect(outcome.deadLetters).toHaveLength(1);
    }
  });

  test("needs a decision that stands: anything else is a bug, and stops the lane", () => {
    const world = makeFundedWorld();
    const body = { lane: 0, offset: "3", hash: "", reason: "stops-the-lane" };
    const bad: Partial<SetAsideCommand>[] = [
      { operators: operators.slice(0, 1) },
      { origin: "sealane.example/2026/1" },
      { body: { ...body, lane: 1 } },
      { body: { ...body, offset: "2" } },
    ];
    for (const changes of bad) {
      expect(() => run(makeFundedWorld(), world.intent(), changes)).toThrow("broken invariant");
    }
  });
});
