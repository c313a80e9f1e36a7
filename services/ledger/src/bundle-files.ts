// Full entry bundles as immutable files beside the hash tiles, `<directory>/tile/entries/<N>.gz`, off the
// hot path: entries of cosigned checkpoints only. Entries are for auditors: the files are this user's alone
// (0600 in folders of 0700), and the route that serves them asks for a token. Compressed, they are a fifth.
// They are made from the tables, and made again where one is missing or is not what the tree says.
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { pause } from "@sealane/runtime";
import {
  concatBytes,
  decodeBundle,
  encodeBundle,
  entriesPath,
  equalBytes,
  leafHash,
  TILE_WIDTH,
} from "@sealane/tlog";
import type { Tree } from "./tree.ts";

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** The quickest: a fifth of the size for 10 µs an entry; the best saves 6 % more for twice that. */
const level = 1;

/** A full bundle as its file has it. */
export const compressBundle = (entries: readonly Uint8Array[]): Promise<Buffer> =>
  compress(encodeBundle(entries), { level });

/** How often it is looked whether another bundle is full. */
const lookEveryMs = 1_000;

export type BundleFilesDeps = {
  /** The lane's folder: as for its tiles. */
  readonly directory: string;
  readonly tree: Pick<Tree, "tile">;
  readonly read: (from: number, to: number) => Promise<readonly Uint8Array[]>;
  /** Size of the newest cosigned checkpoint. */
  readonly sealedSize: () => number;
  readonly onError: (error: unknown) => void;
};

export type BundleFiles = ReturnType<typeof makeBundleFiles>;

export const makeBundleFiles = (deps: BundleFilesDeps) => {
  const { directory, tree, read, sealedSize } = deps;
  /** Bundles whose file was written or held against the tree since the start. */
  const known = new Set<number>();
  /** Being written: whoever asks for such a bundle meanwhile waits for the same file. */
  const writing = new Map<number, Promise<Buffer>>();
  const pathOf = (index: number): string => join(directory, `${entriesPath(index)}.gz`);

  const make = async (index: number): Promise<Buffer> => {
    const from = index * TILE_WIDTH;
    const entries = await read(from, from + TILE_WIDTH);
    if (entries.length !== TILE_WIDTH)
      throw new Error(`broken invariant: bundle ${index} is short`);
    const bytes = await compressBundle(entries);
    const path = pathOf(index);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, bytes, { mode: 0o600 });
    await rename(`${path}.new`, path);
    known.add(index);
    return bytes;
  };

  const write = (index: number): Promise<Buffer> => {
    const made = writing.get(index) ?? make(index).finally(() => writing.delete(index));
    writing.set(index, made);
    return made;
  };

  /** Whether the bundle in these bytes has the entries whose hashes the tree has. */
  const isOurs = async (index: number, bytes: Buffer): Promise<boolean> => {
    try {
      const hashes = decodeBundle(await expand(bytes)).map((entry) => leafHash(entry));
      const tile = tree.tile(0, index, TILE_WIDTH);
      return tile !== undefined && equalBytes(concatBytes(...hashes), tile);
    } catch {
      return false; // cut short by a crash, or no bundle at all
    }
  };

  /** The file's bytes as they are on disk; undefined when there is none. */
  const stored = async (index: number): Promise<Buffer | undefined> => {
    try {
      return await readFile(pathOf(index));
    } catch {
      return undefined;
    }
  };

  /** A full bundle, compressed with gzip; undefined while it is not sealed, or not full. */
  const bundle = async (index: number): Promise<Uint8Array | undefined> => {
    if ((index + 1) * TILE_WIDTH > sealedSize()) return undefined;
    const bytes = await stored(index);
    if (bytes !== undefined && (known.has(index) || (await isOurs(index, bytes)))) {
      known.add(index);
      return bytes;
    }
    return write(index);
  };

  /**
   * Whether a file that was right since the start is so no more. One of an earlier run may have been cut
   * short by a crash of the machine: it is made again.
   */
  const isCorrupt = async (index: number): Promise<boolean> => {
    const bytes = await stored(index);
    if (bytes === undefined) return false;
    if (!(await isOurs(index, bytes))) {
      if (known.has(index)) return true;
      await write(index);
    }
    known.add(index);
    return false;
  };

  const exists = (index: number): Promise<boolean> =>
    stat(pathOf(index)).then(
      () => true,
      () => false,
    );

  /** Writes what is missing up to the newest seal. @returns how many bundles are full */
  const fill = async (from: number, signal: AbortSignal): Promise<number> => {
    let index = from;
    for (; (index + 1) * TILE_WIDTH <= sealedSize() && !signal.aborted; index += 1) {
      if (!(await exists(index))) await write(index);
    }
    return index;
  };

  /** Keeps up with the log until stopped; a disk or database that fails is tried again. */
  const run = async (signal: AbortSignal): Promise<void> => {
    let next = 0;
    while (!signal.aborted) {
      try {
        next = await fill(next, signal);
      } catch (error) {
        deps.onError(error);
      }
      await pause(lookEveryMs, signal);
    }
  };

  return { bundle, fill, run, isCorrupt };
};
