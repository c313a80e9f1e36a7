import { type EntryContext } from "@sealane/protocol";
import { leafHash, toBase64 } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { auditEntry, auditRoot, auditTotals, lendHead } from "./audit.ts";
import { auditSnapshot, beginAudit, resumeAudit } from "./audit-state.ts";
import {
  audit,
  begin,
  hk,
  makeFundedWorld,
  makeLog,
  makeWorld,
  origin,
  ph,
  putTogether,
  say,
  signPiece,
  takeApart,
  testKey,
  testKeys,
  type Piece,
  type World,
} from "./testing/index.ts";

const hkRates = testKey(`${hk}/rates`);

describe("an honest log", () => {
  it("stands, with the root and the totals that its entries have", () => {
    const world = makeLog();
    const state = begin(world);
    for (const note of world.entries) expect(auditEntry(state, note)).toMatchObject({ ok: true });
    expect(auditRoot(state)).toEqual(world.root());
    const totals = auditTotals(state);
    expect(totals).toMatchObject({
      entries: 11,
      transfers: { committed: 2, rejected: 1, cancelled: 1, expired: 1 },
    });
    // 1000.00 HKD less 2.00 fee at 7.25; 500.00 PHP at 7.5 is 66.67 HKD and the minimum fee.
    expect(totals.flows).toEqual([
      { currency: "HKD", sent: 106_767n, received: 0n, fees: 300n },
      { currency: "PHP", sent: 0n, received: 773_550n, fees: 0n },
    ]);
    expect(totals.sums).toEqual([
      { currency: "HKD", difference: 0n },
      { currency: "PHP", difference: 0n },
    ]);
    expect(totals.balances).toContainEqual({
      account: `${ph}:position`,
      currency: "PHP",
      debits: 0n,
      credits: 773_550n,
    });
  });

  it("stands without judging signatures too", () => {
    const world = makeLog();
    expect(audit(world, world.entries, false)).toBe(11);
  });

  it("goes on from a snapshot that went through JSON as if never interrupted", () => {
    const world = makeLog();
    const whole = begin(world);
    for (const note of world.entries) auditEntry(whole, note);
    for (let cut = 0; cut < world.entries.length; cut += 1) {
      const first = begin(world);
      for (const note of world.entries.slice(0, cut)) auditEntry(first, note);
      const snapshot = JSON.parse(JSON.stringify(auditSnapshot(first)));
      const { balances } = auditTotals(first);
      const options = { origin, history: world.keyLog.history(), signatures: true };
      const second = resumeAudit(options, snapshot, balances);
      for (const id of first.ids ?? []) second.ids?.add(id);
      for (const note of world.entries.slice(cut)) {
        let result = auditEntry(second, note);
        if (!result.ok && result.needs !== undefined) {
          const { participant, n } = result.needs;
          lendHead(second, participant, n, world.chains.get(participant)?.[n] ?? "");
          result = auditEntry(second, note);
        }
        expect(result).toMatchObject({ ok: true });
      }
      expect(auditRoot(second)).toEqual(auditRoot(whole));
      expect(auditTotals(second)).toEqual(auditTotals(whole));
      expect(auditSnapshot(second)).toEqual(auditSnapshot(whole));
    }
  });

  it("asks for a hash that it no longer holds, and refuses another one", () => {
    const world = makeFundedWorld();
    for (const key of ["a", "b", "c", "d"]) world.transfer({ key });
    const upTo = (world.chains.get(ph)?.length ?? 0) - 3;
    world.run([world.credit(ph, upTo)]);
    const history = world.keyLog.history();
    const state = beginAudit({ origin, history, signatures: false, headsKept: 1 });
    for (const note of world.entries.slice(0, -1)) auditEntry(state, note);
    const last = world.entries.at(-1) ?? "";
    const needs = { participant: ph, n: upTo };
    expect(auditEntry(state, last)).toMatchObject({ ok: false, code: "head-unloaded", needs });
    lendHead(state, ph, upTo, world.chains.get(ph)?.at(-1) ?? "");
    expect(auditEntry(state, last)).toMatchObject({ ok: false, code: "credited-head" });
    lendHead(state, ph, upTo, world.chains.get(ph)?.[upTo] ?? "");
    expect(auditEntry(state, last)).toMatchObject({ ok: true });
  });

  it("has one link in the chain of a wallet that is the provider too", () => {
    const world = makeWorld({ hk: { roles: ["wallet", "liquidity-provider"] } });
    world.fund();
    world.run([say.advance(world.keys(), { key: "php", currency: "PHP" })]);
    const rates = { provider: hk, number: 1 };
    world.keyLog.log(
      "key",
      { participant: hk, purpose: "rate-sheet", vkey: hkRates.vkey },
      [testKeys.hkRoot, hkRates],
      world.nowMs(),
    );
    const sheet = say.rateSheet(world.keys(), say.makeSheet(rates, world.nowMs()), {
      signers: [hkRates],
    });
    world.run([sheet]);
    const cited = { sheet: sheet.body, hash: say.sheetHash(sheet) };
    const intent = say.intent(world.keys(), say.makeTerms(cited, world.nowMs()));
    world.run([intent]);
    world.run([world.accept(intent.body.id)]);
    expect(takeApart(world.entries.at(-1) ?? "").context.chains).toHaveLength(2);
    expect(audit(world, world.entries)).toBe(world.entries.length);
  });
});

describe("a log that was damaged", () => {
  const pieceOf = (world: World, position: number): Piece =>
    takeApart(world.entries[position] ?? "");
  const replaced = (world: World, position: number, note: string): string[] =>
    world.entries.map((entry, n) => (n === position ? note : entry));

  it("is refused at a place that is left out, repeated or exchanged", () => {
    const world = makeLog();
    const { entries } = world;
    const broken = { position: 4, code: "sequence-broken" };
    expect(audit(world, [...entries.slice(0, 4), ...entries.slice(5)])).toEqual(broken);
    expect(audit(world, [...entries.slice(0, 4), ...entries.slice(3)])).toEqual(broken);
    const [a, b] = [entries[4] ?? "", entries[5] ?? ""];
    expect(audit(world, [...entries.slice(0, 4), b, a, ...entries.slice(6)])).toEqual(broken);
  });

  it("is refused where a hash does not follow, though it is signed", () => {
    const world = makeLog();
    const { context, inner } = pieceOf(world, 4);
    const prev = toBase64(leafHash("other"));
    const first = signPiece({ context: { ...context, prev }, inner });
    expect(audit(world, replaced(world, 4, first))).toEqual({ position: 4, code: "prev-mismatch" });
    const [link, ...rest] = context.chains;
    const chains = [{ ...(link as EntryContext["chains"][number]), prev }, ...rest];
    const second = signPiece({ context: { ...context, chains }, inner });
    expect(audit(world, replaced(world, 4, second))).toEqual({ position: 4, code: "chain-broken" });
  });

  it("is refused where another than the entry key has signed", () => {
    const world = makeLog();
    const forged = signPiece(pieceOf(world, 4), testKeys.checkpoint);
    expect(audit(world, replaced(world, 4, forged))).toEqual({
      position: 4,
      code: "signature-missing",
    });
  });

  it("is refused for any byte that is changed", () => {
    const world = makeFundedWorld();
    world.transfer();
    const note = world.entries[3] ?? "";
    const accepted: number[] = [];
    for (let byte = 0; byte < note.length; byte += 1) {
      const other = note[byte] === "A" ? "B" : "A";
      const changed = note.slice(0, byte) + other + note.slice(byte + 1);
      const state = begin(world);
      for (const entry of world.entries.slice(0, 3)) auditEntry(state, entry);
      const result = auditEntry(state, changed);
      // A changed operator's line may be that of an unknown key, but then the right one is missing.
      if (result.ok) accepted.push(byte);
    }
    expect(accepted).toEqual([]);
  });

  it("is refused when an entry is too large for a bundle", () => {
    const world = makeFundedWorld();
    const { context, inner } = pieceOf(world, 2);
    const large = signPiece({ context, inner: `${inner}${"— x/y AAAAAAAA\n".repeat(3_000)}` });
    expect(audit(world, replaced(world, 2, large))).toEqual({
      position: 2,
      code: "entry-too-large",
    });
  });

  it("leaves the state as it was when it refuses", () => {
    const world = makeLog();
    const state = begin(world);
    for (const note of world.entries.slice(0, 8)) auditEntry(state, note);
    const before = JSON.stringify(auditSnapshot(state));
    const forged = putTogether(world.entries.map(takeApart).slice(1));
    for (const note of forged) expect(auditEntry(state, note).ok).toBe(false);
    expect(JSON.stringify(auditSnapshot(state))).toBe(before);
    for (const note of world.entries.slice(8)) expect(auditEntry(state, note).ok).toBe(true);
  });
});
