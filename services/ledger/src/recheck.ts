// What is on disk is read again, all of it, round after round and slowly: every entry's bytes against its
// leaf hash, the chain from entry to entry, the files of tiles and bundles, and at the end the root against the checkpoint
// that was signed. The first difference ends it: a ledger whose disk forgets must not write on.
import type { Sql } from "@sealane/database";
import { pause } from "@sealane/runtime";
import {
  appendLeaves,
  emptyRange,
  entriesPath,
  equalBytes,
  leafHash,
  parseCheckpointText,
  parseNote,
  rangeRoot,
  rootOf,
  tilePath,
  toBase64,
  TILE_WIDTH,
  type CompactRange,
} from "@sealane/tlog";
import type { BundleFiles } from "./bundle-files.ts";
import { prevOf } from "./entry-chains.ts";
import type { Tree } from "./tree.ts";

export type RecheckDeps = {
  readonly sql: Sql;
  readonly lane: number;
  readonly tree: Pick<Tree, "tile" | "readFile">;
  /** Full bundles that are files; one that is missing, or of an earlier run and torn, is made again. */
  readonly files?: Pick<BundleFiles, "isCorrupt">;
  /** The newest signed checkpoint; empty before the first entry. */
  readonly checkpoint: () => string;
  /** Entries a second; never more than one page at once. */
  readonly perSecond: number;
  /** Told once, with the first place that does not stand. */
  readonly onCorrupt: (position: number, detail: string) => void;
  readonly onRound: (entries: number) => void;
  readonly onError: (error: unknown) => void;
};

type Corrupt = { readonly position: number; readonly detail: string };
type Row = { readonly seq: bigint; readonly leaf_hash: Buffer; readonly bytes: Buffer };

/** Between rounds: a small log is not read without end. */
const restMs = 1_000;

const hashesOf = (tile: Uint8Array): Uint8Array[] =>
  Array.from({ length: tile.length / 32 }, (_, at) => tile.subarray(at * 32, at * 32 + 32));

/** Entries of one page against their own hashes, places and each other. */
const rowsFault = (
  rows: readonly Row[],
  from: number,
  width: number,
  before: Uint8Array | undefined,
): Corrupt | undefined => {
  let prev = before;
  for (let at = 0; at < width; at += 1) {
    const position = from + at;
    const row = rows[at];
    if (row === undefined || Number(row.seq) !== position) {
      return { position, detail: `entry ${position} is not in the database` };
    }
    const hash = leafHash(row.bytes);
    if (!row.leaf_hash.equals(hash)) {
      return { position, detail: `entry ${position} does not hash to what was stored with it` };
    }
    if (prev !== undefined && prevOf(row.bytes) !== toBase64(prev)) {
      return { position, detail: `entry ${position} does not follow the one before it` };
    }
    prev = hash;
  }
  return undefined;
};

/** A full tile against its file, and its root against its parent; upwards while parents are full. */
const tileFault = (
  tree: RecheckDeps["tree"],
  level: number,
  index: number,
  hashes: readonly Uint8Array[],
): Corrupt | undefined => {
  const position = index * TILE_WIDTH ** (level + 1);
  const path = tilePath(level, index);
  const file = tree.readFile(level, index);
  if (file === undefined) return { position, detail: `${path} is missing` };
  const at = hashes.findIndex((hash, place) => {
    const stored = file.subarray(place * 32, place * 32 + 32);
    return !equalBytes(stored, hash);
  });
  if (at >= 0 || file.length !== TILE_WIDTH * 32) {
    const place = position + Math.max(at, 0) * TILE_WIDTH ** level;
    return { position: place, detail: `${path} is not made from the entries from ${place} on` };
  }
  const slot = index % TILE_WIDTH;
  const parentIndex = Math.floor(index / TILE_WIDTH);
  const parent =
    tree.readFile(level + 1, parentIndex) ?? tree.tile(level + 1, parentIndex, slot + 1);
  if (parent === undefined) return undefined;
  const known = parent.subarray(slot * 32, slot * 32 + 32);
  if (!equalBytes(known, rootOf(hashes))) {
    const detail = `${tilePath(level + 1, parentIndex)} does not have the root of ${path}`;
    return { position, detail };
  }
  if (slot < TILE_WIDTH - 1) return undefined;
  return tileFault(tree, level + 1, parentIndex, hashesOf(parent));
};

export const makeRecheck = (deps: RecheckDeps) => {
  const { sql, lane, tree, perSecond } = deps;

  const readRows = async (from: number, to: number): Promise<readonly Row[]> => {
    const { rows } = await sql.query<Row>({
      name: "entries-recheck",
      text: `select seq, leaf_hash, bytes from entry
        where lane = $1 and seq >= $2 and seq < $3 order by seq`,
      values: [lane, from, to],
    });
    return rows;
  };

  /** The entries' file, where there is one, against the tile that has just been looked at. */
  const bundleFault = async (index: number): Promise<Corrupt | undefined> => {
    if ((await deps.files?.isCorrupt(index)) !== true) return undefined;
    const detail = `the file of ${entriesPath(index)} does not have the entries`;
    return { position: index * TILE_WIDTH, detail };
  };

  /** One page. @returns its leaf hashes, or what is wrong */
  const page = async (
    from: number,
    to: number,
    before: Uint8Array | undefined,
  ): Promise<readonly Uint8Array[] | Corrupt> => {
    const rows = await readRows(from, to);
    const wrong = rowsFault(rows, from, to - from, before);
    if (wrong !== undefined) return wrong;
    const hashes = rows.map(({ leaf_hash }) => new Uint8Array(leaf_hash));
    if (hashes.length < TILE_WIDTH) return hashes;
    const index = from / TILE_WIDTH;
    return tileFault(tree, 0, index, hashes) ?? (await bundleFault(index)) ?? hashes;
  };

  /** Everything up to the checkpoint of now. */
  const round = async (signal: AbortSignal): Promise<Corrupt | undefined> => {
    const note = deps.checkpoint();
    if (note === "") return undefined;
    const { size, root } = parseCheckpointText(parseNote(note).text);
    let range: CompactRange = emptyRange();
    let last: Uint8Array | undefined;
    for (let from = 0; from < size; from += TILE_WIDTH) {
      const to = Math.min(from + TILE_WIDTH, size);
      const hashes = await page(from, to, last);
      if ("detail" in hashes) return hashes;
      range = appendLeaves(range, hashes);
      last = hashes.at(-1);
      await pause(((to - from) / perSecond) * 1_000, signal);
      if (signal.aborted) return undefined;
    }
    if (!equalBytes(rangeRoot(range), root)) {
      return { position: size, detail: `the first ${size} entries are not those that were signed` };
    }
    deps.onRound(size);
    return undefined;
  };

  /** Reads until stopped or until something does not stand. A database that is away is waited for. */
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const wrong = await round(signal);
        if (wrong !== undefined) {
          deps.onCorrupt(wrong.position, wrong.detail);
          return;
        }
      } catch (error) {
        deps.onError(error);
      }
      await pause(restMs, signal);
    }
  };

  return { round, run };
};
