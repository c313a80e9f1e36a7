// The published log over HTTP at sizes where tiles begin, fill and overflow: every path that a tree of
// this size has is served with its bytes, none that it has not, and caches are told what may be kept.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createHttpApp, startHttp } from "@sealane/http";
import {
  bundlesFor,
  concatBytes,
  encodeBundle,
  entriesPath,
  hashReaderFromTiles,
  inclusionProof,
  leafHash,
  parseTilePath,
  rootOf,
  tilePath,
  tilesFor,
  utf8,
  verifyInclusion,
} from "@sealane/tlog";
import { afterAll, describe, expect, it } from "vitest";
import { mountLog } from "./log-routes.ts";
import { openTree } from "./tree.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-log-routes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const most = 65_537;
const entries = Array.from({ length: most }, (_, at) => utf8(`entry ${at}`));
const leaves = entries.map((entry) => leafHash(entry));

const serve = async (size: number) => {
  const tree = openTree(join(folder, `tiles-${size}`));
  tree.append(leaves.slice(0, size));
  const app = createHttpApp({ name: "log" });
  const log = {
    origin: "log.example",
    checkpoint: () => (size === 0 ? undefined : `checkpoint of ${size}\n`),
    size: () => size,
    tile: tree.tile,
    entries: (from: number, to: number) => Promise.resolve(entries.slice(from, to)),
  };
  mountLog(app, "/log", log, { kind: "open" });
  const server = await startHttp({ app, port: 0 });
  const get = async (path: string) => {
    const headers = { "Accept-Encoding": "identity" };
    const response = await fetch(`${server.url}/log/${path}`, { headers });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, cache: response.headers.get("cache-control"), bytes };
  };
  return { get, close: server.close };
};

/** What a path holds, made from the leaves by another way than the tree's. */
const expected = (path: string): Uint8Array => {
  const tile = parseTilePath(path);
  if (tile === undefined) throw new Error(`not a tile: ${path}`);
  const from = tile.index * 256;
  if (tile.kind === "entries") return encodeBundle(entries.slice(from, from + tile.width));
  const span = 256 ** tile.level;
  const hashes = Array.from({ length: tile.width }, (_, at) =>
    rootOf(leaves.slice((from + at) * span, (from + at + 1) * span)),
  );
  return concatBytes(...hashes);
};

const immutable = "public, max-age=31536000, immutable";
const sizes = [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, most];

describe.each(sizes)("a log of %i entries", (size) => {
  it("serves the tiles and bundles that it has, full ones for ever", async () => {
    const { get, close } = await serve(size);
    for (const path of [...tilesFor(size), ...bundlesFor(size)]) {
      const { status, cache, bytes } = await get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(Buffer.compare(bytes, expected(path))).toBe(0);
      expect([path, cache]).toEqual([
        path,
        path.includes(".p/") ? "public, max-age=86400, immutable" : immutable,
      ]);
    }
    await close();
  });

  it("has no wider ones, none behind its end and none higher up", async () => {
    const { get, close } = await serve(size);
    const full = Math.floor(size / 256);
    const width = size % 256;
    const levels = tilesFor(size).map((path) => Number(path.split("/")[1]));
    const above = Math.max(-1, ...levels) + 1;
    const beyond = [
      tilePath(0, full, width + 1),
      entriesPath(full, width + 1),
      tilePath(0, full + 1),
      entriesPath(full + 1, 1),
      tilePath(above, 0, 1),
      tilePath(0, full),
      entriesPath(full),
    ];
    for (const path of beyond) expect([path, (await get(path)).status]).toEqual([path, 404]);
    await close();
  });

  it("tells caches not to keep its checkpoint, and has none while it is empty", async () => {
    const { get, close } = await serve(size);
    const { status, cache, bytes } = await get("checkpoint");
    if (size === 0) expect(status).toBe(404);
    else expect([status, cache, bytes]).toEqual([200, "no-store", utf8(`checkpoint of ${size}\n`)]);
    await close();
  });
});

it("serves any narrower tile than the one it has by now", async () => {
  const { get, close } = await serve(300);
  for (const path of [tilePath(0, 0, 7), entriesPath(0, 255), tilePath(0, 1, 3)]) {
    const { status, bytes } = await get(path);
    expect(status).toBe(200);
    expect(Buffer.compare(bytes, expected(path))).toBe(0);
  }
  await close();
});

it("proves inclusion from what it serves alone", async () => {
  const { get, close } = await serve(most);
  const tiles = new Map<string, Uint8Array>();
  for (const path of tilesFor(most))
    tiles.set(path.replace(/\.p\/\d+$/, ""), (await get(path)).bytes);
  const read = hashReaderFromTiles(
    (level, index) => tiles.get(tilePath(level, index)) as Uint8Array,
  );
  const root = rootOf(leaves);
  for (const at of [0, 1, 255, 256, 65_535, 65_536]) {
    const proof = inclusionProof(at, most, read);
    expect(() => verifyInclusion(leaves[at] as Uint8Array, at, most, proof, root)).not.toThrow();
  }
  await close();
});

it("refuses paths of another spelling", async () => {
  const { get, close } = await serve(300);
  const wrong = [
    "tile/0/0",
    "tile/00/000",
    "tile/0/000.p/256",
    "tile/0/000.p/07",
    "tile/0/x000/000",
  ];
  for (const path of [...wrong, "tile/64/000", "tile/0/000.p/0", "tile/entries/00"]) {
    expect([path, (await get(path)).status]).toEqual([path, 404]);
  }
  expect((await get(tilePath(0, 0))).status).toBe(200);
  await close();
});

it("makes a tile again whose file is missing, empty or of another log", () => {
  const directory = join(folder, "damaged");
  openTree(directory).append(leaves.slice(0, 768));
  const file = (index: number): string => join(directory, tilePath(0, index));
  rmSync(file(0));
  writeFileSync(file(1), "");
  writeFileSync(file(2), Buffer.alloc(256 * 32));
  const again = openTree(directory);
  again.append(leaves.slice(0, 768));
  for (const index of [0, 1, 2]) {
    expect(Buffer.compare(readFileSync(file(index)), expected(tilePath(0, index)))).toBe(0);
    expect(existsSync(`${file(index)}.new`)).toBe(false);
  }
  expect(readdirSync(join(directory, "tile", "0"))).toHaveLength(3);
});

describe("a bundle", () => {
  const plain = encodeBundle(entries.slice(0, 256));
  const log = {
    origin: "log.example",
    checkpoint: () => undefined,
    size: () => 300,
    tile: () => undefined,
    entries: (from: number, to: number) => Promise.resolve(entries.slice(from, to)),
  };
  const kept = {
    ...log,
    entries: () => Promise.reject(new Error("the tables are not asked")),
    bundle: () => Promise.resolve(new Uint8Array(gzipSync(plain))),
  };
  it.each([
    ["that is kept compressed", kept, "000", plain],
    ["that is not kept", log, "000", plain],
    ["that is partial", log, "001.p/44", encodeBundle(entries.slice(256, 300))],
  ])("%s goes out compressed to who takes gzip, and as it is to others", async (...one) => {
    const [, served, path, bundle] = one;
    const app = createHttpApp({ name: "log" });
    mountLog(app, "/log", served, { kind: "open" });
    const server = await startHttp({ app, port: 0 });
    const encodings: (string | null)[] = [];
    for (const encoding of ["gzip", "br, gzip;q=0.5", "identity", "gzip;q=0"]) {
      const headers = { "Accept-Encoding": encoding };
      const answer = await fetch(`${server.url}/log/tile/entries/${path}`, { headers });
      encodings.push(answer.headers.get("content-encoding"));
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
      expect(answer.headers.get("vary")).toBe("Accept-Encoding");
      expect(answer.headers.get("cache-control")).toContain("immutable");
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bundle);
    }
    expect(encodings).toEqual(["gzip", "gzip", null, null]);
    await server.close();
  });
});
