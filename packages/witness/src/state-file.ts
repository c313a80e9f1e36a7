// What a witness must never forget, in one small file, on disk before any cosignature leaves: a snapshot
// that is written to a temporary file, synced and renamed, and changes that are written after it into
// space that is there already (`state-pages.ts`). Changes of several logs that arrive together share a
// write. A file that cannot be read stops the start: forgetting would be cosigning a fork.
import { closeSync, fdatasync, fsync, openSync, renameSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { makeBatcher, OperationalError } from "@sealane/runtime";
import { fromBase64, parseCheckpointText, parseNote, toBase64 } from "@sealane/tlog";
import { changePages, formatPage, formatSnapshot, pageBytes, readPages } from "./state-pages.ts";
import type { WitnessHead } from "./witness-types.ts";

export type StateFile = {
  head(origin: string): WitnessHead | undefined;
  heads(): readonly WitnessHead[];
  /** Resolves when the head is on disk; only then `head` answers it. */
  save(head: WitnessHead): Promise<void>;
  /** Keeps a newer note of the same size and root in memory only. */
  refresh(head: WitnessHead): void;
};

type StoredHead = {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly note: string;
};

type Heads = ReadonlyMap<string, WitnessHead>;

/** Opens the file, or begins with nothing when there is none. */
export async function openStateFile(path: string): Promise<StateFile> {
  let heads: Map<string, WitnessHead> = await load(path);
  const keep = keeperOf(path);
  const writer = makeBatcher<WitnessHead, void>({
    maxItems: 1_000,
    run: async (changed) => {
      const next = new Map(heads);
      for (const head of changed) next.set(head.origin, head);
      await keep(next, changed);
      heads = next;
      return changed.map(() => undefined);
    },
  });
  return {
    head: (origin) => heads.get(origin),
    heads: () => [...heads.values()],
    save: (head) => writer.add(head),
    refresh: (head) => void heads.set(head.origin, head),
  };
}

const synced = promisify(fsync);
const dataSynced = promisify(fdatasync);

type Room = { readonly file: number; at: number; readonly end: number };

/** Makes changes durable, one after the other: into the room behind the snapshot, or a new snapshot. */
function keeperOf(path: string): (heads: Heads, changed: readonly WitnessHead[]) => Promise<void> {
  let room: Room | undefined;
  return async (heads, changed) => {
    const page = formatPage(textOf(changed));
    const current = room;
    // Whatever goes wrong below, the next change begins with a snapshot.
    room = undefined;
    if (current !== undefined && current.at < current.end && page.length <= pageBytes) {
      writeSync(current.file, page, 0, page.length, current.at);
      await dataSynced(current.file);
      room = { ...current, at: current.at + pageBytes };
      return;
    }
    if (current !== undefined) closeSync(current.file);
    room = await writeSnapshot(path, formatSnapshot(textOf([...heads.values()])));
  };
}

/** Replaces the file so that after a crash either the old or the new content is there, whole. */
async function writeSnapshot(path: string, content: Buffer): Promise<Room> {
  const temporary = `${path}.next`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, content);
    await synced(file);
    renameSync(temporary, path);
    const directory = openSync(dirname(path), "r");
    try {
      await synced(directory);
    } finally {
      closeSync(directory);
    }
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return { file, at: content.length - changePages * pageBytes, end: content.length };
}

async function load(path: string): Promise<Map<string, WitnessHead>> {
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
  try {
    const { snapshot, changes } = readPages(file);
    const heads = [snapshot, ...changes].flatMap(headsOf);
    return new Map(heads.map((head) => [head.origin, head]));
  } catch (cause) {
    const message = `${path} is damaged: bring back its newest copy, never an older one or none`;
    throw new OperationalError("witness-state-damaged", message, { retryable: false, cause });
  }
}

const headsOf = (text: string): WitnessHead[] =>
  (JSON.parse(text) as { heads: readonly StoredHead[] }).heads.map(restore);

/** Takes a stored head, which must say the same thing twice. */
function restore({ origin, size, root, note }: StoredHead): WitnessHead {
  const checkpoint = parseCheckpointText(parseNote(note).text);
  const same = checkpoint.origin === origin && checkpoint.size === size;
  if (!same || toBase64(checkpoint.root) !== root) throw new Error("head and note differ");
  return { origin, size, root: fromBase64(root), note };
}

function textOf(heads: readonly WitnessHead[]): string {
  const stored = heads.map((head) => ({ ...head, root: toBase64(head.root) }));
  return `${JSON.stringify({ v: 2, heads: stored })}\n`;
}
