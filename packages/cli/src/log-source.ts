// A published log to read: over HTTP from its URL, or from a folder of the same layout (an export).
// The lane's log is at the place itself, the key log below it at `keys`. Nothing read is believed here.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LogReadError, makeLogReader, type LogReader } from "@sealane/client";
import {
  bundlesFor,
  decodeBundle,
  fromUtf8,
  HASH_SIZE,
  parseTilePath,
  TILE_WIDTH,
  TlogError,
} from "@sealane/tlog";

/** What is read of one log: less than the client's reader, so that tests can make one from memory. */
export type LogFiles = Pick<LogReader, "checkpoint" | "fetch">;

export type LogSource = {
  /** As it was given: URL or folder. */
  readonly place: string;
  readonly log: LogFiles;
  readonly keys: LogFiles;
};

const readFolder = (folder: string): LogFiles => {
  const read = async (path: string): Promise<Uint8Array> => {
    try {
      return new Uint8Array(await readFile(join(folder, path)));
    } catch (cause) {
      throw new LogReadError("log-refused", `${join(folder, path)} cannot be read`, cause);
    }
  };
  return { checkpoint: async () => fromUtf8(await read("checkpoint")), fetch: read };
};

export const isUrl = (place: string): boolean => /^https?:\/\//.test(place);

/**
 * @param place URL of a log (`http://127.0.0.1:8083/log`) or a folder that `export` made
 * @param token for a log that gives entries to auditors only
 */
export const openLog = (place: string, token?: string): LogSource => {
  if (!isUrl(place)) {
    return { place, log: readFolder(place), keys: readFolder(join(place, "keys")) };
  }
  const prefix = place.replace(/\/+$/, "");
  const reader = (url: string): LogFiles => makeLogReader(url, 10_000, token);
  return { place, log: reader(prefix), keys: reader(`${prefix}/keys`) };
};

/** Of a full bundle or tile, what a partial one of this width has: its prefix (tlog-tiles). */
const prefixOf = (path: string, whole: Uint8Array): Uint8Array => {
  const tile = parseTilePath(path);
  if (tile === undefined) return whole;
  if (tile.kind === "hashes") return whole.slice(0, tile.width * HASH_SIZE);
  let end = 0;
  for (const entry of decodeBundle(whole).slice(0, tile.width)) end += 2 + entry.length;
  return whole.slice(0, end);
};

/**
 * Reads a tile or bundle. A log may have dropped a partial one whose full one it has by now.
 * @throws LogReadError
 */
export const readTile = async (files: LogFiles, path: string): Promise<Uint8Array> => {
  try {
    return await files.fetch(path);
  } catch (error) {
    const split = path.indexOf(".p/");
    if (split < 0 || !(error instanceof LogReadError) || error.retryable) throw error;
    try {
      return prefixOf(path, await files.fetch(path.slice(0, split)));
    } catch {
      throw error;
    }
  }
};

export type Bundle = {
  readonly path: string;
  /** Place of the first entry. */
  readonly from: number;
  readonly bytes: Uint8Array;
  readonly entries: readonly Uint8Array[];
};

/** How many bundles are on their way at once. */
const readAhead = 8;

/** A bundle that cannot be what the log should have there, and where it begins. */
export class BundleError extends Error {
  readonly code: string;
  readonly position: number;

  constructor(code: string, message: string, position: number, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.position = position;
  }
}

const readBundle = async (files: LogFiles, path: string, size: number): Promise<Bundle> => {
  const from = (parseTilePath(path)?.index ?? 0) * TILE_WIDTH;
  let bytes: Uint8Array;
  try {
    bytes = await readTile(files, path);
  } catch (error) {
    // A log that cannot be reached is no difference in it.
    if (!(error instanceof LogReadError) || error.retryable) throw error;
    throw new BundleError("bundle-missing", error.message, from, error);
  }
  try {
    const entries = decodeBundle(bytes);
    const width = Math.min(TILE_WIDTH, size - from);
    if (entries.length === width) return { path, from, bytes, entries };
    const detail = `${path} has ${entries.length} entries, not ${width}`;
    throw new BundleError("bundle-malformed", detail, from + Math.min(entries.length, width));
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new BundleError(error.code, `${path}: ${error.message}`, from, error);
  }
};

/**
 * The bundles of the first `size` entries, in order, some read ahead.
 * @param from bundles whose entries all come before this place are left out
 * @throws BundleError, LogReadError
 */
export async function* readBundles(
  files: LogFiles,
  size: number,
  from = 0,
): AsyncGenerator<Bundle, void, void> {
  const paths = from < size ? bundlesFor(size).slice(Math.floor(from / TILE_WIDTH)) : [];
  const coming: Promise<Bundle>[] = [];
  let next = 0;
  for (let at = 0; at < paths.length; at += 1) {
    for (; next < Math.min(at + readAhead, paths.length); next += 1) {
      const bundle = readBundle(files, paths[next] as string, size);
      bundle.catch(() => undefined); // thrown when its turn comes
      coming.push(bundle);
    }
    yield await (coming.shift() as Promise<Bundle>);
  }
}
