// An id that two participants claim: the ledger cannot see whose key it was made of (the key is no part of
// the terms), so the first verified intent has it; but nobody is told of, or moves, what another one holds.
import { describe, expect, it } from "vitest";
import { hk, makeFundedWorld, ph, testKeys } from "./testing/index.ts";

describe("an intent", () => {
  it.each([undefined, 2])(
    "under an id that another participant holds (entry: %s) tells nothing of what it holds",
    (seq) => {
      const world = makeFundedWorld();
      const intent = world.intent();
      const { id } = intent.body;
      const held = { id, request: undefined, payer: ph, seq };
      world.known.set(id, held);
      const { outcome } = world.run([intent]);
      expect(outcome.refusals).toMatchObject([{ code: "request-mismatch", final: false }]);
      expect(outcome).toMatchObject({ ended: [], reserved: [], entries: [] });
      expect(outcome.inbox.get(hk)).toEqual([{ type: "refusal", id, index: 0 }]);
      expect(world.known.get(id)).toEqual(held);
    },
  );

  it("under an id that another participant has open gets no answer of that one's", () => {
    const world = makeFundedWorld();
    const { body } = world.intent();
    world.run([world.intent()]);
    const payer = { participant: ph, account: body.payer.account };
    const copied = world.intent({ payer, request: body.request }, { signers: [testKeys.ph] });
    const { outcome } = world.run([copied]);
    expect(outcome.refusals).toMatchObject([
      { id: body.id, participant: ph, code: "request-mismatch", final: false },
    ]);
    expect(outcome.inbox.get(ph)).toEqual([{ type: "refusal", id: body.id, index: 0 }]);
    expect(world.state.open.get(body.id)?.terms).toEqual(body);
  });
});
