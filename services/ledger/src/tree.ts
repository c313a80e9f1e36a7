// The tree's tiles: the growing right edge in memory, full tiles as immutable files. Everything
// here is derived from the entries' leaf hashes, and rebuilt from them when a file is missing.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  consistencyProof,
  inclusionProof,
  nodeHash,
  rootAt,
  tilePath,
  TILE_HEIGHT,
  TILE_WIDTH,
  type HashReader,
} from "@sealane/tlog";

const hashBytes = 32;
const cachedTiles = 256;

export type Tree = ReturnType<typeof openTree>;

/** Reads leaf hashes `from` to `to`, exclusive. */
export type LeafReader = (from: number, to: number) => Promise<readonly Uint8Array[]>;

/**
 * A growing tile with the levels between its hashes and its root: `levels[0]` are its hashes, `levels[8]`
 * its root once it is full. A proof reads, and hashes nothing; appending costs one hash per leaf.
 */
type Tile = { readonly levels: readonly Uint8Array[][] };

/** A full one, all levels one after the other: as 511 arrays it would take eight times the memory. */
type FullTile = Uint8Array;

/** Where a level of a full tile begins, in hashes. */
const levelAt = (level: number): number => 2 * TILE_WIDTH - ((2 * TILE_WIDTH) >> level);

const emptyTile = (): Tile => ({
  levels: Array.from({ length: TILE_HEIGHT + 1 }, (): Uint8Array[] => []),
});

const pushHash = (tile: Tile, hash: Uint8Array): void => {
  tile.levels[0]?.push(hash);
  for (let level = 1; level <= TILE_HEIGHT; level += 1) {
    const below = tile.levels[level - 1] ?? [];
    if (below.length % 2 === 1) return;
    const [left, right] = below.slice(-2);
    if (left === undefined || right === undefined) return;
    tile.levels[level]?.push(nodeHash(left, right));
  }
};

const widthOf = (tile: Tile): number => tile.levels[0]?.length ?? 0;

const bytesOf = (tile: Tile, width: number): Uint8Array => {
  const bytes = new Uint8Array(width * hashBytes);
  for (let at = 0; at < width; at += 1) bytes.set(tile.levels[0]?.[at] ?? [], at * hashBytes);
  return bytes;
};

const fullOf = ({ levels }: Tile): FullTile => {
  const full = new Uint8Array((2 * TILE_WIDTH - 1) * hashBytes);
  let at = 0;
  for (const hash of levels.flat()) {
    full.set(hash, at);
    at += hashBytes;
  }
  return full;
};

const tileFrom = (bytes: Uint8Array): FullTile => {
  if (bytes.length !== TILE_WIDTH * hashBytes) throw new Error("broken invariant: a short tile");
  const tile = emptyTile();
  for (let at = 0; at < bytes.length; at += hashBytes) {
    pushHash(tile, bytes.subarray(at, at + hashBytes));
  }
  return fullOf(tile);
};

/** @param directory where full tiles are kept, as `<directory>/tile/…` */
export const openTree = (directory: string) => {
  /** The growing tile of each level. */
  const edges: { tile: Tile; index: number }[] = [];
  const cache = new Map<string, FullTile>();
  let size = 0;

  const remember = (path: string, tile: FullTile): void => {
    cache.set(path, tile);
    if (cache.size > cachedTiles) cache.delete(cache.keys().next().value as string);
  };

  const writeTile = (path: string, tile: Tile): void => {
    const file = join(directory, path);
    const bytes = bytesOf(tile, TILE_WIDTH);
    // A crash of the machine may leave an empty file, and a folder may be another log's: nothing that
    // is derived is believed because it is there.
    if (!existsSync(file) || !readFileSync(file).equals(bytes)) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.${process.pid}.new`, bytes);
      renameSync(`${file}.${process.pid}.new`, file);
    }
    remember(path, fullOf(tile));
  };

  const push = (level: number, hash: Uint8Array): void => {
    const edge = (edges[level] ??= { tile: emptyTile(), index: 0 });
    pushHash(edge.tile, hash);
    const root = edge.tile.levels[TILE_HEIGHT]?.[0];
    if (root === undefined) return;
    writeTile(tilePath(level, edge.index), edge.tile);
    edges[level] = { tile: emptyTile(), index: edge.index + 1 };
    push(level + 1, root);
  };

  const append = (leafHashes: readonly Uint8Array[]): void => {
    for (const hash of leafHashes) push(0, hash);
    size += leafHashes.length;
  };

  const fullTile = (level: number, index: number): FullTile => {
    const path = tilePath(level, index);
    const cached = cache.get(path);
    if (cached !== undefined) return cached;
    const tile = tileFrom(new Uint8Array(readFileSync(join(directory, path))));
    remember(path, tile);
    return tile;
  };

  const read: HashReader = (level, index) => {
    const inner = level % TILE_HEIGHT;
    const perTile = TILE_WIDTH / 2 ** inner;
    const [at, within] = [Math.floor(index / perTile), index % perTile];
    const outer = (level - inner) / TILE_HEIGHT;
    const edge = edges[outer];
    if (edge === undefined || edge.index !== at) {
      const from = (levelAt(inner) + within) * hashBytes;
      return fullTile(outer, at).subarray(from, from + hashBytes);
    }
    const hash = edge.tile.levels[inner]?.[within];
    if (hash === undefined) throw new Error(`broken invariant: no hash at ${level}/${index}`);
    return hash;
  };

  /** Grows to `target` leaves; about 1 s per million. */
  const load = async (target: number, readLeaves: LeafReader): Promise<void> => {
    while (size < target) append(await readLeaves(size, Math.min(size + 10_000, target)));
    if (size !== target) throw new Error(`broken invariant: ${size} leaves, ${target} wanted`);
  };

  return {
    append,
    load,
    size: (): number => size,
    /** The first `width` hashes of a tile, or undefined where the tree has fewer. */
    tile: (level: number, index: number, width: number): Uint8Array | undefined => {
      const edge = edges[level];
      if (edge === undefined || index > edge.index) return undefined;
      if (index < edge.index) return fullTile(level, index).slice(0, width * hashBytes);
      return widthOf(edge.tile) < width ? undefined : bytesOf(edge.tile, width);
    },
    /** A full tile as it is on disk now, whatever is remembered of it; undefined when there is no file. */
    readFile: (level: number, index: number): Uint8Array | undefined => {
      const file = join(directory, tilePath(level, index));
      return existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined;
    },
    inclusion: (index: number, treeSize: number): Uint8Array[] =>
      inclusionProof(index, treeSize, read),
    consistency: (oldSize: number, newSize: number): Uint8Array[] =>
      consistencyProof(oldSize, newSize, read),
    rootAt: (treeSize: number): Uint8Array => rootAt(treeSize, read),
  };
};
