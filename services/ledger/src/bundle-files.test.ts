// Full bundles on disk: only what is sealed, readable by this user alone, and never believed for being there.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { encodeBundle, entriesPath, leafHash, utf8 } from "@sealane/tlog";
import { afterAll, beforeEach, expect, test } from "vitest";
import { makeBundleFiles } from "./bundle-files.ts";
import { openTree } from "./tree.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-bundle-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entries = Array.from({ length: 600 }, (_, at) => utf8(`entry ${at}`));
let directory: string;
let reads = 0;
beforeEach(() => {
  directory = mkdtempSync(join(folder, "lane-"));
  reads = 0;
});

const open = (sealed: number) => {
  const tree = openTree(join(directory, "hashes"));
  tree.append(entries.map((entry) => leafHash(entry)));
  return makeBundleFiles({
    directory,
    tree,
    read: (from, to) => {
      reads += 1;
      return Promise.resolve(entries.slice(from, to));
    },
    sealedSize: () => sealed,
    onError: (error) => {
      throw error;
    },
  });
};

const whole = (index: number): Uint8Array =>
  encodeBundle(entries.slice(index * 256, index * 256 + 256));
const fileOf = (index: number): string => join(directory, `${entriesPath(index)}.gz`);
const signal = new AbortController().signal;

test("full bundles of cosigned entries become files, and no others", async () => {
  expect(await open(511).fill(0, signal)).toBe(1);
  expect(readdirSync(join(directory, "tile", "entries"))).toEqual(["000.gz"]);
  expect(await open(600).fill(1, signal)).toBe(2);
  expect(
    [0, 1].map((index) => gunzipSync(readFileSync(fileOf(index))).equals(whole(index))),
  ).toEqual([true, true]);
  expect(await open(600).bundle(2)).toBeUndefined();
  expect(await open(511).bundle(1)).toBeUndefined();
});

test("who asks for a bundle while it is written waits for that file", async () => {
  const files = open(600);
  const asked = await Promise.all([files.fill(0, signal), files.bundle(0), files.bundle(0)]);
  expect(asked.slice(1).map((bytes) => gunzipSync(bytes as Uint8Array).equals(whole(0)))).toEqual([
    true,
    true,
  ]);
  expect(reads).toBe(2);
});

test("nobody else on the machine can read them", async () => {
  await open(600).fill(0, signal);
  expect(statSync(fileOf(0)).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory, "tile", "entries")).mode & 0o777).toBe(0o700);
});

test("a file is served as it is, without asking the tables again", async () => {
  const files = open(600);
  await files.fill(0, signal);
  const before = reads;
  expect(gunzipSync((await files.bundle(1)) ?? "").equals(whole(1))).toBe(true);
  expect(reads).toBe(before);
});

test.each([
  ["cut short", (bytes: Buffer) => bytes.subarray(0, -9)],
  ["of other entries", () => gzipSync(encodeBundle(entries.slice(1, 257)))],
  ["empty", () => Buffer.alloc(0)],
])("a file of an earlier run that is %s is made again", async (_, change) => {
  await open(600).fill(0, signal);
  writeFileSync(fileOf(0), change(readFileSync(fileOf(0))));
  expect(gunzipSync((await open(600).bundle(0)) ?? "").equals(whole(0))).toBe(true);
  expect(gunzipSync(readFileSync(fileOf(0))).equals(whole(0))).toBe(true);
});

test("a file that changes after it was written is corrupt; one of an earlier run is made again", async () => {
  const files = open(600);
  await files.fill(0, signal);
  expect(await files.isCorrupt(0)).toBe(false);
  writeFileSync(fileOf(0), gzipSync(encodeBundle(entries.slice(1, 257))));
  expect(await files.isCorrupt(0)).toBe(true);
  const restarted = open(600);
  expect([await restarted.isCorrupt(0), await restarted.isCorrupt(0)]).toEqual([false, false]);
  expect(gunzipSync(readFileSync(fileOf(0))).equals(whole(0))).toBe(true);
});
