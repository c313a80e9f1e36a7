// The tree's tiles: the growing right edge in memory, full tiles as immutable files. Everything
// here is derived from the entries' leaf hashes, and rebuilt from them when a file is missing.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  consistencyProof,
  hashReaderFromTiles,
  inclusionProof,
  rootOf,
  tilePath,
  TILE_WIDTH,
  type HashReader,
} from "@sealane/tlog";

const hashBytes = 32;
const cachedTiles = 512;

export type Tree = ReturnType<typeof openTree>;

/** Reads leaf hashes `from` to `to`, exclusive. */
export type LeafReader = (from: number, to: number) => Promise<readonly Uint8Array[]>;

/** @param directory where full tiles are kept, as `<directory>/tile/…` */
export const openTree = (directory: string) => {
  /** The growing tile of each level: its bytes and how many hashes it has. */
  const edges: { bytes: Uint8Array; width: number; index: number }[] = [];
  const cache = new Map<string, Uint8Array>();
  let size = 0;

  const remember = (path: string, bytes: Uint8Array): void => {
    cache.set(path, bytes);
    if (cache.size > cachedTiles) cache.delete(cache.keys().next().value as string);
  };

  const writeTile = (path: string, bytes: Uint8Array): void => {
    const file = join(directory, path);
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.new`, bytes);
      renameSync(`${file}.new`, file);
    }
    remember(path, bytes);
  };

  const push = (level: number, hash: Uint8Array): void => {
    let edge = edges[level];
    if (edge === undefined) {
      edge = { bytes: new Uint8Array(TILE_WIDTH * hashBytes), width: 0, index: 0 };
      edges[level] = edge;
    }
    edge.bytes.set(hash, edge.width * hashBytes);
    edge.width += 1;
    if (edge.width < TILE_WIDTH) return;
    const full = edge.bytes;
    writeTile(tilePath(level, edge.index), full);
    edges[level] = {
      bytes: new Uint8Array(TILE_WIDTH * hashBytes),
      width: 0,
      index: edge.index + 1,
    };
    const hashes = Array.from({ length: TILE_WIDTH }, (_, at) =>
      full.subarray(at * hashBytes, (at + 1) * hashBytes),
    );
    push(level + 1, rootOf(hashes));
  };

  const append = (leafHashes: readonly Uint8Array[]): void => {
    for (const hash of leafHashes) push(0, hash);
    size += leafHashes.length;
  };

  const readTile = (level: number, index: number): Uint8Array => {
    const edge = edges[level];
    if (edge !== undefined && edge.index === index) {
      return edge.bytes.slice(0, edge.width * hashBytes);
    }
    const path = tilePath(level, index);
    const cached = cache.get(path);
    if (cached !== undefined) return cached;
    const bytes = new Uint8Array(readFileSync(join(directory, path)));
    remember(path, bytes);
    return bytes;
  };

  /** Grows to `target` leaves; about 1 s per million. */
  const load = async (target: number, readLeaves: LeafReader): Promise<void> => {
    while (size < target) {
      append(await readLeaves(size, Math.min(size + 10_000, target)));
    }
    if (size !== target)
      throw new Error(`broken invariant: the log has ${size} of ${target} leaves`);
  };

  return {
    append,
    load,
    size: (): number => size,
    /** At least `width` hashes of a tile, or undefined where the tree has fewer. */
    tile: (level: number, index: number, width: number): Uint8Array | undefined => {
      const edge = edges[level];
      const have =
        edge === undefined
          ? 0
          : index < edge.index
            ? TILE_WIDTH
            : index === edge.index
              ? edge.width
              : 0;
      return have < width ? undefined : readTile(level, index).slice(0, width * hashBytes);
    },
    /** A reader for many proofs of one moment; let it go afterwards. */
    reader: () => hashReaderFromTiles(readTile),
    inclusionWith: (reader: HashReader, index: number, treeSize: number): Uint8Array[] =>
      inclusionProof(index, treeSize, reader),
    inclusion: (index: number, treeSize: number): Uint8Array[] =>
      inclusionProof(index, treeSize, hashReaderFromTiles(readTile)),
    consistency: (oldSize: number, newSize: number): Uint8Array[] =>
      consistencyProof(oldSize, newSize, hashReaderFromTiles(readTile)),
  };
};
