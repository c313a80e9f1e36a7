import { expiredReason, formatTime, parseTime } from "@sealane/protocol";
import { parseNote } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { proposalRepeatMs } from "./lane.ts";
import {
  lanesRecord,
  audit,
  fx,
  hk,
  makeFundedWorld,
  operator,
  ph,
  say,
  signed,
  takeApart,
  testKey,
  testKeys,
  type TestKey,
  type World,
} from "./testing/index.ts";

const reserved = (key = "transfer-1"): { world: World; id: string; expiresAtMs: number } => {
  const world = makeFundedWorld();
  const intent = world.intent({ key });
  world.run([intent]);
  return { world, id: intent.body.id, expiresAtMs: parseTime(intent.body.expiresAt) };
};

/** Nothing is pending any more, and nothing was posted but the advances. */
const expectReleased = (world: World): void => {
  for (const balance of world.state.balances.values()) {
    expect(balance).toMatchObject({ pendingDebit: 0n, pendingCredit: 0n });
    if (/:(?:position|fees)$/.test(balance.account)) {
      expect(balance).toMatchObject({ postedDebit: 0n, postedCredit: 0n });
    }
  }
  expect(world.state.open.size).toBe(0);
  expect(world.state.pendingByPayer.get(hk)).toBe(0);
  expect(world.state.sheets.get(`${fx} HKD/PHP`)?.[0]?.usedMinor).toBe(0n);
};

describe("an acceptance", () => {
  it("commits: one entry, posted as reserved, told to all three", () => {
    const { world, id } = reserved();
    const { outcome } = world.run([world.accept(id)]);
    expect(outcome.entries).toMatchObject([
      {
        seq: 3,
        outcome: "committed",
        transferId: id,
        chains: [
          { participant: hk, n: 1 },
          { participant: ph, n: 0 },
          { participant: fx, n: 2 },
        ],
      },
    ]);
    expect([...outcome.inbox.keys()]).toEqual([hk, ph, fx]);
    expect(world.state.balances.get(`${hk}:position HKD`)).toMatchObject({
      pendingDebit: 0n,
      postedDebit: 100_000n,
    });
    expect(world.state.balances.get(`${ph}:position PHP`)?.postedCredit).toBe(723_550n);
    expect(world.state.sheets.get(`${fx} HKD/PHP`)?.[0]?.usedMinor).toBe(99_800n);
    expect(audit(world, world.entries)).toBe(4);
  });

  it("counts a millisecond before expiry, and not at the instant itself", () => {
    for (const [beforeMs, result] of [
      [1, "committed"],
      [0, "expired"],
      [-1, "expired"],
    ] as const) {
      const { world, id, expiresAtMs } = reserved();
      const { outcome } = world.run([world.accept(id)], { atMs: expiresAtMs - beforeMs });
      expect(outcome.entries.map((entry) => entry.outcome)).toEqual([result]);
      expect(audit(world, world.entries)).toBe(4);
      if (result === "expired") expectReleased(world);
    }
  });

  it("that comes after the end tells nobody anything, and changes nothing", () => {
    const { world, id } = reserved();
    const accept = world.accept(id);
    world.run([accept]);
    const { outcome } = world.run([accept]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [] });
    expect(outcome.inbox.size).toBe(0);
  });

  it.each([
    [
      "of nobody's transfer",
      (world: World) => ({ ...world.accept("none"), id: "none" }),
      "transfer-unknown",
    ],
    [
      "by the payer",
      (world: World, id: string) => world.accept(id, { signers: [testKeys.hk] }),
      "signature-missing",
    ],
    [
      "that does not verify",
      (world: World, id: string) => world.accept(id, { forged: true }),
      "signature-wrong",
    ],
    [
      "by an unknown key",
      (world: World, id: string) => world.accept(id, { signers: [testKeys.stranger] }),
      "key-unknown",
    ],
  ] as const)("%s is dead-lettered and leaves the transfer open", (_, command, code) => {
    const { world, id } = reserved();
    const { outcome } = world.run([command(world, id)]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code }] });
    expect(world.state.open.has(id)).toBe(true);
  });

  it("does not commit for a payee that was suspended meanwhile", () => {
    const { world, id } = reserved();
    const body = { participant: ph, suspended: true, reason: "test" };
    world.keyLog.log("suspension", body, [testKeys.bob], world.nowMs());
    expect(world.run([world.accept(id)]).outcome.deadLetters).toMatchObject([
      { code: "payee-suspended" },
    ]);
    const { alice, bob } = testKeys;
    world.keyLog.log("suspension", { ...body, suspended: false }, [alice, bob], world.nowMs());
    expect(world.run([world.accept(id)]).outcome.entries).toHaveLength(1);
  });

  it.each([
    ["payee", ph, testKeys.ph, testKeys.phRoot],
    ["payer", hk, testKeys.hk, testKeys.hkRoot],
  ])("does not commit under a key of the %s that was revoked meanwhile", (_, who, key, root) => {
    const { world, id, expiresAtMs } = reserved();
    const body = { participant: who, vkey: key.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [root], world.nowMs());
    const { outcome } = world.run([world.accept(id)]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code: "key-revoked" }] });
    world.run([], { atMs: expiresAtMs });
    expectReleased(world);
    expect(audit(world, world.entries)).toBe(4);
  });
});

describe("an acceptance after the payer was bound to a policy", () => {
  it("does not commit terms that cite another", () => {
    const { world, id, expiresAtMs } = reserved();
    const { alice, bob, hkRoot } = testKeys;
    const policy = { policy: "bound/1", kind: "transfer", operatorsFrom: [] };
    world.keyLog.log("policy", policy, [alice, bob], world.nowMs());
    const binding = { participant: hk, policy: "bound/1", reason: "test" };
    world.keyLog.log("binding", binding, [hkRoot, alice, bob], world.nowMs());
    const { outcome } = world.run([world.accept(id)]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code: "policy-bound" }] });
    world.run([], { atMs: expiresAtMs });
    expectReleased(world);
    const bound = world.intent({ policy: "bound/1", key: "bound" });
    world.run([bound]);
    expect(world.run([world.accept(bound.body.id)]).outcome.entries).toHaveLength(1);
    expect(audit(world, world.entries)).toBe(5);
  });
});

describe("a transfer that a policy lets through with two operators", () => {
  const { alice, bob } = testKeys;
  const carol = testKey("operator.example/carol");
  const approved = (signers: readonly TestKey[]) => {
    const operatorsFrom = [{ currency: "HKD", amount: "1000.00", count: 2 }];
    const world = makeFundedWorld();
    const body = { policy: "large/1", kind: "transfer", operatorsFrom };
    world.keyLog.log("policy", body, [alice, bob], world.nowMs());
    const made = world.intent({ policy: "large/1" }, { signers: [testKeys.hk, ...signers] });
    return { world, id: made.body.id, ...world.run([made]) };
  };

  it("is refused with one of them, or with one twice", () => {
    for (const signers of [[alice], [alice, alice], [alice, carol]]) {
      expect(approved(signers).outcome.refusals).toMatchObject([{ code: "policy-unmet" }]);
    }
  });

  it("commits with both, and their lines are in the entry", () => {
    const { world, id } = approved([alice, bob]);
    const { notes } = world.run([world.accept(id)]);
    const signers = parseNote(takeApart(notes[0] ?? "").inner).signatures.map(({ name }) => name);
    expect(signers).toEqual(expect.arrayContaining([alice.name, bob.name]) as string[]);
    expect(audit(world, world.entries)).toBe(4);
  });

  it("does not commit when one of them is no operator any more", () => {
    const { world, id } = approved([alice, bob]);
    const ledger = { operator, entryKey: testKeys.entry.vkey };
    const operators = [alice.vkey, carol.vkey];
    world.keyLog.log("ledger", { ...ledger, operators }, [alice, bob, carol], world.nowMs());
    const { outcome } = world.run([world.accept(id)]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code: "policy-unmet" }] });
  });
});

describe("a rejection", () => {
  it("releases, with the payee's reason and statement", () => {
    const { world, id } = reserved();
    const { outcome, notes } = world.run([world.reject(id, { reason: "AC04" })]);
    expect(outcome.entries).toMatchObject([{ outcome: "rejected", reason: "AC04", postings: [] }]);
    expect(takeApart(notes[0] ?? "").inner).toContain("/rejection/v1");
    expectReleased(world);
    expect(audit(world, world.entries)).toBe(4);
  });

  it.each(["acceptance", "rejection"])(
    "or acceptance: the first in log order counts (%s)",
    (first) => {
      const { world, id } = reserved();
      const both = [world.accept(id), world.reject(id)];
      const { outcome } = world.run(first === "acceptance" ? both : both.toReversed());
      expect(outcome.entries.map((entry) => entry.outcome)).toEqual([
        first === "acceptance" ? "committed" : "rejected",
      ]);
      expect(outcome.deadLetters).toEqual([]);
    },
  );

  it.each([
    [
      "by another than the payee",
      (world: World, id: string) => world.reject(id, { participant: hk }),
      "signature-missing",
    ],
    [
      "for another log",
      (world: World, id: string) =>
        say.rejection(world.keys(), { id }, world.openNote(id) ?? "", {
          origin: "sealane.example/2025/0",
        }),
      "wrong-log",
    ],
    [
      "of other terms",
      (world: World, id: string) =>
        say.rejection(world.keys(), { id }, world.intent({ key: "other" }).note),
      "wrong-log",
    ],
    [
      "of terms without the payer's line",
      (world: World, id: string) => {
        const { text } = parseNote(world.openNote(id) ?? "");
        return say.rejection(world.keys(), { id }, signed(text, [testKeys.fxTransfer]));
      },
      "signature-missing",
    ],
    [
      "signed by the payer",
      (world: World, id: string) =>
        say.rejection(world.keys(), { id }, world.openNote(id) ?? "", { signers: [testKeys.hk] }),
      "signature-missing",
    ],
    [
      "too large to be an entry",
      (world: World, id: string) => {
        const made = world.reject(id);
        return { ...made, note: made.note + "x".repeat(24 * 1024) };
      },
      "entry-too-large",
    ],
  ] as const)("%s is dead-lettered", (_, command, code) => {
    const { world, id } = reserved();
    const { outcome } = world.run([command(world, id)]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code }] });
    expect(world.state.open.has(id)).toBe(true);
  });
});

describe("a cancellation", () => {
  it("releases what is reserved, also without the terms at hand", () => {
    for (const terms of [true, false]) {
      const { world, id } = reserved();
      const cancel = terms ? world.cancel(id) : say.cancellation(world.keys(), { id }, undefined);
      const { outcome } = world.run([cancel]);
      expect(outcome.entries).toMatchObject([
        { outcome: "cancelled", reason: "CUST", postings: [] },
      ]);
      expectReleased(world);
      expect(audit(world, world.entries)).toBe(4);
    }
  });

  it("is not stopped by a revoked key", () => {
    const { world, id } = reserved();
    const body = { participant: hk, vkey: testKeys.hk.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [testKeys.hkRoot], world.nowMs());
    world.run([world.cancel(id)]);
    expectReleased(world);
    expect(audit(world, world.entries)).toBe(4);
  });

  it("by a revoked key binds no id that was never seen", () => {
    const world = makeFundedWorld();
    const body = { participant: hk, vkey: testKeys.hk.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [testKeys.hkRoot], world.nowMs());
    const { id } = world.terms();
    const { outcome } = world.run([world.cancel(id)]);
    expect(outcome).toMatchObject({ ended: [], deadLetters: [{ code: "key-revoked" }] });
  });

  it("binds no id that another lane decides: it could end here and there", () => {
    const world = makeFundedWorld();
    const body = lanesRecord([], [{ from: 0, to: 1_024 }]);
    world.keyLog.log("lanes", body, [testKeys.alice, testKeys.bob], world.nowMs());
    const { outcome } = world.run([world.cancel(world.terms().id)]);
    expect(outcome).toMatchObject({ ended: [], deadLetters: [{ code: "wrong-lane" }] });
  });

  it("after the end is refused, and the payer told how it ended", () => {
    const { world, id } = reserved();
    const cancel = world.cancel(id);
    world.run([world.accept(id)]);
    const { outcome } = world.run([cancel]);
    expect(outcome).toMatchObject({
      entries: [],
      ended: [],
      refusals: [{ code: "not-cancellable", final: false }],
    });
    expect(outcome.inbox.get(hk)).toEqual([
      { type: "entry", seq: 3 },
      { type: "refusal", id, index: 0 },
    ]);
  });

  it.each([
    ["by the payee", { signers: [testKeys.ph] }, "signature-missing"],
    ["that does not verify", { forged: true }, "signature-wrong"],
    ["for another log", { origin: "sealane.example/2025/0" }, "wrong-log"],
    ["of something else", { inner: "other\n\n— x/y AAAAAAAA\n" }, "wrong-log"],
  ])("%s is dead-lettered", (_, signing, code) => {
    const { world, id } = reserved();
    const { outcome } = world.run([world.cancel(id, signing)]);
    expect(outcome).toMatchObject({ entries: [], deadLetters: [{ code }] });
    expect(world.state.open.has(id)).toBe(true);
  });

  it("signed by a participant's revoked key for rates releases nothing", () => {
    const world = makeFundedWorld({ fx: { roles: ["liquidity-provider", "wallet"] } });
    const terms = { ...world.terms(), payer: { participant: fx, account: world.terms().request } };
    world.run([say.advance(world.keys(), { key: "fx", participant: fx })]);
    world.run([say.intent(world.keys(), terms, { signers: [testKeys.fxTransfer] })]);
    expect(world.state.open.size).toBe(1);
    const body = { participant: fx, vkey: testKeys.fx.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [testKeys.fxRoot], world.nowMs());
    const { id } = terms;
    const cancel = say.cancellation(world.keys(), { id, participant: fx }, world.openNote(id), {
      signers: [testKeys.fx],
    });
    expect(world.run([cancel]).outcome).toMatchObject({
      entries: [],
      deadLetters: [{ code: "key-revoked" }],
    });
  });
});

describe("time", () => {
  it("expires what is due before the batch's commands, with or without new input", () => {
    const world = makeFundedWorld();
    const soon = formatTime(world.nowMs() + 1_000);
    const later = formatTime(world.nowMs() + 2_000);
    world.run([
      world.intent({ key: "a", expiresAt: soon }),
      world.intent({ key: "b", expiresAt: later }),
    ]);
    const { outcome } = world.run([], { atMs: parseTime(soon) });
    expect(outcome.entries).toMatchObject([{ outcome: "expired", reason: expiredReason }]);
    expect(world.state.open.size).toBe(1);
    world.run([], { atMs: parseTime(later) + 5 });
    expectReleased(world);
    expect(audit(world, world.entries)).toBe(5);
  });

  it("repeats a proposal every two seconds until it is answered", () => {
    const { world, id } = reserved();
    const at = world.nowMs();
    const told = (atMs: number) => world.run([], { atMs }).outcome.inbox.get(ph);
    expect(told(at + proposalRepeatMs - 1)).toBeUndefined();
    expect(told(at + proposalRepeatMs)).toEqual([{ type: "proposal", id }]);
    expect(told(at + proposalRepeatMs + 1)).toBeUndefined();
    expect(told(at + 2 * proposalRepeatMs)).toEqual([{ type: "proposal", id }]);
  });

  it("never goes backwards", () => {
    const world = makeFundedWorld();
    expect(() => world.run([], { atMs: world.nowMs() - 1 })).toThrow(/log time/);
  });
});
