// A published log as a folder, in the layout of `sealane export`, made from lists of entries: what the
// verifiers read, whole or tampered with.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  bundlesFor,
  concatBytes,
  encodeBundle,
  leafHash,
  parseTilePath,
  rootOf,
  tilesFor,
  TILE_WIDTH,
  utf8,
} from "@sealane/tlog";

export type PublishedLog = {
  readonly checkpoint: string;
  readonly entries: readonly string[];
  readonly keyCheckpoint: string;
  readonly keyEntries: readonly string[];
};

/** Bytes by path, below one log's prefix. */
const filesOf = (checkpoint: string, entries: readonly string[]): Map<string, Uint8Array> => {
  const leaves = entries.map((entry) => leafHash(entry));
  const files = new Map([["checkpoint", utf8(checkpoint)]]);
  for (const path of [...bundlesFor(entries.length), ...tilesFor(entries.length)]) {
    const tile = parseTilePath(path);
    if (tile === undefined) throw new Error(`not a tile: ${path}`);
    const from = tile.index * TILE_WIDTH;
    if (tile.kind === "entries") {
      files.set(path, encodeBundle(entries.slice(from, from + tile.width).map(utf8)));
      continue;
    }
    const span = TILE_WIDTH ** tile.level;
    const hashes = Array.from({ length: tile.width }, (_, at) =>
      rootOf(leaves.slice((from + at) * span, (from + at + 1) * span)),
    );
    files.set(path, concatBytes(...hashes));
  }
  return files;
};

/** Every file of both logs; the key log's below `keys/`. */
export const publishedFiles = (log: PublishedLog): Map<string, Uint8Array> =>
  new Map([
    ...filesOf(log.checkpoint, log.entries),
    ...[...filesOf(log.keyCheckpoint, log.keyEntries)].map(
      ([path, bytes]) => [`keys/${path}`, bytes] as const,
    ),
  ]);

export const writeFolder = (folder: string, files: ReadonlyMap<string, Uint8Array>): void => {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
};
