import { formatTime } from "@sealane/protocol";
import { composeNote } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { foldKeyLog } from "./key-history.ts";
import {
  audit,
  auditInParts,
  forge,
  changedForgeries,
  forgeChanged,
  forgedKeyLogs,
  makeChangedLog,
  forgedStatements,
  forgeKeyLog,
  forgeries,
  hk,
  lineOf,
  makeGenesis,
  makeFundedWorld,
  makeLog,
  makeWorld,
  putTogether,
  say,
  takeApart,
  testKeys,
  type Piece,
} from "./testing/index.ts";

describe("a log that a dishonest operator has put together so that all hashes fit", () => {
  const named = [...forgeries, ...forgedStatements].map((one) => [one[0], one] as const);

  it.each(named)("is refused: %s", (_what, forgery) => {
    const [, , position, code] = forgery;
    const { world, entries } = forge(forgery);
    expect(audit(world, entries)).toEqual({ position, code });
    // Where two things are wrong with one entry, the other may be named.
    expect(auditInParts(world, entries)).toMatchObject({ position });
  });

  it("is told from a whole one, which stands in both ways", () => {
    for (const world of [makeLog(), makeChangedLog()]) {
      expect(auditInParts(world, world.entries)).toBe(world.entries.length);
    }
  });

  it("is refused where terms can only have been reserved after their sheet had ended", () => {
    const world = makeFundedWorld();
    world.run([], { atMs: world.nowMs() + 100_000 });
    const late = world.intent({ key: "late" });
    world.run([late]);
    world.publishSheet({ rate: "7.3" });
    const endsAtMs = world.nowMs() + 2_000;
    world.run([world.accept(late.body.id)], { atMs: world.nowMs() + 3_000 });
    expect(audit(world, world.entries)).toBe(5);
    const pieces = world.entries.map(takeApart);
    const reservedAt = (atMs: number): string[] => {
      const expiresAt = formatTime(atMs + 300_000);
      const { text } = say.intent(world.keys(), { ...late.body, expiresAt });
      const inner = composeNote(text, [lineOf(testKeys.hk, text), lineOf(testKeys.ph, text)]);
      return putTogether([...pieces.slice(0, 4), { ...(pieces[4] as Piece), inner }]);
    };
    expect(audit(world, reservedAt(endsAtMs - 1))).toBe(5);
    expect(audit(world, reservedAt(endsAtMs))).toEqual({ position: 4, code: "sheet-not-honoured" });
  });

  it("is refused where more was converted than the sheet's total", () => {
    const world = makeWorld();
    world.fund();
    world.publishSheet({ totalPerLane: "1500.00" });
    world.transfer({ key: "first" });
    const sheet = [...world.state.sheets.values()][0]?.[0];
    if (sheet !== undefined) sheet.usedMinor = 0n;
    world.transfer({ key: "second" });
    expect(audit(world, world.entries)).toEqual({ position: 4, code: "sheet-exhausted" });
  });

  it("is refused where a revoked key was still counted, or its revocation left out", () => {
    const world = makeFundedWorld();
    const before = world.keyLog.history().size;
    const body = { participant: hk, vkey: testKeys.hk.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [testKeys.hkRoot], world.nowMs());
    const intent = say.intent(world.keys(before), world.terms());
    world.run([intent], { keysSize: before });
    world.run([world.accept(intent.body.id)], { keysSize: before });
    expect(audit(world, world.entries)).toBe(4);
    const pieces = world.entries.map(takeApart);
    const last = pieces.at(-1) as Piece;
    const history = world.keyLog.history();
    const keys = { size: history.size, root: history.roots[history.size] ?? "" };
    const now = putTogether([
      ...pieces.slice(0, 3),
      { ...last, context: { ...last.context, keys } },
    ]);
    expect(audit(world, now)).toEqual({ position: 3, code: "key-revoked" });
    const time = "2026-11-22T07:00:03.041Z";
    const late = putTogether([
      ...pieces.slice(0, 3),
      { ...last, context: { ...last.context, time } },
    ]);
    expect(audit(world, late)).toEqual({ position: 3, code: "keys-stale" });
  });
});

describe("a suspension", () => {
  const suspend = (world: ReturnType<typeof makeFundedWorld>, who: string, atMs: number): void => {
    const body = { participant: who, suspended: true, reason: "x" };
    world.keyLog.log("suspension", body, [testKeys.alice], atMs);
  };
  /** Entry 3 again, at another time and under the newest keys. */
  const citing = (world: ReturnType<typeof makeFundedWorld>, atMs: number): string[] => {
    const { size, roots } = world.keyLog.history();
    const keys = { size, root: roots[size] ?? "" };
    return putTogether(
      world.entries.map(takeApart).map((piece, at) => {
        if (at !== 3) return piece;
        return { ...piece, context: { ...piece.context, keys, time: formatTime(atMs) } };
      }),
    );
  };

  it("of the payer or the provider lets end what was reserved before, and nothing else", () => {
    for (const who of [hk, "fx-desk.example"]) {
      const world = makeFundedWorld();
      suspend(world, who, world.nowMs());
      world.run([], { atMs: world.nowMs() + 303_000 });
      const terms = world.terms();
      const { text } = say.intent(world.keys(), terms);
      const inner = composeNote(text, [lineOf(testKeys.hk, text), lineOf(testKeys.ph, text)]);
      const like = makeFundedWorld();
      like.transfer();
      const model = takeApart(like.entries[3] ?? "");
      const { size, roots } = world.keyLog.history();
      const keys = { size, root: roots[size] ?? "" };
      const context = { ...model.context, keys, time: formatTime(world.nowMs()) };
      const forged = putTogether([...world.entries.map(takeApart), { context, inner }]);
      expect(audit(world, forged)).toEqual({ position: 3, code: "participant-suspended" });
    }
  });

  it("of the payer after the reservation stops no commit", () => {
    const world = makeFundedWorld();
    world.transfer();
    suspend(world, hk, world.nowMs() - 5);
    expect(audit(world, citing(world, world.nowMs()))).toBe(4);
  });
});

describe("a log whose keys and policies change", () => {
  it("stands", () => {
    const world = makeChangedLog();
    expect(audit(world, world.entries)).toBe(world.entries.length);
  });

  it.each(changedForgeries.map((one) => [one[0], one] as const))("is refused: %s", (_, forgery) => {
    const { world, entries } = forgeChanged(forgery);
    expect(audit(world, entries)).toEqual({ position: forgery[2], code: forgery[3] });
    expect(auditInParts(world, entries)).toMatchObject({ position: forgery[2] });
  });
});

describe("a key log in which every hash and the log's own signatures fit", () => {
  const named = forgedKeyLogs.map((one) => [one[0], one] as const);

  it.each(named)("is refused: %s", (_what, forgery) => {
    const entries = forgeKeyLog(forgery);
    expect(foldKeyLog([testKeys.keyLog.key], entries.slice(0, -1))).toMatchObject({ ok: true });
    expect(foldKeyLog([testKeys.keyLog.key], entries)).toMatchObject({
      ok: false,
      code: forgery[4],
    });
  });

  it("is refused with a line of its own key that is not good, beside the good one", () => {
    const { entries } = makeGenesis();
    const bad = `${entries.at(-1)}${lineOf(testKeys.keyLog, "something else\n")}\n`;
    const folded = foldKeyLog([testKeys.keyLog.key], [...entries.slice(0, -1), bad]);
    expect(folded).toMatchObject({ ok: false, code: "signature-wrong" });
  });
});
