// Everything an auditor needs, in a folder of the published layout: both logs up to their newest
// checkpoint, tiles and entries. Each file is written whole; the checkpoints come last, so a folder with
// a checkpoint is complete. Nothing is kept that does not fit: tiles are recomputed from the entries.
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import {
  appendLeaves,
  bundlesFor,
  checkCheckpoint,
  emptyRange,
  equalBytes,
  leafHash,
  parseCheckpointText,
  parseNote,
  rangeRoot,
  tilesFor,
  toBase64,
  type Checkpoint,
  type TlogPolicy,
} from "@sealane/tlog";
import { CliError } from "./cli-error.ts";
import { readBundles, readTile, type LogFiles, type LogSource } from "./log-source.ts";
import { makeTileBuilder, type BuiltTile } from "./tile-builder.ts";

export type ExportOptions = {
  readonly source: LogSource;
  readonly folder: string;
  /** Checked when there is one: an export of an unsealed log would fail its audit. */
  readonly policy?: TlogPolicy | undefined;
  readonly onProgress?: ((entries: number, size: number) => void) | undefined;
};

export type ExportReport = {
  readonly origin: string;
  readonly entries: number;
  readonly keysEntries: number;
  /** Root of the lane's tree, base64. */
  readonly root: string;
  readonly files: number;
  /** Full tiles and bundles that were there already. */
  readonly kept: number;
};

const isPartial = (path: string): boolean => path.includes(".p/");

const write = async (path: string, bytes: Uint8Array | string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, bytes);
  await rename(`${path}.new`, path);
};

const readOrNothing = async (path: string): Promise<Uint8Array | undefined> => {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};

type Keeper = LogFiles & {
  /** Bytes that came from the log for the first time are written. */
  readonly save: (path: string, bytes: Uint8Array) => Promise<void>;
  readonly kept: () => number;
};

/** Reads full tiles and bundles from the folder where they are, and everything else from the log. */
const keepIn = (files: LogFiles, folder: string): Keeper => {
  const local = new Set<string>();
  return {
    checkpoint: files.checkpoint,
    fetch: async (path) => {
      const found = isPartial(path) ? undefined : await readOrNothing(join(folder, path));
      if (found === undefined) return files.fetch(path);
      local.add(path);
      return found;
    },
    save: async (path, bytes) => {
      if (!local.has(path)) await write(join(folder, path), bytes);
    },
    kept: () => local.size,
  };
};

const mismatch = (path: string, folder: string): CliError =>
  new CliError(
    "export-mismatch",
    `${path} does not fit the entries`,
    `If ${folder} holds another log's files, export to an empty folder.`,
  );

/** Removes what does not belong to this size: partial tiles of earlier ones, interrupted writes. */
const sweep = async (folder: string, wanted: ReadonlySet<string>): Promise<void> => {
  const root = join(folder, "tile");
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const left = new Set<string>();
  for (const entry of found) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (wanted.has(relative(folder, path).split(sep).join("/"))) left.add(entry.parentPath);
    else await rm(path);
  }
  for (const entry of found) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory() && path.endsWith(".p") && !left.has(path)) await rmdir(path);
  }
};

const readCheckpoint = async (
  files: LogFiles,
  policy: TlogPolicy | undefined,
): Promise<{ note: string; checkpoint: Checkpoint }> => {
  const note = await files.checkpoint();
  const checkpoint = parseCheckpointText(parseNote(note).text);
  if (policy !== undefined && !checkCheckpoint(policy, note).quorum) {
    const action = "Try again when its witnesses answer.";
    throw new CliError("quorum-missing", `${checkpoint.origin} is not cosigned enough`, action);
  }
  return { note, checkpoint };
};

type Exported = { readonly checkpoint: Checkpoint; readonly files: number; readonly kept: number };

const saveTiles = async (keeper: Keeper, tiles: readonly BuiltTile[], folder: string) => {
  for (const { path, bytes } of tiles) {
    if (!equalBytes(await readTile(keeper, path), bytes)) throw mismatch(path, folder);
    await keeper.save(path, bytes);
  }
};

const exportOne = async (
  files: LogFiles,
  { note, checkpoint }: { readonly note: string; readonly checkpoint: Checkpoint },
  folder: string,
  onProgress?: ExportOptions["onProgress"],
): Promise<Exported> => {
  const { size, root } = checkpoint;
  const keeper = keepIn(files, folder);
  const builder = makeTileBuilder();
  let range = emptyRange();
  for await (const { path, bytes, entries, from } of readBundles(keeper, size)) {
    const hashes = entries.map((entry) => leafHash(entry));
    range = appendLeaves(range, hashes);
    const tiles = hashes.flatMap((hash) => builder.push(hash));
    await saveTiles(keeper, tiles, folder);
    await keeper.save(path, bytes);
    onProgress?.(from + entries.length, size);
  }
  await saveTiles(keeper, builder.partials(), folder);
  if (!equalBytes(rangeRoot(range), root)) throw mismatch("the checkpoint's root", folder);
  await write(join(folder, "checkpoint"), note);
  const wanted = new Set([...tilesFor(size), ...bundlesFor(size)]);
  if (size > 0) await sweep(folder, wanted);
  return { checkpoint, files: wanted.size + 1, kept: keeper.kept() };
};

/**
 * Exports both logs. The lane's checkpoint is read first and written last; the key log between, so
 * that it has all that the entries cite.
 * @throws CliError, LogReadError, BundleError, TlogError
 */
export const exportLog = async (options: ExportOptions): Promise<ExportReport> => {
  const { source, folder, policy, onProgress } = options;
  const lane = await readCheckpoint(source.log, policy);
  const keysFolder = join(folder, "keys");
  const keys = await exportOne(source.keys, await readCheckpoint(source.keys, policy), keysFolder);
  const log = await exportOne(source.log, lane, folder, onProgress);
  return {
    origin: log.checkpoint.origin,
    entries: log.checkpoint.size,
    keysEntries: keys.checkpoint.size,
    root: toBase64(log.checkpoint.root),
    files: log.files + keys.files,
    kept: log.kept + keys.kept,
  };
};
