// What proofs cost: time for one of any entry of a large log, bytes a transfer leaves on disk, and how much of
// the ledger's CPU goes into the tree. Time and CPU of the tree are measured in a process of their own, with
// the ledger's own code; the rest on a stack under full load.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase } from "@sealane/database";
import { cpuBetween, cpuOf } from "./cpu.ts";
import { sizeOf } from "./disk.ts";
import { distributionOf, type Distribution } from "./percentiles.ts";
import { startKeepingUp, type Load } from "./throughput.ts";
import type { BenchWorld } from "./world.ts";

type TreeFigures = {
  readonly leaves: number;
  readonly buildMicros: number;
  readonly proofMs: readonly number[];
};

export type TreeCost = {
  readonly entries: number;
  readonly proofs: number;
  /** Of an inclusion proof of an entry picked at random, µs; tiles come from files. */
  readonly proofMicros: Distribution;
  /** Hashing an entry, building its tiles, writing full ones and compressing bundles, µs of CPU. */
  readonly buildMicros: number;
};

/** Runs `services/ledger/src/measure-proofs.ts` and waits for what it found. */
const runTree = (folder: string, entries: number, proofs: number): Promise<TreeFigures> =>
  new Promise((resolve, reject) => {
    const program = new URL("../../services/ledger/src/measure-proofs.ts", import.meta.url);
    const child = fork(program, [folder, String(entries), String(proofs)]);
    child.once("message", (figures) => resolve(figures as TreeFigures));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`measuring the tree ended with ${code}`)));
  });

export const measureTree = async (entries: number, proofs: number): Promise<TreeCost> => {
  const folder = mkdtempSync(join(tmpdir(), "sealane-tree-"));
  try {
    const { proofMs, buildMicros } = await runTree(folder, entries, proofs);
    return {
      entries,
      proofs,
      proofMicros: distributionOf(proofMs.map((ms) => ms * 1_000)),
      buildMicros: Number(buildMicros.toFixed(2)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

type TableSize = { readonly name: string; readonly rows: string; readonly indexes: string };

/** Bytes of the ledger's tables and indexes. */
const tableSizes = async ({ stack }: BenchWorld): Promise<Map<string, number>> => {
  const { pool, close } = createDatabase({
    url: stack.databaseUrl,
    applicationName: "bench",
    poolSize: 1,
    schema: "ledger",
    statementTimeoutMs: 30_000,
  });
  try {
    const { rows } = await pool.query<TableSize>(
      `select relname as name, pg_table_size(relid) as rows, pg_indexes_size(relid) as indexes
         from pg_stat_user_tables where schemaname = 'ledger'`,
    );
    return new Map(
      rows.flatMap(({ name, rows: bytes, indexes }) => [
        [name, Number(bytes)] as const,
        [`${name} indexes`, Number(indexes)] as const,
      ]),
    );
  } finally {
    await close();
  }
};

export type LogCost = {
  readonly transfers: number;
  readonly failed: number;
  /** What a transfer adds to the published log and what finds an entry in it. */
  readonly bytesPerTransfer: Readonly<Record<string, number>>;
  readonly logBytesPerTransfer: number;
  /** The ledger's other tables: how each id ended, inbox references, balances. */
  readonly otherBytesPerTransfer: number;
  readonly ledgerCpuMicrosPerTransfer: number;
};

const logParts = new Set(["entry", "entry indexes", "tiles"]);

const partsOf = async (world: BenchWorld): Promise<Map<string, number>> => {
  const parts = await tableSizes(world);
  parts.set("tiles", sizeOf(world.stack.home.path("tiles")));
  return parts;
};

/** @param transfers how many are sent before it is measured what they left */
export const measureLog = async (
  world: BenchWorld,
  load: Load,
  transfers: number,
  say: (line: string) => void,
): Promise<LogCost> => {
  const sending = startKeepingUp(world, load);
  say("warming up: 10 s");
  await sending.forSeconds(10);
  const pids = world.stack.pids();
  const before = { sealed: sending.sealed(), cpu: cpuOf(pids), parts: await partsOf(world) };
  say(`sending ${transfers} transfers`);
  await sending.untilSealed(before.sealed + transfers);
  const cpuMs = cpuBetween(before.cpu, cpuOf(pids));
  const sealed = sending.sealed() - before.sealed;
  const after = await partsOf(world);
  await sending.finish();
  const grown = new Map(
    [...after].map(([part, bytes]) => [part, Math.max(0, bytes - (before.parts.get(part) ?? 0))]),
  );
  const each = (bytes: number): number => Math.round(bytes / sealed);
  const sum = (keep: (part: string) => boolean): number =>
    each([...grown].reduce((total, [part, bytes]) => total + (keep(part) ? bytes : 0), 0));
  return {
    transfers: sealed,
    failed: sending.failed(),
    bytesPerTransfer: Object.fromEntries(
      [...grown].filter(([, bytes]) => each(bytes) > 0).map(([part, bytes]) => [part, each(bytes)]),
    ),
    logBytesPerTransfer: sum((part) => logParts.has(part)),
    otherBytesPerTransfer: sum((part) => !logParts.has(part)),
    ledgerCpuMicrosPerTransfer: Math.round(((cpuMs["ledger"] ?? 0) * 1_000) / sealed),
  };
};
