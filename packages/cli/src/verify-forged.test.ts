import { noteHash } from "@sealane/protocol";
import {
  cosignedCheckpoint,
  hk,
  lineOf,
  makeFundedWorld,
  ph,
  policy,
  putTogether,
  say,
  takeApart,
  testKeys,
  witnessKeys,
  type Piece,
  type World,
} from "@sealane/rules/testing";
import { appendLeaf, composeNote, emptyRange, leafHash, parseNote, utf8 } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { keysOf as copyOf, receiptOf, statuses } from "./testing/receipts.ts";
import { verifyReceipt, type KeysCopy, type Verdict } from "./verify-receipt.ts";

const sheetNote = (world: World): string => takeApart(world.entries[2] ?? "").inner;
const keysOf = (world: World): KeysCopy => copyOf(world, [sheetNote(world)]);

const verify = (receipt: string, keys?: KeysCopy): Verdict =>
  verifyReceipt(utf8(receipt), { policy, keys });

/** A world whose entry 3 is a transfer of 1000.00 HKD. */
const makePaid = (): World => {
  const world = makeFundedWorld();
  world.transfer({ key: "paid" });
  return world;
};

/** Properly sealed, whatever the entries are. */
const seal = (entries: readonly string[], timeSeconds: number): string => {
  const range = entries.map((entry) => leafHash(entry)).reduce(appendLeaf, emptyRange());
  return cosignedCheckpoint(testKeys.checkpoint, range, witnessKeys.slice(0, 3), timeSeconds);
};

/** A good receipt of an entry that a dishonest operator changed. */
const forged = (world: World, place: number, edit: (piece: Piece) => Piece): string => {
  const pieces = world.entries.map(takeApart);
  const entries = putTogether(pieces.map((piece, at) => (at === place ? edit(piece) : piece)));
  return receiptOf(entries, place, seal(entries, Math.ceil(world.nowMs() / 1_000)));
};

describe("a sealed entry that does not stand", () => {
  const again = (world: World, place: number, edit: (piece: Piece) => Piece): Verdict =>
    verify(forged(world, place, edit), keysOf(world));

  const unsigned = (name: string) => (piece: Piece) => {
    const { text, signatures } = parseNote(piece.inner);
    const lines = signatures.filter((one) => one.name !== name).map(({ line }) => line);
    return { ...piece, inner: composeNote(text, lines) };
  };

  it.each([
    ["payer", testKeys.hk.name],
    ["payee", testKeys.ph.name],
  ])("without the %s's signature", (_who, name) => {
    const verdict = again(makePaid(), 3, unsigned(name));
    expect(verdict.ok).toBe(false);
    expect(statuses(verdict)).toMatchObject({
      sealed: "checked",
      keys: "checked",
      parties: "signature-missing",
      policy: "not checked",
      conversion: "not checked",
    });
  });

  it("with postings that its terms do not give", () => {
    const verdict = again(makePaid(), 3, ({ context, inner }) => ({
      context: { ...context, postings: context.postings.slice(1) },
      inner,
    }));
    expect(statuses(verdict).parties).toBe("postings-mismatch");
  });

  it("signed with a key that was revoked before", () => {
    const world = makePaid();
    const body = { participant: ph, vkey: testKeys.ph.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [testKeys.phRoot], world.nowMs() - 1);
    const { size, roots } = world.keyLog.history();
    const keys = { size, root: roots[size] ?? "" };
    const verdict = again(world, 3, ({ context, inner }) => ({
      context: { ...context, keys },
      inner,
    }));
    expect(statuses(verdict)).toMatchObject({ keys: "checked", parties: "key-revoked" });
  });

  it("that leaves a revocation of more than 2 s ago out", () => {
    const world = makeFundedWorld();
    const before = world.keyLog.history().size;
    const body = { participant: ph, vkey: testKeys.ph.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [testKeys.phRoot], world.nowMs());
    world.run([], { atMs: world.nowMs() + 2_001, keysSize: before });
    const intent = say.intent(world.keys(before), world.terms());
    world.run([intent], { keysSize: before });
    const accepted = say.acceptance(
      world.keys(before),
      intent.body.id,
      world.state.open.get(intent.body.id)?.text ?? "",
    );
    world.run([accepted], { keysSize: before });
    const verdict = verify(world.receipt(3), keysOf(world));
    expect(statuses(verdict)).toMatchObject({ sealed: "checked", keys: "keys-stale" });
    expect(verdict.ok).toBe(false);
  });

  it("whose log time is more than 2 s after its seal", () => {
    const world = makePaid();
    const seconds = Math.floor(world.nowMs() / 1_000);
    const at = (early: number) =>
      statuses(verify(receiptOf(world.entries, 3, seal(world.entries, seconds - early))));
    expect(at(1).sealed).toBe("checked");
    expect(at(3).sealed).toBe("time-ahead");
  });

  it("at another place than it says", () => {
    const world = makePaid();
    const [a, b, ...rest] = world.entries as [string, string];
    const entries = [b, a, ...rest];
    const receipt = receiptOf(entries, 0, seal(entries, Math.ceil(world.nowMs() / 1_000)));
    expect(statuses(verify(receipt)).sealed).toBe("sequence-broken");
  });

  it("in which parties agreed on a price that the sheet does not give", () => {
    const world = makePaid();
    const verdict = again(world, 3, ({ context, inner }) => {
      const text = parseNote(inner).text.replace('"amount":"7235.50"', '"amount":"7235.51"');
      const lines = [testKeys.hk, testKeys.ph].map((key) => lineOf(key, text));
      const postings = context.postings.map((one) =>
        one.amount === "7235.50" ? { ...one, amount: "7235.51" } : one,
      );
      return { context: { ...context, postings }, inner: composeNote(text, lines) };
    });
    expect(statuses(verdict)).toMatchObject({
      parties: "checked",
      policy: "checked",
      conversion: "amount-mismatch",
    });
  });

  it("under a policy that is not met, or that never was", () => {
    const demanding = makeFundedWorld({
      policy: { operatorsFrom: [{ currency: "HKD", amount: "500.00", count: 1 }] },
    });
    demanding.transfer({ key: "small", amount: "499.99" });
    expect(statuses(verify(demanding.receipt(3), keysOf(demanding))).policy).toBe("checked");
    const { size, roots } = demanding.keyLog.history();
    const cited = { size, root: roots[size] ?? "" };
    const large = forged(makePaid(), 3, ({ context, inner }) => ({
      context: { ...context, keys: cited },
      inner,
    }));
    expect(statuses(verify(large, keysOf(demanding)))).toMatchObject({
      parties: "checked",
      policy: "policy-unmet",
      conversion: "not checked",
    });
    const edit = (from: string, to: string) => (piece: Piece) => {
      const text = parseNote(piece.inner).text.replace(from, to);
      const lines = [testKeys.hk, testKeys.ph].map((key) => lineOf(key, text));
      return { ...piece, inner: composeNote(text, lines) };
    };
    const unknown = again(makePaid(), 3, edit('"transfer/1"', '"transfer/2"'));
    expect(statuses(unknown)).toMatchObject({ parties: "checked", policy: "policy-unknown" });
    expect(unknown.ok).toBe(false);
  });

  it("of a log whose key the key log does not know", () => {
    const world = makePaid();
    const keys = keysOf(world);
    const lane = keys.entries.findIndex((entry) => entry.includes("/lanes/v1\n"));
    const shorter = { ...keys, entries: keys.entries.slice(0, lane) };
    expect(statuses(verify(world.receipt(3), shorter)).keys).toBe("size-mismatch");
  });
});

describe("a copy of the key log", () => {
  const world = makePaid();
  const receipt = world.receipt(3);
  const keys = keysOf(world);
  const code = (changed: KeysCopy): string => statuses(verify(receipt, changed)).keys;

  it("is refused when an entry is dropped, changed or too few cosigned it", () => {
    expect(code({ ...keys, entries: keys.entries.slice(0, -1) })).toBe("size-mismatch");
    expect(code({ ...keys, entries: keys.entries.slice(1) })).not.toBe("checked");
    expect(code({ ...keys, checkpoint: world.keyCheckpoint(2) })).toBe("quorum-missing");
    expect(code({ ...keys, checkpoint: world.checkpoint() })).toBe("wrong-log");
    for (const place of keys.entries.keys()) {
      const changed = keys.entries.map((entry, at) =>
        at === place ? entry.replace('"seq":', '"seq" :') : entry,
      );
      expect(code({ ...keys, entries: changed })).toBe("signature-wrong");
    }
  });

  it("that is older than what the receipt cites says so", () => {
    const paid = makePaid();
    const old = keysOf(paid);
    const oldCopy = { ...old, entries: [...old.entries] };
    const body = { participant: hk, vkey: testKeys.hk2.vkey, reason: "unused" };
    paid.keyLog.log("revocation", body, [testKeys.hkRoot], paid.nowMs());
    paid.transfer({ key: "later" });
    expect(statuses(verify(paid.receipt(4), oldCopy)).keys).toBe("keys-too-old");
    expect(statuses(verify(paid.receipt(3), oldCopy)).keys).toBe("checked");
  });

  it("is never believed for its sheets: the provider must have signed them", () => {
    const { text } = parseNote(sheetNote(world));
    const cite = (sheet: string): Verdict => {
      const receiptCiting = forged(world, 3, ({ context, inner }) => {
        const terms = parseNote(inner).text.replace(noteHash(sheetNote(world)), noteHash(sheet));
        const lines = [testKeys.hk, testKeys.ph].map((key) => lineOf(key, terms));
        return { context, inner: composeNote(terms, lines) };
      });
      return verify(receiptCiting, { ...keys, sheets: [sheetNote(world), sheet] });
    };
    for (const key of [testKeys.stranger, testKeys.fxTransfer, testKeys.hk]) {
      const verdict = cite(composeNote(text, [lineOf(key, text)]));
      expect(statuses(verdict).conversion).toBe("signature-missing");
      expect(verdict.ok).toBe(false);
    }
    const better = text.replace('"rate":"7.25"', '"rate":"7.26"');
    expect(better).not.toBe(text);
    const dearer = cite(composeNote(better, [lineOf(testKeys.fx, better)]));
    expect(statuses(dearer).conversion).toBe("amount-mismatch");
    const over = text.replace(/"honourUntil":"[^"]+"/, '"honourUntil":"2026-11-22T06:00:00.000Z"');
    const late = cite(composeNote(over, [lineOf(testKeys.fx, over)]));
    expect(statuses(late).conversion).toBe("sheet-not-honoured");
  });
});
