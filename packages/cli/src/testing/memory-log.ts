// For tests: a published log in memory, in the layout that the ledger serves, made from a lane's
// entries by another way than the code under test takes.
import { LogReadError } from "@sealane/client";
import {
  concatBytes,
  encodeBundle,
  leafHash,
  parseTilePath,
  rootOf,
  TILE_WIDTH,
  utf8,
} from "@sealane/tlog";
import type { LogFiles, LogSource } from "../log-source.ts";

/** What a test's world has to have (`@sealane/rules/testing`). */
export type WorldLike = {
  readonly entries: readonly string[];
  readonly keyLog: { readonly entries: readonly string[] };
  readonly checkpoint: (size?: number, count?: number) => string;
  readonly keyCheckpoint: (count?: number) => string;
};

/** Changes what is served at a path; `undefined` is a file that is not there. */
export type Tamper = (path: string, bytes: Uint8Array) => Uint8Array | undefined;

export type MemoryLogOptions = {
  readonly checkpoint?: string;
  readonly keyCheckpoint?: string;
  readonly entries?: readonly string[];
  readonly keyEntries?: readonly string[];
  /** Paths of the key log begin with `keys/`. */
  readonly tamper?: Tamper;
};

const filesOf = (
  entries: readonly string[],
  checkpoint: string,
  prefix: string,
  tamper: Tamper,
): LogFiles => {
  const leaves = entries.map((entry) => leafHash(entry));
  const serve = (path: string): Uint8Array => {
    const tile = parseTilePath(path);
    if (tile === undefined) throw new LogReadError("log-refused", `${path} is no tile`);
    const from = tile.index * TILE_WIDTH;
    const level = tile.kind === "hashes" ? tile.level : 0;
    if (from + tile.width > Math.floor(entries.length / TILE_WIDTH ** level)) {
      throw new LogReadError("log-refused", `${prefix}${path} is wider than the log`);
    }
    if (tile.kind === "entries") {
      return encodeBundle(entries.slice(from, from + tile.width).map(utf8));
    }
    const span = TILE_WIDTH ** level;
    const hashes = Array.from({ length: tile.width }, (_, at) =>
      rootOf(leaves.slice((from + at) * span, (from + at + 1) * span)),
    );
    return concatBytes(...hashes);
  };
  return {
    checkpoint: () => Promise.resolve(checkpoint),
    fetch: async (path) => {
      const bytes = tamper(prefix + path, serve(path));
      if (bytes !== undefined) return Promise.resolve(bytes);
      throw new LogReadError("log-refused", `${prefix}${path} is not there`);
    },
  };
};

export const memoryLog = (world: WorldLike, options: MemoryLogOptions = {}): LogSource => {
  const {
    checkpoint = world.checkpoint(),
    keyCheckpoint = world.keyCheckpoint(),
    entries = world.entries,
    keyEntries = world.keyLog.entries,
    tamper = (_, bytes) => bytes,
  } = options;
  return {
    place: "memory",
    log: filesOf(entries, checkpoint, "", tamper),
    keys: filesOf(keyEntries, keyCheckpoint, "keys/", tamper),
  };
};
