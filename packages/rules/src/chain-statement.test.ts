// "These are all my entries": what a participant may say of its own chain, and what an audit makes of it.
import { describe, expect, it } from "vitest";
import { auditEntry } from "./audit.ts";
import { beginAudit } from "./audit-state.ts";
import { putTogether, takeApart } from "./testing/forge.ts";
import { fx, hk, origin, ph, testKeys } from "./testing/genesis.ts";
import { makeFundedWorld, type World } from "./testing/world.ts";

/** Two transfers: hk's chain is its advance and both. */
const sent = (): World => {
  const world = makeFundedWorld();
  world.transfer({ key: "one" });
  world.transfer({ key: "two" });
  return world;
};

const audit = (world: World, entries: readonly string[] = world.entries): string => {
  const history = world.keyLog.history();
  const state = beginAudit({ origin, history, signatures: true });
  for (const entry of entries) {
    const result = auditEntry(state, entry);
    if (!result.ok) return result.code;
  }
  return "stands";
};

describe("a chain statement", () => {
  it("is an entry of the participant's own chain, and of no other's", () => {
    const world = sent();
    const before = world.chains.get(hk)?.length ?? 0;
    const { outcome } = world.run([world.stateChain()]);
    expect(outcome.entries).toMatchObject([{ outcome: "recorded", postings: [] }]);
    expect(outcome.entries[0]?.chains).toEqual([{ participant: hk, n: before }]);
    expect([...outcome.inbox.keys()]).toEqual([hk]);
    expect(audit(world)).toBe("stands");
  });

  it("may come later than the entry it names, for a payer and a payee alike", () => {
    const world = sent();
    const [ofPayer, ofPayee] = [hk, ph].map((participant) => {
      const signers = [participant === hk ? testKeys.hk : testKeys.ph];
      return world.stateChain({ participant }, { signers });
    });
    world.transfer({ key: "three" });
    const { outcome } = world.run([ofPayer!, ofPayee!]);
    expect(outcome.entries).toHaveLength(2);
    expect(audit(world)).toBe("stands");
  });

  it("is signed by a liquidity provider with the key it has", () => {
    const world = sent();
    const said = world.stateChain({ participant: fx }, { signers: [testKeys.fx] });
    expect(world.run([said]).outcome.entries).toHaveLength(1);
    expect(audit(world)).toBe("stands");
  });

  it.each([
    ["an entry that is not there yet", { to: 3 }, "statement-refused"],
    ["nothing", { from: 2, to: 1 }, "statement-refused"],
    ["another entry than it names", { to: 1, head: `${"B".repeat(43)}=` }, "statement-refused"],
    ["another place", { size: 4 }, "statement-refused"],
    ["a chain of another", { participant: ph }, "signature-missing"],
  ])("is dead-lettered when it states %s", (_what, body, code) => {
    const world = sent();
    const { outcome } = world.run([world.stateChain(body)]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code }] });
  });

  it("says nothing of what was credited later", () => {
    const world = sent();
    const said = world.stateChain({ participant: ph, to: 0 }, { signers: [testKeys.ph] });
    world.run([world.credit(ph, 1)]);
    expect(world.run([said]).outcome.deadLetters).toMatchObject([{ code: "statement-refused" }]);
    const now = world.stateChain({ participant: ph }, { signers: [testKeys.ph] });
    expect(world.run([now]).outcome.entries).toHaveLength(1);
    expect(audit(world)).toBe("stands");
  });

  it("does not pass an audit with a head or a number that the chain does not have", () => {
    // A ledger that does not look: what it records is seen by everybody else.
    for (const [body, code] of [
      [{ to: 0, head: `${"B".repeat(42)}A=` }, "head-mismatch"],
      [{ to: 9 }, "statement-ahead"],
      [{ size: 99 }, "statement-ahead"],
    ] as const) {
      const world = sent();
      const said = world.stateChain();
      world.run([said]);
      const { note } = world.stateChain({ ...said.body, ...body });
      const pieces = world.entries.map(takeApart);
      const last = pieces.pop();
      const forged = putTogether([...pieces, { context: last!.context, inner: note }]);
      expect(audit(world, forged)).toBe(code);
    }
  });
});
