// A lane as it is read back from Postgres: at start, and again whenever the state in memory is in doubt.
import type { Sql } from "@sealane/database";
import { invariant } from "@sealane/runtime";
import {
  balanceKey,
  emptyLaneState,
  noteSettlement,
  restoreEntry,
  restoreOpen,
  restoreSettlement,
  restoreSheets,
  verifyEntry,
  type Balance,
  type KeyHistory,
  type LaneState,
  type OpenTransfer,
  type SheetState,
} from "@sealane/rules";
import { compactRange, fromBase64, type CompactRange } from "@sealane/tlog";

/** A head of one participant, kept with the lane. */
export type StoredHead = {
  readonly n: number;
  readonly hash: string;
  readonly inbox: number;
  readonly creditedTo: number;
};

export type StoredHeads = {
  readonly participants: Readonly<Record<string, StoredHead>>;
  /** No entry before this one can still wait for its credit. */
  readonly uncreditedFrom: number;
};

/** Where the assembler goes on: hashes that the pure state does not know. */
export type LogHead = {
  readonly lastHash: Uint8Array;
  readonly frontier: CompactRange;
  readonly chainHashes: ReadonlyMap<string, Uint8Array>;
};

export type LoadedLane = {
  readonly state: LaneState;
  readonly head: LogHead;
  readonly epoch: bigint;
  readonly batch: number;
  readonly publishedBatch: number;
  readonly inputOffset: bigint;
  /** Where the topic ended when the lane was recovered last; 0 when it never was. */
  readonly recoveredTo: bigint;
  readonly sealedSize: number;
  readonly checkpoint: string;
  readonly sealed: string;
};

/** This writer lost its lane: another took it over. It must stop and load again. */
export class FencedError extends Error {
  readonly code = "fenced";
  readonly retryable = true;
}

type LaneRow = {
  readonly origin: string;
  readonly epoch: bigint;
  readonly size: bigint;
  readonly log_time_ms: bigint;
  readonly last_hash: Buffer;
  readonly frontier: Buffer;
  readonly input_offset: bigint;
  readonly recovered_to: bigint;
  readonly batch: bigint;
  readonly published_batch: bigint;
  readonly sealed_size: bigint;
  readonly checkpoint: string;
  readonly sealed: string;
  readonly heads: StoredHeads;
};

const sheetFromJson = (text: string): SheetState => {
  const body = JSON.parse(text) as Omit<SheetState, "usedMinor" | "endsAtMs"> & {
    usedMinor: string;
    endsAtMs?: number;
  };
  return { ...body, endsAtMs: body.endsAtMs, usedMinor: BigInt(body.usedMinor.slice(0, -1)) };
};

export const makeLaneLoader = (
  sql: Sql,
  lane: number,
  origin: string,
  readEntries: (from: number, to: number) => Promise<Buffer[]>,
) => {
  const loadBalances = async (state: LaneState): Promise<void> => {
    type Row = Record<
      "pending_debit" | "posted_debit" | "pending_credit" | "posted_credit",
      bigint
    > & {
      account: string;
      currency: string;
    };
    const { rows } = await sql.query<Row>({
      text: "select * from balance where lane = $1",
      values: [lane],
    });
    for (const row of rows) {
      const balance: Balance = {
        account: row.account,
        currency: row.currency,
        pendingDebit: row.pending_debit,
        postedDebit: row.posted_debit,
        pendingCredit: row.pending_credit,
        postedCredit: row.posted_credit,
      };
      state.balances.set(balanceKey(row.account, row.currency), balance);
    }
  };

  const loadOpen = async (state: LaneState): Promise<void> => {
    const { rows } = await sql.query<{ body: string }>({
      text: "select body from open_transfer where lane = $1",
      values: [lane],
    });
    restoreOpen(
      state,
      rows.map(({ body }) => JSON.parse(body) as OpenTransfer),
    );
  };

  const loadSheets = async (state: LaneState): Promise<void> => {
    const { rows } = await sql.query<{ body: string }>({
      text: "select body from sheet where lane = $1 order by seq desc",
      values: [lane],
    });
    restoreSheets(
      state,
      rows.map(({ body }) => sheetFromJson(body)),
    );
  };

  const loadSettlement = async (state: LaneState, history: KeyHistory): Promise<void> => {
    const { rows } = await sql.query<{ name: string; body: string }>({
      text: "select name, body from settlement where lane = $1",
      values: [lane],
    });
    restoreSettlement(state.settlement, rows);
    if (rows.length > 0 || state.size === 0) return;
    // A lane from before there were windows: its open ones are in the log.
    for (let at = 0; at < state.size; at += 1_000) {
      for (const bytes of await readEntries(at, Math.min(at + 1_000, state.size))) {
        const checks = { origin, history, signatures: false };
        const verified = verifyEntry(bytes.toString("utf8"), checks);
        invariant(verified.ok, `a stored entry after ${at} cannot be read`);
        noteSettlement(state.settlement, history, verified.entry);
      }
    }
  };

  /** Which committed transfers wait for their credit is read back from the log itself. */
  const loadUncredited = async (
    state: LaneState,
    from: number,
    history: KeyHistory,
  ): Promise<void> => {
    for (let at = from; at < state.size; at += 1_000) {
      for (const bytes of await readEntries(at, Math.min(at + 1_000, state.size))) {
        const checks = { origin, history, signatures: false };
        const verified = verifyEntry(bytes.toString("utf8"), checks);
        invariant(verified.ok, `a stored entry after ${at} cannot be read`);
        restoreEntry(state, verified.entry);
      }
    }
  };

  const load = async (epoch: bigint, history: KeyHistory): Promise<LoadedLane> => {
    const { rows } = await sql.query<LaneRow>({
      text: "select * from lane where lane = $1",
      values: [lane],
    });
    const row = rows[0];
    if (row === undefined || row.epoch !== epoch)
      throw new FencedError("another writer has the lane");
    invariant(row.origin === origin, `the lane's log is ${row.origin}, configured is ${origin}`);
    const state = emptyLaneState(origin, lane);
    state.size = Number(row.size);
    state.logTimeMs = Number(row.log_time_ms);
    const chainHashes = new Map<string, Uint8Array>();
    for (const [participant, head] of Object.entries(row.heads.participants)) {
      state.chains.set(participant, head.n);
      state.inboxes.set(participant, head.inbox);
      state.creditedTo.set(participant, head.creditedTo);
      if (head.hash !== "") chainHashes.set(participant, fromBase64(head.hash));
    }
    await loadBalances(state);
    await loadOpen(state);
    await loadSheets(state);
    await loadSettlement(state, history);
    await loadUncredited(state, row.heads.uncreditedFrom, history);
    const hashes: Uint8Array[] = [];
    for (let at = 0; at < row.frontier.length; at += 32) {
      hashes.push(new Uint8Array(row.frontier.subarray(at, at + 32)));
    }
    return {
      state,
      head: {
        lastHash: new Uint8Array(row.last_hash),
        frontier: compactRange(state.size, hashes),
        chainHashes,
      },
      epoch,
      batch: Number(row.batch),
      publishedBatch: Number(row.published_batch),
      inputOffset: row.input_offset,
      recoveredTo: row.recovered_to,
      sealedSize: Number(row.sealed_size),
      checkpoint: row.checkpoint,
      sealed: row.sealed,
    };
  };

  return load;
};
