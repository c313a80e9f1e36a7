// The state file at every step between two snapshots, cut off in the middle of a write, and damaged.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCheckpointText, parseNote } from "@sealane/tlog";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { openStateFile } from "./state-file.ts";
import { changePages, formatPage, formatSnapshot, pageBytes, readPages } from "./state-pages.ts";
import type { WitnessHead } from "./witness-types.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-state-"));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `state-${(files += 1)}`);

const headOf = (size: number, origin = "log.example", more = ""): WitnessHead => {
  const root = Buffer.alloc(32, size % 251).toString("base64");
  const note = `${origin}\n${size}\n${root}\n${more}\n— ${origin} AAAAAAA=\n`;
  return { origin, size, root: parseCheckpointText(parseNote(note).text).root, note };
};
const sizesIn = async (path: string): Promise<(readonly [string, number])[]> =>
  (await openStateFile(path)).heads().map(({ origin, size }) => [origin, size] as const);

test("every change is there after a restart, over several snapshots", async () => {
  const path = newPath();
  let state = await openStateFile(path);
  for (let size = 1; size <= changePages * 2 + 20; size += 1) {
    await state.save(headOf(size));
    if (size % 50 !== 0) continue;
    expect(await sizesIn(path)).toEqual([["log.example", size]]);
    state = await openStateFile(path);
  }
});

test("several logs, together and one by one, and a change that is larger than a page", async () => {
  const path = newPath();
  const state = await openStateFile(path);
  const logs = Array.from({ length: 30 }, (_, at) => headOf(at + 1, `log${at}.example`));
  await Promise.all(logs.map((head) => state.save(head)));
  await state.save(headOf(9, "log3.example"));
  await state.save(headOf(77, "large.example", `${"x".repeat(6_000)}\n`));
  await state.save(headOf(78, "large.example"));
  const found = new Map(await sizesIn(path));
  expect(found.get("log3.example")).toBe(9);
  expect(found.get("log29.example")).toBe(30);
  expect(found.get("large.example")).toBe(78);
  expect(found.size).toBe(31);
});

const sectors = fc.uint8Array({ minLength: 8, maxLength: 8, max: 1 });

test("a crash in the middle of a write leaves the change before; any other byte stops the start", async () => {
  const text = (size: number): string =>
    JSON.stringify({ size, text: `${"t".repeat(size * 40)}${size}` });
  const whole = formatSnapshot(text(3));
  const start = whole.length - changePages * pageBytes;
  for (let at = 0; at < 5; at += 1) formatPage(text(at)).copy(whole, start + at * pageBytes);
  expect(readPages(whole)).toEqual({ snapshot: text(3), changes: [0, 1, 2, 3, 4].map(text) });

  fc.assert(
    fc.property(sectors, fc.integer({ min: 1, max: 90 }), (written, size) => {
      const page = Buffer.alloc(pageBytes);
      formatPage(text(size)).copy(page);
      for (const [sector, isWritten] of written.entries()) {
        if (isWritten === 0) page.fill(0, sector * 512, (sector + 1) * 512);
      }
      const torn = Buffer.from(whole);
      page.copy(torn, start + 5 * pageBytes);
      const complete = readPages(torn).changes.length === 6;
      const used = Math.ceil(formatPage(text(size)).length / 512);
      expect(complete).toBe(written.slice(0, used).every((one) => one === 1));
      expect(readPages(torn).changes.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map(text));
    }),
  );

  // All of what was written, and a sample of the blank pages but for the next: a crash may leave that.
  const next = start + 5 * pageBytes;
  const places = [...whole.keys()].filter(
    (at) => at % 7 === 0 && (at < next || (at >= next + pageBytes && at % 997 === 0)),
  );
  for (const at of places) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 0x21;
    expect(() => readPages(damaged)).toThrow();
  }
});

test("a page too few, a page lost between others, and a file of before stop the start", async () => {
  const path = newPath();
  const state = await openStateFile(path);
  for (let size = 1; size <= 6; size += 1) await state.save(headOf(size));
  const good = readFileSync(path);
  const lost = Buffer.from(good);
  lost.fill(
    0,
    good.length - (changePages - 2) * pageBytes,
    good.length - (changePages - 3) * pageBytes,
  );
  for (const bad of [good.subarray(0, -1), good.subarray(0, -pageBytes), lost, Buffer.from("{}")]) {
    writeFileSync(path, bad);
    await expect(openStateFile(path)).rejects.toMatchObject({ code: "witness-state-damaged" });
  }
  writeFileSync(path, good);
  expect(await sizesIn(path)).toEqual([["log.example", 6]]);
});
