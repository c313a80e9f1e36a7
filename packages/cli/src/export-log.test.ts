import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFundedWorld, policy, type World } from "@sealane/rules/testing";
import { bundlesFor, tilesFor } from "@sealane/tlog";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditLog } from "./audit-log.ts";
import { exportLog } from "./export-log.ts";
import type { LogSource } from "./log-source.ts";
import { memoryLog } from "./testing/memory-log.ts";

const world: World = makeFundedWorld();
for (let at = 0; at < 300; at += 1) world.transfer({ key: `export-${at}`, amount: "10.00" });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sealane-export-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const filesIn = async (root: string): Promise<string[]> => {
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1)).sort();
};

const layout = (size: number, keysSize: number): string[] => {
  const filesOf = (count: number) => ["checkpoint", ...tilesFor(count), ...bundlesFor(count)];
  return [...filesOf(size), ...filesOf(keysSize).map((path) => `keys/${path}`)].sort();
};

/** Counts what is read, and can fail from some read on. */
const watched = (source: LogSource, failAfter = Infinity) => {
  const seen: string[] = [];
  const fetch = (path: string) => {
    seen.push(path);
    return seen.length > failAfter
      ? Promise.reject(new Error("the connection broke"))
      : source.log.fetch(path);
  };
  return { source: { ...source, log: { ...source.log, fetch } }, seen };
};

const audited = () => auditLog({ log: folder, policy, threads: 0 });

describe("an export", () => {
  it("has exactly the files of its size, and its audit passes", async () => {
    const report = await exportLog({ source: memoryLog(world), folder, policy });
    const keysEntries = world.keyLog.entries.length;
    expect(report).toMatchObject({ entries: 303, keysEntries, kept: 0 });
    const files = await filesIn(folder);
    expect(files).toEqual(layout(303, keysEntries));
    expect(report.files).toBe(files.length);
    expect(await audited()).toMatchObject({ ok: true, entries: 303 });
  });

  it("goes on where it was, keeps full tiles and leaves no old partial ones", async () => {
    await exportLog({ source: memoryLog(world, { checkpoint: world.checkpoint(260) }), folder });
    expect(await audited()).toMatchObject({ ok: true, entries: 260 });
    const { source, seen } = watched(memoryLog(world));
    expect(await exportLog({ source, folder })).toMatchObject({ entries: 303, kept: 2 });
    expect(seen).not.toContain("tile/0/000");
    expect(seen).not.toContain("tile/entries/000");
    expect(await filesIn(folder)).toEqual(layout(303, world.keyLog.entries.length));
    const folders = await readdir(join(folder, "tile", "0"));
    expect(folders.sort()).toEqual(["000", "001.p"]);
    expect(await audited()).toMatchObject({ ok: true, entries: 303 });
  });

  it("that was interrupted has no checkpoint, and is completed later", async () => {
    const { source } = watched(memoryLog(world), 3);
    await expect(exportLog({ source, folder })).rejects.toThrow("the connection broke");
    expect(await filesIn(folder)).not.toContain("checkpoint");
    expect(await audited()).toMatchObject({ ok: false });
    expect(await exportLog({ source: memoryLog(world), folder })).toMatchObject({ kept: 2 });
    expect(await audited()).toMatchObject({ ok: true });
  });

  it("does not take another log's files, nor tiles that do not fit the entries", async () => {
    const other = makeFundedWorld();
    for (let at = 0; at < 260; at += 1) other.transfer({ key: `other-${at}`, amount: "10.00" });
    await exportLog({ source: memoryLog(other), folder });
    const code = "export-mismatch";
    await expect(exportLog({ source: memoryLog(world), folder })).rejects.toMatchObject({ code });
    const tamper = (path: string, bytes: Uint8Array) =>
      path.startsWith("tile/1/") ? bytes.map((byte) => byte ^ 1) : bytes;
    const empty = join(folder, "empty");
    const source = memoryLog(world, { tamper });
    await expect(exportLog({ source, folder: empty })).rejects.toMatchObject({ code });
  });

  it("is refused without a quorum where a policy says which", async () => {
    const source = memoryLog(world, { checkpoint: world.checkpoint(303, 2) });
    await expect(exportLog({ source, folder, policy })).rejects.toMatchObject({
      code: "quorum-missing",
    });
  });

  it("does not pass its audit with any file missing or changed", async () => {
    await exportLog({ source: memoryLog(world), folder });
    for (const file of await filesIn(folder)) {
      const path = join(folder, file);
      const bytes = await readFile(path);
      await rm(path);
      expect(await audited(), `without ${file}`).toMatchObject({ ok: false });
      const middle = Math.floor(bytes.length / 2);
      await writeFile(
        path,
        bytes.map((byte, at) => (at === middle ? byte ^ 1 : byte)),
      );
      expect(await audited(), `with ${file} changed`).toMatchObject({ ok: false });
      await writeFile(path, bytes);
    }
    expect(await audited()).toMatchObject({ ok: true });
  });
});
