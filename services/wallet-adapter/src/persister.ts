// Writes the read model behind: changes gather while one statement is on its way and go together in
// the next. Latest state wins; the inbox's position is written with what it led to.
import { pause } from "@sealane/runtime";
import type { ChainEntry, InboxPosition, Kept, StoredSheet, ViewStore } from "./view-store.ts";

export type Persister = {
  readonly view: (kept: Kept) => void;
  readonly chain: (entry: ChainEntry) => void;
  readonly sheet: (sheet: StoredSheet) => void;
  /** What has been handled; a copy is taken. */
  readonly position: (position: InboxPosition) => void;
  /** Views that wait to be written: back-pressure for the inbox. */
  readonly pending: () => number;
  readonly flush: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const mostPerStatement = 2_000;
/**
 * Nobody waits for these writes, and a transfer goes through all its states within some 20 ms, or a
 * second when there is much to do: after this pause before each statement they are one or two writes
 * instead of five. A crash in between only replays the inbox.
 */
const lingerMs = 100;
const busyLingerMs = 1_000;
/** Views in one statement that mean "much to do". */
const busyViews = 50;

export const makePersister = (
  store: Pick<ViewStore, "save">,
  clock: () => number,
  onError: (error: unknown) => void,
  /** What must be stored before a position that covers it. */
  before: () => Promise<void> = () => Promise.resolve(),
): Persister => {
  const stopping = new AbortController();
  let views = new Map<string, Kept>();
  let chain: ChainEntry[] = [];
  let sheets: StoredSheet[] = [];
  /** By lane. */
  let positions = new Map<number, InboxPosition>();
  let running: Promise<void> | undefined;
  let written = 0;

  const write = async (): Promise<void> => {
    const kept = [...views.values()].slice(0, mostPerStatement);
    written = kept.length;
    const rest = [...views].slice(mostPerStatement);
    views = new Map(rest);
    const entries = chain;
    const newSheets = sheets;
    // The position may only be written with the last of what it covers.
    const at = rest.length === 0 ? [...positions.values()] : [];
    chain = [];
    sheets = [];
    if (rest.length === 0) positions = new Map();
    const changes = {
      views: kept,
      chain: entries,
      sheets: newSheets,
      positions: at,
    };
    for (let attempt = 0; ; attempt += 1) {
      try {
        await before();
        await store.save(changes, clock());
        for (const one of kept) one.unwritten = views.has(one.view.id);
        return;
      } catch (error) {
        onError(error);
        if (stopping.signal.aborted) return; // replayed from the inbox at the next start
        await pause(Math.min(100 * 2 ** attempt, 2_000), stopping.signal);
      }
    }
  };

  const dirty = (): boolean =>
    views.size > 0 || chain.length > 0 || sheets.length > 0 || positions.size > 0;

  const run = async (): Promise<void> => {
    while (dirty()) {
      // A full statement leaves more behind that has waited already.
      const linger = written > busyViews ? busyLingerMs : lingerMs;
      if (written < mostPerStatement) await pause(linger, stopping.signal);
      await write();
    }
    written = 0;
    running = undefined;
  };

  const kick = (): void => {
    running ??= run();
  };

  return {
    view: (kept) => {
      kept.unwritten = true;
      views.set(kept.view.id, kept);
      kick();
    },
    chain: (entry) => {
      chain.push(entry);
      kick();
    },
    sheet: (sheet) => {
      sheets.push(sheet);
      kick();
    },
    position: (at) => {
      positions.set(at.lane, { ...at });
      kick();
    },
    pending: () => views.size,
    flush: async () => {
      while (running !== undefined) await running;
    },
    stop: async () => {
      stopping.abort();
      while (running !== undefined) await running;
    },
  };
};
