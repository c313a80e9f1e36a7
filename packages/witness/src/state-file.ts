// What a witness must never forget, in one small file: written whole to a temporary file, synced,
// renamed, and the directory synced, before any cosignature leaves. Updates of several logs that
// arrive together share one write. A file that cannot be read stops the start: forgetting would be
// cosigning a fork.
import { closeSync, fsync, openSync, renameSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { makeBatcher, OperationalError } from "@sealane/runtime";
import { fromBase64, parseCheckpointText, parseNote, toBase64 } from "@sealane/tlog";
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

/** Opens the file, or begins with nothing when there is none. */
export async function openStateFile(path: string): Promise<StateFile> {
  let heads = await load(path);
  const writer = makeBatcher<WitnessHead, void>({
    maxItems: 1_000,
    run: async (changed) => {
      const next = new Map(heads);
      for (const head of changed) next.set(head.origin, head);
      await writeDurably(path, format(next));
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

/**
 * Replaces a file so that after a crash either the old or the new content is there, whole. What only
 * touches the page cache is done in place (tens of microseconds); the two syncs wait in libuv's pool.
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.next`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, text);
    await synced(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  const directory = openSync(dirname(path), "r");
  try {
    await synced(directory);
  } finally {
    closeSync(directory);
  }
}

async function load(path: string): Promise<Map<string, WitnessHead>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
  try {
    const stored = (JSON.parse(text) as { v: number; heads: readonly StoredHead[] }).heads;
    return new Map(stored.map((head) => [head.origin, restore(head)]));
  } catch (cause) {
    const message = `${path} is damaged: bring back its newest copy, never an older one or none`;
    throw new OperationalError("witness-state-damaged", message, { retryable: false, cause });
  }
}

/** Takes a stored head, which must say the same thing twice. */
function restore({ origin, size, root, note }: StoredHead): WitnessHead {
  const checkpoint = parseCheckpointText(parseNote(note).text);
  const same = checkpoint.origin === origin && checkpoint.size === size;
  if (!same || toBase64(checkpoint.root) !== root) throw new Error("head and note differ");
  return { origin, size, root: fromBase64(root), note };
}

function format(heads: ReadonlyMap<string, WitnessHead>): string {
  const stored = [...heads.values()].map((head) => ({ ...head, root: toBase64(head.root) }));
  return `${JSON.stringify({ v: 1, heads: stored }, null, 1)}\n`;
}
