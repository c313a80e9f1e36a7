// The newest entries of the lane in memory, and how many of what arrived in each second. An entry is
// read (parsed) only when somebody looks at it: following 2,500 transfers a second costs a search of
// each entry's second line.
import type { EntryRow, Linked } from "./api-types.ts";
import { openEntry, rowOf, type OpenedEntry } from "./entry-view.ts";

export type Counts = { readonly committed: number; readonly ended: number };

export type LogBook = {
  /** Takes entries in any order; what is known already changes nothing. `live`: they just arrived. */
  add(entries: readonly { seq: number; note: string }[], live: boolean): void;
  /** The place after the newest entry; undefined while nothing is known. */
  end(): number | undefined;
  /** The oldest entry that is kept. */
  start(): number;
  get(seq: number): OpenedEntry | undefined;
  byTransfer(id: string): OpenedEntry | undefined;
  /** Returns, recalls and refusals of a transfer among the entries that are kept, the oldest first. */
  linkedTo(id: string): Linked[];
  row(seq: number, sealedSize: number): EntryRow | undefined;
  /** What arrived in a whole second, s since 1970. */
  counts(atS: number): Counts;
};

const mostEntries = 5_000;
const mostSeconds = 30;
const outcomePattern = /"outcome":"([a-z]+)"/;

type Kept = { readonly note: string; opened: OpenedEntry | undefined };

/** The outcome, without reading more than the entry's own line. */
const outcomeOf = (note: string): string =>
  outcomePattern.exec(note.slice(0, note.indexOf("\n", note.indexOf("\n") + 1)))?.[1] ?? "";

export const makeLogBook = (clock: () => number): LogBook => {
  const kept = new Map<number, Kept>();
  const seconds = new Map<number, { committed: number; ended: number }>();
  let start = 0;
  let end: number | undefined;

  const count = (note: string): void => {
    const atS = Math.floor(clock() / 1_000);
    let second = seconds.get(atS);
    if (second === undefined) {
      second = { committed: 0, ended: 0 };
      seconds.set(atS, second);
      for (const old of seconds.keys()) if (old < atS - mostSeconds) seconds.delete(old);
    }
    const outcome = outcomeOf(note);
    if (outcome === "committed") second.committed += 1;
    else if (outcome !== "recorded") second.ended += 1;
  };

  const get = (seq: number): OpenedEntry | undefined => {
    const entry = kept.get(seq);
    if (entry === undefined) return undefined;
    entry.opened ??= openEntry(seq, entry.note);
    return entry.opened;
  };

  return {
    add: (entries, live) => {
      for (const { seq, note } of entries) {
        if (kept.has(seq) || (end !== undefined && seq < end - mostEntries)) continue;
        if (live) count(note);
        if (end === undefined || seq < start) start = seq;
        end = Math.max(end ?? 0, seq + 1);
        kept.set(seq, { note, opened: undefined });
      }
      for (; end !== undefined && start < end - mostEntries; start += 1) kept.delete(start);
    },
    end: () => end,
    start: () => start,
    get,
    byTransfer: (id) => {
      for (let seq = (end ?? 0) - 1; seq >= start; seq -= 1) {
        if (kept.get(seq)?.note.includes(id) !== true) continue;
        const entry = get(seq);
        if (entry?.transferId === id) return entry;
      }
      return undefined;
    },
    linkedTo: (id) => {
      const found: Linked[] = [];
      for (let seq = start; seq < (end ?? 0); seq += 1) {
        if (kept.get(seq)?.note.includes(id) !== true) continue;
        const linked = get(seq)?.linked;
        if (linked?.original.id === id) found.push(linked);
      }
      return found;
    },
    row: (seq, sealedSize) => {
      const entry = get(seq);
      return entry === undefined ? undefined : rowOf(entry, sealedSize);
    },
    counts: (atS) => seconds.get(atS) ?? { committed: 0, ended: 0 },
  };
};
