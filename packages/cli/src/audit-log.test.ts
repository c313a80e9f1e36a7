import {
  cosignedCheckpoint,
  makeFundedWorld,
  makeLog,
  origin,
  policy,
  putTogether,
  takeApart,
  testKeys,
  witnessKeys,
  type World,
} from "@sealane/rules/testing";
import {
  appendLeaf,
  composeNote,
  concatBytes,
  emptyRange,
  leafHash,
  parseNote,
  toBase64,
} from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { auditLog } from "./audit-log.ts";
import { openLog, type LogSource } from "./log-source.ts";
import { memoryLog, type MemoryLogOptions } from "./testing/memory-log.ts";

const audit = (log: LogSource, threads = 0) => auditLog({ log, policy, threads });

/** A log of more than one bundle, with a higher tile. */
const makeLong = (): World => {
  const world = makeFundedWorld();
  for (let at = 0; at < 300; at += 1) world.transfer({ key: `long-${at}`, amount: "10.00" });
  return world;
};
const long = makeLong();

/** Sealed by everybody, whatever the entries are. */
const seal = (entries: readonly string[], timeSeconds: number): string =>
  cosignedCheckpoint(
    testKeys.checkpoint,
    entries.map((entry) => leafHash(entry)).reduce(appendLeaf, emptyRange()),
    witnessKeys.slice(0, 3),
    timeSeconds,
  );

const sealedAt = (world: World): number => Math.ceil(world.nowMs() / 1_000);

describe("a log that stands", () => {
  it("comes to the totals and the root that it has", async () => {
    const world = makeLog();
    const report = await audit(memoryLog(world));
    expect(report).toMatchObject({
      ok: true,
      origin,
      entries: 11,
      root: toBase64(world.root()),
      keysSize: world.keyLog.entries.length,
      signatures: true,
      totals: { transfers: { committed: 2, rejected: 1, cancelled: 1, expired: 1 } },
    });
  });

  it("stands over several bundles, in threads and without signatures alike", async () => {
    const log = memoryLog(long);
    const here = await audit(log);
    expect(here).toMatchObject({ ok: true, entries: 303 });
    const totals = here.ok ? here.totals : undefined;
    expect(await audit(log, 2)).toMatchObject({ ok: true, entries: 303, totals });
    expect(await auditLog({ log, policy, signatures: false })).toMatchObject({ ok: true, totals });
  });

  it("is audited to its checkpoint, though it has grown", async () => {
    const checkpoint = long.checkpoint(256);
    expect(await audit(memoryLog(long, { checkpoint }))).toMatchObject({ ok: true, entries: 256 });
  });

  it("may have dropped a partial tile or bundle whose full one it has", async () => {
    const checkpoint = long.checkpoint(200);
    const tamper = (path: string, bytes: Uint8Array) =>
      path.includes(".p/") && !path.startsWith("keys/") ? undefined : bytes;
    const report = await audit(memoryLog(long, { checkpoint, tamper }));
    expect(report).toMatchObject({ ok: true, entries: 200 });
  });

  it("may be told its key log from a copy", async () => {
    const nothing = { ...memoryLog(long), keys: memoryLog(long, { keyEntries: [] }).keys };
    const keys = { checkpoint: long.keyCheckpoint(), entries: long.keyLog.entries, sheets: [] };
    expect(await auditLog({ log: nothing, policy, keys })).toMatchObject({ ok: true });
    const fewer = { ...keys, entries: keys.entries.slice(0, -1) };
    expect(await auditLog({ log: nothing, policy, keys: fewer })).toMatchObject({
      ok: false,
      code: "size-mismatch",
    });
  });

  it("tells how far it is", async () => {
    const seen: number[][] = [];
    const onProgress = (done: number, size: number) => void seen.push([done, size]);
    await auditLog({ log: memoryLog(long), policy, threads: 0, onProgress });
    expect(seen).toEqual([
      [256, 303],
      [303, 303],
    ]);
  });
});

describe("a log that was audited before", () => {
  const seenAt = (world: World, size: number) => ({
    log: world.checkpoint(size),
    keys: world.keyCheckpoint(),
  });
  const again = (log: LogSource, remembered: ReturnType<typeof seenAt>) =>
    auditLog({ log, policy, threads: 0, remembered });

  it("has grown from what is remembered of it", async () => {
    for (const size of [0, 1, 256, 303]) {
      const report = await again(memoryLog(long), seenAt(long, size));
      expect(report).toMatchObject({ ok: true, entries: 303 });
      expect(report.ok ? report.seen : undefined).toEqual(seenAt(long, 303));
    }
  });

  it("is refused at an older state, though that was sealed", async () => {
    const checkpoint = long.checkpoint(256);
    const report = await again(memoryLog(long, { checkpoint }), seenAt(long, 303));
    expect(report).toMatchObject({ ok: false, code: "log-rolled-back" });
    const other = { ...seenAt(long, 303), log: long.keyCheckpoint() };
    expect(await again(memoryLog(long), other)).toMatchObject({ ok: false, code: "wrong-log" });
  });

  it("is refused when it, or its key log, has another past, though all witnesses sealed it", async () => {
    const world = makeLog();
    const entries = putTogether(long.entries.map(takeApart).filter((_, at) => at !== 290));
    const log = memoryLog(long, { entries, checkpoint: seal(entries, sealedAt(long)) });
    expect(await again(log, seenAt(long, 290))).toMatchObject({ ok: true });
    const forked = await again(log, seenAt(long, 291));
    expect(forked).toMatchObject({ ok: false, code: "log-forked", position: 290 });
    const keys = cosignedCheckpoint(
      testKeys.keyLog,
      appendLeaf(emptyRange(), leafHash("another past")),
      witnessKeys.slice(0, 3),
      sealedAt(world),
    );
    const otherKeys = await again(memoryLog(world), { ...seenAt(world, 5), keys });
    expect(otherKeys).toMatchObject({ ok: false, code: "log-forked" });
  });
});

describe("a log that does not stand", () => {
  const flip = (bytes: Uint8Array, at: number): Uint8Array => {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  };
  const at = (wanted: string, change: (bytes: Uint8Array) => Uint8Array | undefined) => ({
    tamper: (path: string, bytes: Uint8Array) => (path === wanted ? change(bytes) : bytes),
  });
  const world = makeLog();

  const cases: [what: string, options: MemoryLogOptions, code: string, position?: number][] = [
    ["a changed hash in a tile", at("tile/0/000", (b) => flip(b, 99)), "tile-mismatch", 0],
    ["a changed hash higher up", at("tile/1/000.p/1", (b) => flip(b, 9)), "tile-mismatch", 0],
    ["a tile that is missing", at("tile/0/001.p/47", () => undefined), "tile-missing", 256],
    [
      "a bundle that is missing",
      at("tile/entries/001.p/47", () => undefined),
      "bundle-missing",
      256,
    ],
    ["a bundle cut short", at("tile/entries/000", (b) => b.slice(0, -9)), "bundle-malformed", 0],
    [
      "a bundle with an entry too many",
      at("tile/entries/001.p/47", (b) => concatBytes(b, Uint8Array.of(0, 1, 65))),
      "bundle-malformed",
      303,
    ],
    ["too few cosignatures", { checkpoint: long.checkpoint(303, 2) }, "quorum-missing"],
    ["the key log's checkpoint", { checkpoint: long.keyCheckpoint() }, "wrong-log"],
    ["too few on the key log", { keyCheckpoint: long.keyCheckpoint(2) }, "quorum-missing"],
    [
      "a key-log entry dropped",
      at("keys/tile/entries/000.p/12", () => undefined),
      "bundle-missing",
    ],
    [
      "a changed tile of the key log",
      at("keys/tile/0/000.p/12", (b) => flip(b, 5)),
      "tile-mismatch",
    ],
  ];
  it.each(cases)("for %s", async (_what, options, code, position) => {
    expect(long.keyLog.entries).toHaveLength(12);
    const report = await audit(memoryLog(long, options));
    expect(report).toMatchObject({
      ok: false,
      code,
      ...(position === undefined ? {} : { position }),
    });
  });

  it("for a changed byte in any entry, at its place, in threads and here alike", async () => {
    for (const place of world.entries.keys()) {
      const note = world.entries[place] ?? "";
      for (const where of [note.indexOf("keys") + 15, note.length - 20]) {
        const other = note[where] === "A" ? "B" : "A";
        const changed = note.slice(0, where) + other + note.slice(where + 1);
        const entries = world.entries.map((entry, one) => (one === place ? changed : entry));
        const report = await audit(memoryLog(world, { entries }));
        expect(report).toMatchObject({ ok: false, position: place });
        if (place % 5 === 0) expect(await audit(memoryLog(world, { entries }), 1)).toEqual(report);
      }
    }
  });

  it("for a bad signature in sealed entries that else fit: the first in log order", async () => {
    const pieces = long.entries.map(takeApart);
    const broken = (place: number) => {
      const piece = pieces[place] ?? { context: pieces[0]!.context, inner: "" };
      const other = parseNote(pieces[place + 1]?.inner ?? "");
      const { text, signatures } = parseNote(piece.inner);
      const lines = [signatures[0]?.line ?? "", other.signatures[1]?.line ?? ""];
      return { ...piece, inner: composeNote(text, lines) };
    };
    const entries = putTogether(
      pieces.map((piece, place) => ([40, 290].includes(place) ? broken(place) : piece)),
    );
    const options = { entries, checkpoint: seal(entries, sealedAt(long)) };
    const expected = { ok: false, code: "signature-wrong", position: 40 };
    expect(await audit(memoryLog(long, options))).toMatchObject(expected);
    expect(await audit(memoryLog(long, options), 2)).toMatchObject(expected);
    expect(
      await auditLog({ log: memoryLog(long, options), policy, signatures: false }),
    ).toMatchObject({ ok: true });
  });

  it("for entries that are not those that were cosigned", async () => {
    const other = makeFundedWorld();
    for (let one = 0; one < 300; one += 1) other.transfer({ key: `x-${one}`, amount: "10.00" });
    const report = await audit(memoryLog(other, { checkpoint: long.checkpoint() }));
    expect(report).toMatchObject({ ok: false, code: "root-mismatch", entries: 303 });
  });

  it("for log time that is ahead of the witnesses", async () => {
    const checkpoint = seal(world.entries, Math.floor(world.nowMs() / 1_000) - 3);
    expect(await audit(memoryLog(world, { checkpoint }))).toMatchObject({ code: "time-ahead" });
  });

  it("for an entry so odd that the rules throw", async () => {
    const pieces = world.entries.map(takeApart);
    const { text } = parseNote(pieces[0]?.inner ?? "");
    const odd = text.replace(/"amount":"[^"]+"/, '"amount":"1.2345"');
    const inner = composeNote(
      odd,
      parseNote(pieces[0]?.inner ?? "").signatures.map(({ line }) => line),
    );
    const postings = pieces[0]!.context.postings.map((one) => ({ ...one, amount: "1.2345" }));
    const piece = { context: { ...pieces[0]!.context, postings }, inner };
    const entries = putTogether([piece, ...pieces.slice(1)]);
    const options = { entries, checkpoint: seal(entries, sealedAt(world)) };
    const report = await auditLog({ log: memoryLog(world, options), policy, signatures: false });
    expect(report).toMatchObject({ ok: false, position: 0 });
  });
});

describe("a log that cannot be reached", () => {
  it("gets no verdict", async () => {
    const log = openLog("http://127.0.0.1:1/log");
    await expect(auditLog({ log, policy })).rejects.toMatchObject({ code: "log-unreachable" });
  });

  it("but a folder without a log does", async () => {
    const report = await auditLog({ log: "/nonexistent/folder", policy });
    expect(report).toMatchObject({ ok: false, code: "log-refused" });
  });
});
