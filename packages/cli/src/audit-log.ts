// The audit of a published log: everything recomputed from its entries, then held against what others
// say: the cosigned checkpoint, the hash tiles, and reconciliation's balances. The core of
// `sealane audit`, and the oracle of benchmarks and fault tests.
import { performance } from "node:perf_hooks";
import { LogReadError } from "@sealane/client";
import { auditRoot, auditTotals, verifyKeyLog } from "@sealane/rules";
import {
  checkCheckpoint,
  equalBytes,
  toBase64,
  TlogError,
  type CheckedCheckpoint,
} from "@sealane/tlog";
import { compareBalances } from "./audit-balances.ts";
import { replayLog, type ReplayResult } from "./audit-replay.ts";
import {
  difference,
  type AuditDifference,
  type AuditLogOptions,
  type AuditReport,
} from "./audit-types.ts";
import { BundleError, openLog, type LogSource } from "./log-source.ts";
import { readKeys } from "./read-keys.ts";
import { startSignaturePool } from "./signature-pool.ts";
import { clockSlackMs, newestSealMs, sealFault } from "./verify-seal.ts";

/** Below this, threads take longer to start than they save. */
const worthThreads = 2_000;

const readKeyHistory = async ({ keys, policy }: AuditLogOptions, source: LogSource) => {
  if (keys === undefined) return readKeys(source.keys, policy);
  return verifyKeyLog(policy, keys.checkpoint, keys.entries);
};

const replay = async (
  options: AuditLogOptions,
  source: LogSource,
  sealed: CheckedCheckpoint,
  history: Parameters<typeof replayLog>[0]["history"],
): Promise<ReplayResult> => {
  const { signatures = true, threads, onProgress } = options;
  const { origin, size } = sealed.checkpoint;
  const pooled = signatures && (threads ?? (size < worthThreads ? 0 : 1)) > 0;
  const pool = pooled ? startSignaturePool(threads) : undefined;
  try {
    const files = source.log;
    return await replayLog({ files, size, origin, history, signatures, pool, onProgress });
  } finally {
    await pool?.stop();
  }
};

const audit = async (options: AuditLogOptions, source: LogSource): Promise<AuditReport> => {
  const { policy, signatures = true, balancesUrl } = options;
  const startedMs = performance.now();
  // The lane's checkpoint first: the key log only grows, and has all that the entries cite.
  const sealed = checkCheckpoint(policy, await source.log.checkpoint());
  const unsealed = sealFault(policy, sealed);
  if (unsealed !== undefined) return difference(unsealed.code, unsealed.detail, 0);
  const keys = await readKeyHistory(options, source);
  if (!keys.ok) return difference(keys.code, `key log: ${keys.detail}`, 0);
  const replayed = await replay(options, source, sealed, keys.history);
  if (!replayed.ok) return replayed;
  const { state } = replayed;
  const { size, root, origin } = sealed.checkpoint;
  const last = size - 1;
  if (!equalBytes(auditRoot(state), root)) {
    return difference("root-mismatch", "the entries are not those that were cosigned", size, last);
  }
  if (state.logTimeMs > newestSealMs(sealed) + clockSlackMs) {
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
    const compared = await compareBalances(balancesUrl, size, totals.balances);
    if (!compared.ok) return difference(compared.code, compared.detail, size, last);
    balancesCompared = compared.compared;
  }
  return {
    ok: true,
    origin,
    entries: size,
    seconds,
    entriesPerSecond: Math.round(size / Math.max(seconds, 0.001)),
    root: toBase64(root),
    cosignedBy: sealed.cosignedBy.map(({ name }) => name),
    keysSize: keys.history.size,
    signatures,
    totals,
    balancesCompared,
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
