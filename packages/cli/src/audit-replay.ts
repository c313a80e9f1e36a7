// Replays the entries of a log through the audit's fold, in order. Threads judge each entry by itself
// behind it; what they find counts for the entry that it belongs to, so the first fault in log order is
// the one that is reported, and what the threads say of an entry counts before what the fold says.
import { setImmediate } from "node:timers/promises";
import {
  auditEntry,
  auditRoot,
  beginAudit,
  type AuditOptions,
  type AuditState,
  type KeyHistory,
} from "@sealane/rules";
import { equalBytes, fromUtf8, leafHash, rootOf, toBase64, TlogError } from "@sealane/tlog";
import type { Resumed } from "./audit-cursor.ts";
import { difference, type AuditDifference } from "./audit-types.ts";
import type { SettlementAt } from "./audit-windows.ts";
import { BundleError, readBundles, type Bundle, type LogFiles } from "./log-source.ts";
import { tileFault } from "./read-keys.ts";
import type { EntryPool } from "./entry-pool.ts";
import { makeTileBuilder, type BuiltTile } from "./tile-builder.ts";

export type ReplayOptions = {
  readonly files: LogFiles;
  readonly size: number;
  readonly origin: string;
  readonly history: KeyHistory;
  readonly signatures: boolean;
  /** Whether checkpoints of other lanes, that stand in what was carried from there, are sealed. */
  readonly otherLanes?: AuditOptions["sealed"];
  /** Judges entries by themselves elsewhere; without it that is done here. */
  readonly pool: EntryPool | undefined;
  /** A state of the log that was seen before: size, and root in base64. */
  readonly remembered?: { readonly size: number; readonly root: string } | undefined;
  /** Where an audit of before ended: its entries are not judged again. */
  readonly resumed?: Resumed | undefined;
  /** Those entries and their tiles are read again and held against their hashes: files can be changed alone. */
  readonly rereads?: boolean | undefined;
  readonly onProgress?: ((entries: number, size: number) => void) | undefined;
};

/** Bundles whose entries and tiles are still being looked at while the fold goes on. */
const mostBehind = 32;

export type ReplayResult =
  | {
      readonly ok: true;
      readonly state: AuditState;
      /** What was said of settlement, in order. */
      readonly settlement: readonly SettlementAt[];
    }
  | AuditDifference;

type Replay = ReplayOptions & {
  readonly state: AuditState;
  /** By the fold and of tiles. */
  readonly found: AuditDifference[];
  /** By the threads. */
  readonly judged: AuditDifference[];
  readonly settlement: SettlementAt[];
  readonly builder: ReturnType<typeof makeTileBuilder>;
  /** Full tiles of what was audited before. */
  readonly before: readonly BuiltTile[];
};

/** One entry; what is thrown is a fault of the entry too, since nothing else went in. */
const stepEntry = (state: AuditState, bytes: Uint8Array) => {
  try {
    return auditEntry(state, fromUtf8(bytes), leafHash(bytes));
  } catch (error) {
    const code = error instanceof TlogError ? error.code : "entry-malformed";
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false as const, code, detail, position: state.next };
  }
};

/** Whether the log as it is now, at the size that is remembered, is the one that is remembered. */
const isForked = ({ state, remembered }: Replay): boolean =>
  state.next === remembered?.size && toBase64(auditRoot(state)) !== remembered.root;

const forked = (position: number): AuditDifference => {
  const detail = "the entries are not those whose checkpoint is remembered";
  return difference("log-forked", detail, position + 1, position);
};

/** Entries of a bundle that were audited before: whether they are still the same. */
const changedFault = ({ resumed }: Replay, bundle: Bundle): AuditDifference | undefined => {
  const known = resumed?.leaves.slice(bundle.from, bundle.from + bundle.entries.length) ?? [];
  const at = known.findIndex((leaf, i) => !equalBytes(leaf, leafHash(bundle.entries[i] ?? "")));
  return at < 0 ? undefined : forked(bundle.from + at);
};

/** Folds a bundle. @returns the tiles that it made full, or the first difference */
const foldBundle = (replay: Replay, bundle: Bundle): BuiltTile[] | AuditDifference => {
  const { state, builder } = replay;
  const tiles: BuiltTile[] = [];
  const changed = changedFault(replay, bundle);
  if (changed !== undefined) return changed;
  for (const bytes of bundle.entries.slice(state.next - bundle.from)) {
    const result = stepEntry(state, bytes);
    if (!result.ok) return difference(result.code, result.detail, state.next, result.position);
    tiles.push(...builder.push(result.leafHash));
    const { settlement, context } = result.entry;
    if (settlement !== undefined) replay.settlement.push({ seq: context.seq, said: settlement });
    if (isForked(replay)) return forked(state.next - 1);
  }
  return tiles;
};

/** Has the threads judge the bundle's entries. */
const judgeBundle = async ({ pool, judged }: Replay, bundle: Bundle): Promise<void> => {
  const fault = await pool?.judge({ from: bundle.from, bytes: bundle.bytes });
  if (fault === undefined) return;
  const { code, detail, position } = fault;
  judged.push(difference(code, detail, position, position));
};

/** Holds what the log serves as hash tiles against the entries. */
const checkTiles = async (replay: Replay, tiles: readonly BuiltTile[]): Promise<void> => {
  for (const tile of tiles) {
    const fault = await tileFault(replay.files, tile);
    const { from } = tile;
    if (fault !== undefined) {
      replay.found.push(difference(fault.code, fault.detail, replay.state.next, from));
      return;
    }
  }
};

/** The first in log order; of one place, the first of the list. */
const firstOf = (found: readonly AuditDifference[]): AuditDifference | undefined =>
  found.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))[0];

const beginReplay = (options: ReplayOptions): Replay => {
  const { origin, history, signatures, resumed } = options;
  const state =
    resumed?.state ?? beginAudit({ origin, history, signatures, sealed: options.otherLanes });
  const builder = makeTileBuilder();
  const before = (resumed?.leaves ?? []).flatMap((leaf) => builder.push(leaf));
  return {
    ...options,
    state,
    found: [],
    judged: [],
    settlement: [...(resumed?.said ?? [])],
    builder,
    before,
  };
};

/** Whether what is remembered is of before the place where this audit goes on, and of another log. */
const isForkedBefore = ({ resumed, remembered }: ReplayOptions): boolean => {
  if (resumed === undefined || remembered === undefined) return false;
  const { size, root } = remembered;
  return size <= resumed.state.next && toBase64(rootOf(resumed.leaves.slice(0, size))) !== root;
};

/**
 * @returns the state after `size` entries, or the first difference
 * @throws LogReadError
 */
export const replayLog = async (options: ReplayOptions): Promise<ReplayResult> => {
  if (isForkedBefore(options)) return forked((options.remembered?.size ?? 1) - 1);
  const replay = beginReplay(options);
  const { files, size, pool, onProgress, found, judged, state, builder, rereads = false } = replay;
  const began = state.next;
  const behind = new Set<Promise<void>>();
  let broken: Error | undefined;
  const follow = (work: Promise<void>): void => {
    const done = work
      .catch((error: unknown) => {
        broken ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => behind.delete(done));
    behind.add(done);
  };
  try {
    if (rereads) follow(checkTiles(replay, replay.before));
    for await (const bundle of readBundles(files, size, rereads ? 0 : began)) {
      const isNew = bundle.from + bundle.entries.length > began;
      state.judgedElsewhere = isNew && pool?.isFull() === false;
      if (state.judgedElsewhere) follow(judgeBundle(replay, bundle));
      const tiles = foldBundle(replay, bundle);
      if (!Array.isArray(tiles)) found.push(tiles);
      else follow(checkTiles(replay, tiles));
      if (found.length > 0 || judged.length > 0 || broken !== undefined) break;
      onProgress?.(state.next, size);
      await setImmediate(); // answers of the threads, and what they have found
      while (behind.size > mostBehind) await Promise.race(behind);
    }
  } catch (error) {
    // Entries before it may not stand either, and come first.
    if (!(error instanceof BundleError)) throw error;
    found.push(difference(error.code, error.message, error.position, error.position));
  }
  if (found.length === 0) follow(checkTiles(replay, builder.partials()));
  while (behind.size > 0) await Promise.all(behind);
  const first = firstOf([...judged, ...found]);
  if (first === undefined && broken !== undefined) throw broken;
  return first ?? { ok: true, state, settlement: replay.settlement };
};
