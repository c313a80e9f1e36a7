import { expect, test } from "vitest";
import { concatBytes } from "./bytes.ts";
import { leafHash } from "./hash.ts";
import { rootOf } from "./merkle.ts";
import { consistencyProof, inclusionProof } from "./merkle-proof.ts";
import {
  bundlesFor,
  entriesPath,
  hashReaderFromTiles,
  parseTilePath,
  tilePath,
  tilesFor,
} from "./tiles.ts";
import { verifyConsistency, verifyInclusion } from "./verify-proof.ts";

test.each([
  ["tile/0/000", { kind: "hashes", level: 0, index: 0, width: 256 }],
  ["tile/0/x001/x234/067", { kind: "hashes", level: 0, index: 1234067, width: 256 }],
  ["tile/0/x001/234", { kind: "hashes", level: 0, index: 1234, width: 256 }],
  ["tile/63/005.p/255", { kind: "hashes", level: 63, index: 5, width: 255 }],
  ["tile/1/x999/999.p/1", { kind: "hashes", level: 1, index: 999_999, width: 1 }],
  ["tile/entries/000.p/5", { kind: "entries", index: 0, width: 5 }],
  ["tile/entries/x003/906", { kind: "entries", index: 3906, width: 256 }],
] as const)("reads and writes the path %s", (path, tile) => {
  expect(parseTilePath(path)).toEqual(tile);
  const written =
    tile.kind === "hashes"
      ? tilePath(tile.level, tile.index, tile.width)
      : entriesPath(tile.index, tile.width);
  expect(written).toBe(path);
});

test.each([
  "",
  "/tile/0/000",
  "tile/0/000/",
  "tile/00/000",
  "tile/01/000",
  "tile/64/000",
  "tile/-1/000",
  "tile/0/0",
  "tile/0/0000",
  "tile/0/x000/005",
  "tile/0/001/234",
  "tile/0/x001/x234",
  "tile/0/000.p/0",
  "tile/0/000.p/256",
  "tile/0/000.p/01",
  "tile/0/000.p/",
  "tile/0/000.p",
  "tile/0/000.p/5/",
  "tile/8/0/000",
  "tile/entries/000.p/256",
  "tile/entries/x9999/000",
  "tile/0/x999/x999/x999/x999/x999/999",
  "tile/0/000\n",
  "tile/0/../000",
  "checkpoint",
])("reads no tile from %j", (path) => {
  expect(parseTilePath(path)).toBeUndefined();
});

test("writes no path of a tile that cannot be", () => {
  const malformed = expect.objectContaining({ code: "tile-malformed" }) as Error;
  expect(() => tilePath(64, 0)).toThrow(malformed);
  expect(() => tilePath(0, -1)).toThrow(malformed);
  expect(() => tilePath(0, 0, 0)).toThrow(malformed);
  expect(() => entriesPath(0, 257)).toThrow(malformed);
  expect(() => entriesPath(0.5)).toThrow(malformed);
});

test("names the tiles of a tree of 70,000 as the specification counts them", () => {
  const tiles = tilesFor(70_000).map((path) => parseTilePath(path)!);
  const count = (level: number, full: boolean) =>
    tiles.filter(
      (tile) => tile.kind === "hashes" && tile.level === level && (tile.width === 256) === full,
    ).length;
  expect([count(0, true), count(1, true), count(2, true)]).toEqual([273, 1, 0]);
  expect(tiles.filter((tile) => tile.width < 256).map((tile) => tile.width)).toEqual([112, 17, 1]);
});

test("names a partial tile above a full one", () => {
  expect(tilesFor(0)).toEqual([]);
  expect(tilesFor(1)).toEqual(["tile/0/000.p/1"]);
  expect(tilesFor(256)).toEqual(["tile/0/000", "tile/1/000.p/1"]);
  expect(tilesFor(300)).toEqual(["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]);
  expect(bundlesFor(300)).toEqual(["tile/entries/000", "tile/entries/001.p/44"]);
});

test("names only the tiles that changed since an older tree", () => {
  expect(tilesFor(300, 300)).toEqual([]);
  expect(tilesFor(300, 299)).toEqual(["tile/0/001.p/44"]);
  expect(tilesFor(512, 300)).toEqual(["tile/0/001", "tile/1/000.p/2"]);
  expect(bundlesFor(513, 300)).toEqual(["tile/entries/001", "tile/entries/002.p/1"]);
  expect(() => tilesFor(1, 2)).toThrow();
});

const SIZE = 66_000;
const leaves = Array.from({ length: SIZE }, (_, at) => leafHash(`${at}`));
const levels = [leaves];
for (let below = leaves; below.length >= 256;) {
  const above = Array.from({ length: Math.floor(below.length / 256) }, (_, at) =>
    rootOf(below.slice(256 * at, 256 * (at + 1))),
  );
  levels.push(above);
  below = above;
}
/** A whole log as its tiles, each as wide as a tree of `size` needs it. */
const tilesOf = (size: number) => (level: number, index: number) => {
  const width = Math.min(256, Math.floor(size / 256 ** level) - 256 * index);
  return concatBytes(...levels[level]!.slice(256 * index, 256 * index + width));
};

test.each([1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, SIZE])(
  "makes proofs from the tiles of a tree of %i",
  (size) => {
    const read = hashReaderFromTiles(tilesOf(size));
    const root = rootOf(leaves.slice(0, size));
    const places = [0, 1, 255, 256, 300, 65_535, 65_536, size >> 1, size - 1];
    for (const index of places.filter((at) => at < size)) {
      verifyInclusion(leaves[index]!, index, size, inclusionProof(index, size, read), root);
      const oldRoot = rootOf(leaves.slice(0, index + 1));
      verifyConsistency(index + 1, size, consistencyProof(index + 1, size, read), oldRoot, root);
    }
    expect(rootOf(leaves.slice(0, size))).toEqual(root);
  },
);

test("reads each tile once", () => {
  const seen: string[] = [];
  const read = hashReaderFromTiles((level, index) => {
    seen.push(tilePath(level, index));
    return tilesOf(SIZE)(level, index);
  });
  for (let index = 0; index < 1000; index += 7) inclusionProof(index, SIZE, read);
  expect(new Set(seen).size).toBe(seen.length);
});

test("says what is missing or malformed", () => {
  const narrow = hashReaderFromTiles(() => leaves[0]!.slice());
  expect(narrow(0, 0)).toEqual(leaves[0]);
  expect(() => narrow(0, 1)).toThrow(expect.objectContaining({ code: "tile-missing" }) as Error);
  expect(() => narrow(1, 0)).toThrow(expect.objectContaining({ code: "tile-missing" }) as Error);
  for (const length of [31, 257 * 32]) {
    const odd = hashReaderFromTiles(() => new Uint8Array(length));
    expect(() => odd(0, 0)).toThrow(expect.objectContaining({ code: "tile-malformed" }) as Error);
  }
});
