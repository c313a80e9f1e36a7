/**
 * Tiles (c2sp.org/tlog-tiles): paths, which tiles a tree has, and reading tree hashes from them.
 * A tile at level L holds up to 256 hashes of tree level 8·L; `width` counts them and is 256 in
 * a full tile, whose path has no `.p/` suffix. Fetching is the caller's.
 */
import { TlogError } from "./errors.ts";
import { HASH_SIZE, nodeHash } from "./hash.ts";
import type { HashReader } from "./merkle-proof.ts";
import { isCount, parseDecimal } from "./numbers.ts";

/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256;
/** Tree levels between one tile level and the next. */
export const TILE_HEIGHT = 8;
const MAX_TILE_LEVEL = 63;

/** What a path names: a tile of hashes, or a bundle of entries. */
export type TilePath =
  | {
      readonly kind: "hashes";
      readonly level: number;
      readonly index: number;
      readonly width: number;
    }
  | { readonly kind: "entries"; readonly index: number; readonly width: number };

const malformed = (message: string): TlogError => new TlogError("tile-malformed", message);

/** `x001/x234/067` and, when the tile is partial, `.p/<width>`. */
const indexPath = (index: number, width: number): string => {
  if (!isCount(index)) throw malformed("not a tile index");
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw malformed("a tile has 1 to 256 hashes");
  }
  let path = String(index % 1000).padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, "0")}/${path}`;
  }
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
};

/**
 * The path of a tile of hashes, without a leading slash.
 * @throws TlogError `tile-malformed`
 * @example tilePath(0, 1234067) // 'tile/0/x001/x234/067'
 */
export const tilePath = (level: number, index: number, width: number = TILE_WIDTH): string => {
  if (!isCount(level) || level > MAX_TILE_LEVEL) throw malformed("a tile level is 0 to 63");
  return `tile/${level}/${indexPath(index, width)}`;
};

/**
 * The path of a bundle of entries, without a leading slash.
 * @throws TlogError `tile-malformed`
 * @example entriesPath(0, 5) // 'tile/entries/000.p/5'
 */
export const entriesPath = (index: number, width: number = TILE_WIDTH): string =>
  `tile/entries/${indexPath(index, width)}`;

const PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/** What a path (without leading slash) names, or undefined; only the one spelling counts. */
export const parseTilePath = (path: string): TilePath | undefined => {
  const [, kind, indexText, widthText] = PATH.exec(path) ?? [];
  if (kind === undefined || indexText === undefined) return undefined;
  const index = Number(indexText.replaceAll(/[x/]/g, ""));
  const width = widthText === undefined ? TILE_WIDTH : parseDecimal(widthText);
  if (!isCount(index) || width === undefined || width < 1 || width > TILE_WIDTH) return undefined;
  if (kind === "entries") {
    return entriesPath(index, width) === path ? { kind: "entries", index, width } : undefined;
  }
  const level = parseDecimal(kind);
  if (level === undefined || level > MAX_TILE_LEVEL) return undefined;
  return tilePath(level, index, width) === path
    ? { kind: "hashes", level, index, width }
    : undefined;
};

/** Tiles of one level: `count` hashes, of which the first `oldCount` were served before. */
const levelTiles = (
  count: number,
  oldCount: number,
  path: (index: number, width?: number) => string,
): string[] => {
  const paths: string[] = [];
  if (count === oldCount) return paths;
  const full = Math.floor(count / TILE_WIDTH);
  for (let index = Math.floor(oldCount / TILE_WIDTH); index < full; index += 1) {
    paths.push(path(index));
  }
  const width = count % TILE_WIDTH;
  if (width > 0) paths.push(path(full, width));
  return paths;
};

/**
 * Paths of all hash tiles of a tree of `size` leaves, level by level, the partial one last in
 * its level. With `oldSize`, only those that a tree of that size did not have already.
 * @throws TlogError `tile-malformed` when the sizes are not counts in order
 * @example tilesFor(256) // ['tile/0/000', 'tile/1/000.p/1']
 */
export const tilesFor = (size: number, oldSize: number = 0): string[] => {
  if (!isCount(size) || !isCount(oldSize) || oldSize > size) throw malformed("not tree sizes");
  const paths: string[] = [];
  let count = size;
  let oldCount = oldSize;
  for (let level = 0; count > 0; level += 1) {
    const at = level;
    paths.push(...levelTiles(count, oldCount, (index, width) => tilePath(at, index, width)));
    count = Math.floor(count / TILE_WIDTH);
    oldCount = Math.floor(oldCount / TILE_WIDTH);
  }
  return paths;
};

/**
 * Paths of all entry bundles of a tree of `size` leaves; with `oldSize`, only the new ones.
 * @throws TlogError `tile-malformed` when the sizes are not counts in order
 */
export const bundlesFor = (size: number, oldSize: number = 0): string[] => {
  if (!isCount(size) || !isCount(oldSize) || oldSize > size) throw malformed("not tree sizes");
  return levelTiles(size, oldSize, entriesPath);
};

/**
 * A `HashReader` over tiles: `readTile` gives a tile's bytes (at least as wide as needed; it
 * throws when it has none). Levels between tile levels are hashed, once each: they stay in the
 * reader, so make one per batch of proofs and let it go (255 hashes a tile at most).
 * @throws TlogError `tile-malformed` (not whole hashes, too wide), `tile-missing` (too narrow)
 */
export const hashReaderFromTiles = (
  readTile: (level: number, index: number) => Uint8Array,
): HashReader => {
  const tiles = new Map<string, Uint8Array>();
  const inner = new Map<string, Uint8Array>();

  const tile = (level: number, index: number): Uint8Array => {
    const id = `${level}/${index}`;
    const known = tiles.get(id);
    if (known !== undefined) return known;
    const bytes = readTile(level, index);
    if (bytes.length % HASH_SIZE !== 0 || bytes.length > TILE_WIDTH * HASH_SIZE) {
      throw malformed(`tile ${id} is not 1 to 256 whole hashes`);
    }
    tiles.set(id, bytes);
    return bytes;
  };

  const read: HashReader = (level, index) => {
    if (level % TILE_HEIGHT === 0) {
      const bytes = tile(level / TILE_HEIGHT, Math.floor(index / TILE_WIDTH));
      const start = (index % TILE_WIDTH) * HASH_SIZE;
      if (start + HASH_SIZE > bytes.length) {
        throw new TlogError("tile-missing", `no hash at level ${level}, index ${index}`);
      }
      return bytes.slice(start, start + HASH_SIZE);
    }
    const id = `${level}/${index}`;
    const known = inner.get(id);
    if (known !== undefined) return known;
    const hash = nodeHash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1));
    inner.set(id, hash);
    return hash;
  };
  return read;
};
