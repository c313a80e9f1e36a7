// The audit of a published log: everything recomputed from its entries, then held against what others
// say: the cosigned checkpoint, the hash tiles, and reconciliation's balances. The core of
// `sealane audit`, and the oracle of benchmarks and fault tests.
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { LogReadError } from "@sealane/client";
import {
  auditRoot,
  auditTotals,
  isTimely,
  lanesMoves,
  namesLogKey,
  rootFault,
  sealedBy,
  unpinnedLaneKey,
  verifyKeyLog,
  type AuditOptions,
  type KeyHistory,
} from "@sealane/rules";
import {
  checkCheckpoint,
  equalBytes,
  parseCheckpointText,
  parseNote,
  toBase64,
  TlogError,
  type CheckedCheckpoint,
} from "@sealane/tlog";
import { compareBalances } from "./audit-balances.ts";
import {
  formatCursor,
  parseCursor,
  resumeCursor,
  type AuditCursor,
  type Resumed,
} from "./audit-cursor.ts";
import { compareWindows, windowsOf } from "./audit-windows.ts";
import { replayLog, type ReplayResult } from "./audit-replay.ts";
import {
  difference,
  type AuditDifference,
  type AuditLogOptions,
  type AuditReport,
  type SeenCheckpoints,
} from "./audit-types.ts";
import { startEntryPool } from "./entry-pool.ts";
import { BundleError, isUrl, openLog, type LogSource } from "./log-source.ts";
import { readKeys, type KeysResult } from "./read-keys.ts";
import { sealFault } from "./verify-seal.ts";

/**
 * How many threads judge entries: none for a log that is read before they have started. Without signatures
 * the fold takes about as long as one of them, and this thread is the fold's.
 */
const threadsFor = (size: number, signatures: boolean): number => {
  const cores = availableParallelism();
  if (signatures) return size < 2_000 ? 0 : cores;
  return size < 10_000 ? 0 : Math.max(1, Math.min(2, cores - 1));
};

const readKeyHistory = async (
  { keys, policy }: AuditLogOptions,
  source: LogSource,
): Promise<KeysResult> => {
  if (keys === undefined) return readKeys(source.keys, policy);
  const verified = verifyKeyLog(policy, keys.checkpoint, keys.entries);
  return verified.ok ? { ...verified, copy: keys } : verified;
};

type Remembered = { readonly origin: string; readonly size: number; readonly root: string };

/** A checkpoint that the auditor has kept: it may be of before a change of witnesses. */
const readRemembered = (note: string): Remembered => {
  const { origin, size, root } = parseCheckpointText(parseNote(note).text);
  return { origin, size, root: toBase64(root) };
};

/** A log does not shrink, and it stays the same log. */
const shrunkFault = (origin: string, size: number, before: Remembered) => {
  if (before.origin !== origin) {
    return difference("wrong-log", `this is ${origin}, ${before.origin} is remembered`, 0);
  }
  if (before.size <= size) return undefined;
  return difference("log-rolled-back", `${size} entries, ${before.size} are remembered`, 0);
};

/** The key log grew from what is remembered of it, or did it? */
const keysFault = (history: KeyHistory, remembered: SeenCheckpoints) => {
  const before = readRemembered(remembered.keys);
  const shrunk = shrunkFault(history.origin, history.size, before);
  if (shrunk !== undefined || history.roots[before.size] === before.root) return shrunk;
  return difference("log-forked", "the key log is not the one that is remembered", 0);
};

/** The key that signs a lane's checkpoints is the one that the key log names, where it names one. */
const laneKeyFault = (
  { log, checkpoint: { origin, size } }: CheckedCheckpoint,
  history: KeyHistory,
  cited: number,
) => {
  const lanes = history.states.at(-1)?.lanes?.lanes ?? [];
  if (!lanes.some((lane) => lane.origin === origin)) return undefined;
  if (namesLogKey(history, origin, log, cited)) return undefined;
  const detail = `at the last entry's place the key log has another key for ${origin}`;
  return difference("lane-unknown", detail, size, size - 1);
};

/** The lane's checkpoint, opened; or what to do when its key is one that came after the policy. */
const openSealed = async (options: AuditLogOptions, source: LogSource, note: string) => {
  try {
    return checkCheckpoint(options.policy, note);
  } catch (error) {
    if (!(error instanceof TlogError) || error.code !== "note-unknown-key") throw error;
    const keys = await readKeyHistory(options, source);
    if (!keys.ok) return difference(keys.code, `key log: ${keys.detail}`, 0);
    const { origin } = parseCheckpointText(parseNote(note).text);
    const later = unpinnedLaneKey(options.policy, keys.history, origin);
    return difference(later?.code ?? error.code, later?.detail ?? error.message, 0);
  }
};

const readCursor = ({ cursor }: AuditLogOptions): AuditCursor | undefined => {
  const bytes = cursor?.read();
  return bytes === undefined ? undefined : parseCursor(bytes);
};

const replay = async (
  options: AuditLogOptions,
  source: LogSource,
  sealed: CheckedCheckpoint,
  history: KeyHistory,
  resumed: Resumed | undefined,
  otherLanes: AuditOptions["sealed"],
): Promise<ReplayResult> => {
  const { signatures = true, onProgress } = options;
  const seen = options.remembered?.log;
  const remembered = seen === undefined ? undefined : readRemembered(seen);
  const { origin, size } = sealed.checkpoint;
  const threads = options.threads ?? threadsFor(size - (resumed?.state.next ?? 0), signatures);
  const setting = { origin, history, signatures };
  const pool = threads > 0 ? startEntryPool(setting, threads) : undefined;
  try {
    const files = source.log;
    const rereads = typeof options.log === "string" && !isUrl(options.log);
    const past = { remembered, resumed, rereads, otherLanes };
    const what = { files, size, origin, history, signatures, ...past };
    return await replayLog({ ...what, pool, onProgress });
  } finally {
    await pool?.stop();
  }
};

const audit = async (options: AuditLogOptions, source: LogSource): Promise<AuditReport> => {
  const { policy, signatures = true, balancesUrl } = options;
  const startedMs = performance.now();
  // The lane's checkpoint first: the key log only grows, and has all that the entries cite.
  const checkpointNote = await source.log.checkpoint();
  const sealed = await openSealed(options, source, checkpointNote);
  if ("ok" in sealed) return sealed;
  const unsealed = sealFault(policy, sealed);
  if (unsealed !== undefined) return difference(unsealed.code, unsealed.detail, 0);
  const cursor = readCursor(options);
  const seen = [options.remembered, cursor?.seen].filter((one) => one !== undefined);
  for (const { log } of seen) {
    const { checkpoint } = sealed;
    const shrunk = shrunkFault(checkpoint.origin, checkpoint.size, readRemembered(log));
    if (shrunk !== undefined) return shrunk;
  }
  const keys = await readKeyHistory(options, source);
  if (!keys.ok) return difference(keys.code, `key log: ${keys.detail}`, 0);
  const stranger = options.roots === undefined ? undefined : rootFault(keys.history, options.roots);
  if (stranger !== undefined) return difference(stranger.code, stranger.detail, 0);
  for (const one of seen) {
    const other = keysFault(keys.history, one);
    if (other !== undefined) return other;
  }
  const otherLanes = signatures ? sealedBy(policy) : undefined;
  const setting = {
    origin: sealed.checkpoint.origin,
    history: keys.history,
    signatures,
    sealed: otherLanes,
  };
  const resumed = cursor === undefined ? undefined : resumeCursor(cursor, setting);
  const from = resumed?.state.next ?? 0;
  const replayed = await replay(options, source, sealed, keys.history, resumed, otherLanes);
  if (!replayed.ok) return replayed;
  const { state } = replayed;
  const { size, root, origin } = sealed.checkpoint;
  const last = size - 1;
  if (!equalBytes(auditRoot(state), root)) {
    return difference("root-mismatch", "the entries are not those that were cosigned", size, last);
  }
  const otherKey = laneKeyFault(sealed, keys.history, state.keysSize);
  if (otherKey !== undefined) return otherKey;
  if (!isTimely(sealed, state.logTimeMs)) {
    return difference("time-ahead", "the last entry's log time is after its seal", size, last);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const totals = auditTotals(state);
  const unbalanced = totals.sums.find(({ difference: rest }) => rest !== 0n);
  if (unbalanced !== undefined) {
    return difference(
      "sum-not-zero",
      `postings in ${unbalanced.currency} do not balance`,
      size,
      last,
    );
  }
  let balancesCompared: number | undefined;
  if (balancesUrl !== undefined) {
    const compared = await compareBalances(balancesUrl, size, totals.balances, options.deskToken);
    if (!compared.ok) return difference(compared.code, compared.detail, size, last);
    balancesCompared = compared.compared;
  }
  let windowsCompared: number | undefined;
  if (balancesUrl !== undefined && options.deskToken !== undefined) {
    const { settlement } = replayed;
    const compared = await compareWindows(balancesUrl, options.deskToken, size, settlement);
    if (!compared.ok) return difference(compared.code, compared.detail, size, last);
    windowsCompared = compared.compared;
  }
  const seenNow = { log: checkpointNote, keys: keys.copy.checkpoint };
  options.cursor?.write(formatCursor(state, replayed.settlement, seenNow, resumed));
  return {
    ok: true,
    origin,
    entries: size,
    from,
    seconds,
    entriesPerSecond: Math.round((size - from) / Math.max(seconds, 0.001)),
    root: toBase64(root),
    cosignedBy: sealed.cosignedBy.map(({ name }) => name),
    keysSize: keys.history.size,
    signatures,
    totals,
    balancesCompared,
    windows: windowsOf(replayed.settlement).size,
    windowsCompared,
    moves: lanesMoves(state),
    seen: seenNow,
  };
};

const asDifference = (error: unknown): AuditDifference | undefined => {
  if (error instanceof BundleError) {
    return difference(error.code, error.message, error.position, error.position);
  }
  if (error instanceof TlogError) return difference(error.code, error.message, 0);
  if (error instanceof LogReadError && !error.retryable) {
    return difference(error.code, error.message, 0);
  }
  return undefined;
};

/**
 * Audits a log from its first entry to its newest cosigned checkpoint.
 * @returns the totals, or the first difference and where it is
 * @throws LogReadError (retryable) when the log or reconciliation cannot be reached: no verdict
 * @example await auditLog({ log: "http://127.0.0.1:8083/log", policy })
 */
export const auditLog = async (options: AuditLogOptions): Promise<AuditReport> => {
  const { log, token } = options;
  try {
    return await audit(options, typeof log === "string" ? openLog(log, token) : log);
  } catch (error) {
    const found = asDifference(error);
    if (found === undefined) throw error;
    return found;
  }
};
