// After a recovery: what was sent before it and has no entry ends for good, and both sides hear of it.
import { describe, expect, it } from "vitest";
import { hk, makeFundedWorld, ph } from "./testing/index.ts";

const mark = 1_000n;

describe("an intent from before a recovery", () => {
  it("is refused for good, payer and payee are told, and its id is bound", () => {
    const world = makeFundedWorld();
    const lost = world.intent({ key: "lost" });
    const { outcome } = world.run([lost], { recoveredTo: mark });
    expect(outcome.refusals).toEqual([
      expect.objectContaining({ id: lost.body.id, code: "recovered", final: true }),
    ]);
    for (const who of [hk, ph]) {
      expect(outcome.inbox.get(who)).toEqual([{ type: "refusal", id: lost.body.id, index: 0 }]);
    }
    expect(outcome.reserved).toEqual([]);
    // Sent again after the recovery: the same refusal.
    const again = world.run([lost]);
    expect(again.outcome.reserved).toEqual([]);
    expect(again.outcome.inbox.get(hk)).toEqual([
      { type: "refusal", id: lost.body.id, index: undefined },
    ]);
  });

  it("is answered with its entry when it has one", () => {
    const world = makeFundedWorld();
    const intent = world.intent({ key: "committed" });
    world.run([intent]);
    const { outcome: end } = world.run([world.accept(intent.body.id)]);
    const { outcome } = world.run([intent], { recoveredTo: mark });
    expect(outcome.refusals).toEqual([]);
    expect(outcome.inbox.get(hk)).toEqual([{ type: "entry", seq: end.entries[0]?.seq }]);
  });

  it("does not hold up what is sent after it", () => {
    const world = makeFundedWorld();
    const { outcome } = world.run([world.intent({ key: "new" })], { recoveredTo: 0n });
    expect(outcome.reserved).toHaveLength(1);
  });
});
