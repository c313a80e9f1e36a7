// An audit that goes on where another ended comes to what one audit of everything comes to, at every place;
// and what it did not read again it still refuses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bankLinesOf,
  cosignedCheckpoint,
  cut,
  makeChangedLog,
  makeFundedWorld,
  makeLog,
  makeReturnLog,
  makeSettlingWorld,
  netsOf,
  policy,
  putTogether,
  settle,
  takeApart,
  testKeys,
  witnessKeys,
  type World,
} from "@sealane/rules/testing";
import { appendLeaf, emptyRange, leafHash } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { auditLog } from "./audit-log.ts";
import type { AuditLogOptions, AuditReport, CursorFile } from "./audit-types.ts";
import { exportLog } from "./export-log.ts";
import type { LogSource } from "./log-source.ts";
import { memoryLog } from "./testing/memory-log.ts";

const makeLong = (): World => {
  const world = makeFundedWorld();
  for (let at = 0; at < 300; at += 1) world.transfer({ key: `long-${at}`, amount: "10.00" });
  return world;
};
const long = makeLong();

const makeSettled = (): World => {
  const world = makeSettlingWorld();
  world.transfer({ key: "a" });
  const nets = netsOf(cut(world));
  world.transfer({ key: "b" });
  settle(world, bankLinesOf(nets));
  world.transfer({ key: "c" });
  cut(world, 1);
  return world;
};

type Kept = CursorFile & { bytes: Uint8Array | undefined };

const keep = (bytes?: Uint8Array): Kept => {
  const kept: Kept = {
    bytes,
    read: () => kept.bytes,
    write: (cursor) => void (kept.bytes = cursor),
  };
  return kept;
};

const audit = (
  log: LogSource,
  cursor: CursorFile | undefined,
  more: Partial<AuditLogOptions> = {},
) => auditLog({ log, policy, threads: 0, cursor, ...more });

/** What both ways must agree on. */
const essence = (report: AuditReport) => {
  if (!report.ok) return report;
  const { origin, entries, root, keysSize, totals, windows } = report;
  return { origin, entries, root, keysSize, totals, windows };
};

const until = (world: World, size: number, more = {}): LogSource =>
  memoryLog(world, { checkpoint: world.checkpoint(size), ...more });

const sealedByAll = (entries: readonly string[], world: World): string =>
  cosignedCheckpoint(
    testKeys.checkpoint,
    entries.map((entry) => leafHash(entry)).reduce(appendLeaf, emptyRange()),
    witnessKeys.slice(0, 3),
    Math.ceil(world.nowMs() / 1_000),
  );

describe("an audit that goes on from a cursor", () => {
  const worlds: readonly (readonly [string, () => World])[] = [
    ["transfers that ended in every way", makeLog],
    ["returns and recalls", makeReturnLog],
    ["windows, nets and a settlement", makeSettled],
    ["keys of the logs that were replaced", makeChangedLog],
  ];
  it.each(worlds)("comes to the same after every entry: %s", async (_, make) => {
    const world = make();
    const signatures = { signatures: false }; // judged by themselves, whatever came before
    const whole = await audit(memoryLog(world), undefined, signatures);
    expect(whole).toMatchObject({ ok: true, from: 0 });
    const size = world.entries.length;
    const daily = keep();
    for (let ends = 1; ends <= size; ends += 1) {
      expect(await audit(until(world, ends), daily, signatures)).toMatchObject({
        ok: true,
        from: ends - 1,
      });
      const copy = keep(daily.bytes);
      const report = await audit(memoryLog(world), copy, signatures);
      expect(report).toMatchObject({ ok: true, from: ends });
      expect(essence(report)).toEqual(essence(whole));
    }
  });

  it("reads no bundle that was audited, across full and partial ones, and checks the tiles", async () => {
    const whole = await audit(memoryLog(long), undefined);
    for (const ends of [1, 255, 256, 257, 302, 303]) {
      const cursor = keep();
      await audit(until(long, ends), cursor);
      const read: string[] = [];
      const tamper = (path: string, bytes: Uint8Array) => {
        read.push(path);
        return bytes;
      };
      const report = await audit(memoryLog(long, { tamper }), cursor);
      expect(report).toMatchObject({ ok: true, from: ends });
      expect(essence(report)).toEqual(essence(whole));
      expect(read.includes("tile/entries/000")).toBe(ends < 256);
      expect(read).toContain("tile/0/001.p/47");
      expect(read).toContain("tile/1/000.p/1");
    }
  });

  it("says how many entries it replayed, and is done when nothing is new", async () => {
    const cursor = keep();
    await audit(memoryLog(long), cursor);
    expect(await audit(memoryLog(long), cursor)).toMatchObject({
      ok: true,
      entries: 303,
      from: 303,
      entriesPerSecond: 0,
    });
  });
});

describe("a cursor refuses", () => {
  it("a log that shrank, or is another, and stays where it was", async () => {
    const cursor = keep();
    await audit(memoryLog(long), cursor);
    const before = cursor.bytes;
    expect(await audit(until(long, 256), cursor)).toMatchObject({ code: "log-rolled-back" });
    const entries = putTogether(long.entries.map(takeApart).filter((_, at) => at !== 290));
    const other = memoryLog(long, { entries, checkpoint: sealedByAll(entries, long) });
    const early = keep();
    await audit(until(long, 295), early);
    expect(await audit(other, early)).toMatchObject({ code: "log-forked", position: 290 });
    expect(cursor.bytes).toBe(before);
  });

  it("another past behind full bundles that it does not read again", async () => {
    const cursor = keep();
    await audit(until(long, 256), cursor);
    const entries = putTogether(
      long.entries
        .map(takeApart)
        .map((piece, at) => (at === 3 ? takeApart(long.entries[4] ?? "") : piece)),
    );
    const other = memoryLog(long, { entries, checkpoint: sealedByAll(entries, long) });
    expect(await audit(other, cursor)).toMatchObject({ ok: false, code: "prev-mismatch" });
  });

  it("a folder of which a file was changed alone, be it of entries or of hashes that were audited", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sealane-cursor-"));
    try {
      await exportLog({ source: memoryLog(long), folder });
      const cursor = keep();
      const here = (options = {}) =>
        auditLog({ log: folder, policy, threads: 0, cursor, ...options });
      expect(await here()).toMatchObject({ ok: true, from: 0 });
      expect(await here()).toMatchObject({ ok: true, from: 303 });
      const early = keep();
      await audit(until(long, 280), early);
      for (const path of ["tile/entries/000", "tile/entries/001.p/47", "tile/0/000"]) {
        const file = join(folder, path);
        const bytes = readFileSync(file);
        writeFileSync(
          file,
          bytes.map((byte, at) => (at === 1_000 ? byte ^ 1 : byte)),
        );
        expect([path, await here()]).toMatchObject([path, { ok: false }]);
        expect([path, await here({ cursor: early })]).toMatchObject([path, { ok: false }]);
        writeFileSync(file, bytes);
      }
      rmSync(join(folder, "tile/entries/000"));
      expect(await here()).toMatchObject({ ok: false, code: "bundle-missing", position: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("what is remembered besides, when it is of another past", async () => {
    const cursor = keep();
    await audit(until(long, 280), cursor);
    const entries = [...long.entries.slice(0, 9), "another"];
    const remembered = { log: sealedByAll(entries, long), keys: long.keyCheckpoint() };
    const report = await audit(memoryLog(long), cursor, { remembered });
    expect(report).toMatchObject({ ok: false, code: "log-forked", position: 9 });
  });

  it("an id that ended before it", async () => {
    const world = makeLog();
    const committed = world.entries.findIndex((entry) => entry.includes('"outcome":"committed"'));
    const entries = putTogether([
      ...world.entries.map(takeApart),
      takeApart(world.entries[committed] ?? ""),
    ]);
    const cursor = keep();
    await audit(memoryLog(world), cursor);
    const twice = memoryLog(world, { entries, checkpoint: sealedByAll(entries, world) });
    const size = world.entries.length;
    const again = { ok: false, position: size };
    expect(await audit(twice, undefined)).toMatchObject(again);
    expect(await audit(twice, cursor)).toEqual(await audit(twice, undefined));
  });

  it("to be used for signatures that were not judged", async () => {
    const cursor = keep();
    await audit(until(long, 20), cursor, { signatures: false });
    await expect(audit(memoryLog(long), cursor)).rejects.toMatchObject({ code: "cursor-unsigned" });
    const without = await audit(memoryLog(long), cursor, { signatures: false });
    expect(without).toMatchObject({ ok: true, from: 20 });
  });

  it("every changed or missing byte of itself", async () => {
    const world = makeLog();
    const cursor = keep();
    await audit(memoryLog(world), cursor);
    const bytes = cursor.bytes ?? new Uint8Array();
    for (let at = 0; at < bytes.length; at += 37) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const used = audit(memoryLog(world), keep(changed));
      await expect(used).rejects.toMatchObject({ code: "cursor-malformed" });
    }
    for (const length of [0, 1, 24, 300, bytes.length - 1]) {
      const used = audit(memoryLog(world), keep(bytes.slice(0, length)));
      await expect(used).rejects.toMatchObject({ code: "cursor-malformed" });
    }
  });
});
