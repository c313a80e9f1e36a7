// The rebuilt lane, written: every table in one transaction that hangs on the epoch, so that either the
// lane goes on from all of it or nothing has changed. Rows that the old copy has already are kept.
import { pgArray, withTransaction, type Database } from "@sealane/database";
import {
  hasInbox,
  applyPostings,
  minorOf,
  takeSettlementRows,
  type AuditedSheet,
  type Balances,
  type InboxRef,
  type OpenTransfer,
  type SheetState,
} from "@sealane/rules";
import { fromBase64, leafHash, equalBytes } from "@sealane/tlog";
import type { KeyLogCopy } from "@sealane/client";
import type { StoredHeads } from "../lane-load.ts";
import { toJson } from "../lane-store.ts";
import { cutBySize, mostMessageChars } from "../publisher.ts";
import type { OldLane } from "./old-lane.ts";
import type { Rebuilt } from "./rebuild.ts";
import { RecoverFault } from "./recover-fault.ts";

export type LaneToWrite = {
  readonly lane: number;
  readonly epoch: bigint;
  readonly old: OldLane;
  readonly rebuilt: Rebuilt;
  readonly keys: KeyLogCopy;
  /** Stored entries, and stored entries of the key log. */
  readonly stored: { readonly entries: number; readonly keys: number };
  readonly page: (from: number) => Promise<readonly Uint8Array[]>;
  /** Reserved in the old copy and not ended in the log: due by now, so the lane ends them at once. */
  readonly open: readonly OpenTransfer[];
  readonly inputOffset: bigint;
  readonly recoveredTo: bigint;
  /** The newest checkpoint, the log's own line only, and the newest that a quorum cosigned. */
  readonly checkpoint: string;
  readonly sealed: string;
  /** What participants were surely told of as sealed. */
  readonly sealedSize: number;
  readonly nowMs: number;
};

type Query = (text: string, values: readonly unknown[]) => Promise<{ rowCount: number | null }>;

/**
 * The first number of the rebuilt inboxes: above every number that was ever used, whatever was lost, as
 * long as fewer than 1,000 messages a millisecond were sent; and again above after the next recovery.
 */
export const firstInboxNumber = (nowMs: number): number => nowMs * 1_000;

const chunk = 2_000;

function* chunks<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += chunk) yield list.slice(at, at + chunk);
}

const writeEntries = async (query: Query, what: LaneToWrite): Promise<void> => {
  const { lane, rebuilt, stored, page } = what;
  const { leafHashes } = rebuilt;
  for (let at = stored.entries; at < leafHashes.length;) {
    const entries = await page(at);
    const hashes = entries.map((bytes) => leafHash(bytes));
    const same = hashes.every((hash, index) => {
      const judged = leafHashes[at + index];
      return judged !== undefined && equalBytes(hash, judged);
    });
    if (!same || entries.length === 0) {
      const message = `entry ${at} is not the one that was judged a moment ago`;
      throw new RecoverFault("place-changed", message, at);
    }
    await query(
      `insert into entry (lane, seq, leaf_hash, bytes)
        select $1, $2::bigint + at - 1, leaf_hash, bytes
        from unnest($3::bytea[], $4::bytea[]) with ordinality as t(leaf_hash, bytes, at)`,
      [lane, at, pgArray("bytea", hashes), pgArray("bytea", entries)],
    );
    at += entries.length;
  }
};

const writeEnds = async (query: Query, { lane, rebuilt }: LaneToWrite): Promise<void> => {
  for (const part of chunks(rebuilt.ended)) {
    const ids = pgArray(
      "uuid",
      part.map(({ id }) => id),
    );
    const seqs = pgArray(
      "int8",
      part.map(({ seq }) => seq),
    );
    await query(
      `insert into ended_transfer (id, lane, request, payer, seq, outcome, ended_at_ms)
        select id, $1, request, payer, seq, outcome, ended_at_ms
        from unnest($2::uuid[], $3::text[], $4::text[], $5::int8[], $6::text[], $7::int8[])
          as t(id, request, payer, seq, outcome, ended_at_ms)
        on conflict (id) do nothing`,
      [
        lane,
        ids,
        pgArray(
          "text",
          part.map(({ request }) => request),
        ),
        pgArray(
          "text",
          part.map(({ payer }) => payer),
        ),
        seqs,
        pgArray(
          "text",
          part.map(({ outcome }) => outcome),
        ),
        pgArray(
          "int8",
          part.map(({ timeMs }) => timeMs),
        ),
      ],
    );
    const { rowCount } = await query(
      `select 1 from ended_transfer e join unnest($1::uuid[], $2::int8[]) as t(id, seq) using (id)
        where e.seq is distinct from t.seq`,
      [ids, seqs],
    );
    if (rowCount !== 0) {
      const message = "the database says that a transfer ended otherwise than the log does";
      throw new RecoverFault("database-differs", `${message}: recover into empty tables`);
    }
  }
  for (const part of chunks(rebuilt.quotes)) {
    await query(
      `insert into used_quote (lane, quote, id)
        select $1, * from unnest($2::uuid[], $3::uuid[]) on conflict (lane, quote) do nothing`,
      [
        lane,
        pgArray(
          "uuid",
          part.map(({ quote }) => quote),
        ),
        pgArray(
          "uuid",
          part.map(({ id }) => id),
        ),
      ],
    );
  }
};

/** Posted from the log; pending is what is still open. */
const writeBalances = async (query: Query, { lane, rebuilt, open }: LaneToWrite): Promise<void> => {
  const balances: Balances = rebuilt.state.balances;
  for (const { postings } of open) applyPostings(balances, postings, "reserve");
  for (const one of balances.values()) {
    await query(
      `insert into balance values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (lane, account, currency) do update set pending_debit = excluded.pending_debit,
          posted_debit = excluded.posted_debit, pending_credit = excluded.pending_credit,
          posted_credit = excluded.posted_credit`,
      [
        lane,
        one.account,
        one.currency,
        one.pendingDebit,
        one.postedDebit,
        one.pendingCredit,
        one.postedCredit,
      ],
    );
  }
  await query("delete from open_transfer where lane = $1 and not id = any($2::uuid[])", [
    lane,
    open.map(({ id }) => id),
  ]);
};

const sheetState = (audited: AuditedSheet, open: readonly OpenTransfer[]): SheetState => {
  const { sheet, hash, seq, endsAtMs, withdrawnAtMs } = audited;
  const pending = open
    .filter(({ terms }) => terms.sheet.hash === hash)
    .reduce((sum, { terms }) => sum + minorOf(terms.converted, terms.send.currency), 0n);
  const usedMinor = audited.usedMinor + pending;
  return { sheet, hash, seq, endsAtMs, withdrawn: withdrawnAtMs !== undefined, usedMinor };
};

const writeSheets = async (query: Query, { lane, rebuilt, open }: LaneToWrite): Promise<void> => {
  await query("delete from sheet where lane = $1", [lane]);
  for (const audited of rebuilt.state.sheets.values()) {
    const body = toJson(sheetState(audited, open));
    await query("insert into sheet (lane, seq, body) values ($1, $2, $3)", [
      lane,
      audited.seq,
      body,
    ]);
  }
};

/** Windows and what belongs to them, as the audit's fold has them. */
const writeSettlement = async (query: Query, { lane, rebuilt }: LaneToWrite): Promise<void> => {
  await query("delete from settlement where lane = $1", [lane]);
  for (const { name, body } of takeSettlementRows(rebuilt.state.settlement)) {
    if (body === undefined) continue;
    await query("insert into settlement (lane, name, body) values ($1, $2, $3)", [
      lane,
      name,
      body,
    ]);
  }
};

/**
 * Each participant's messages: its numbers begin anew, and its newest entries are told again.
 * @returns the next number of each
 */
const writeInboxes = async (query: Query, what: LaneToWrite): Promise<Map<string, number>> => {
  const { lane, rebuilt, old, nowMs } = what;
  const { state, retold } = rebuilt;
  const known = [...(state.history.states.at(-1)?.participants ?? [])].flatMap(
    ([participant, record]) => (hasInbox(record) ? [participant] : []),
  );
  const everybody = new Set([
    ...known,
    ...state.chains.keys(),
    ...Object.keys(old.heads.participants),
  ]);
  const next = new Map<string, number>();
  const first = firstInboxNumber(nowMs);
  for (const participant of everybody) {
    const cut = cutBySize(
      retold.get(participant) ?? [],
      mostMessageChars,
      ({ chars }) => chars + 100,
    );
    const messages: InboxRef[][] = cut.map((part) =>
      part.map(({ seq }) => ({ type: "entry", seq })),
    );
    const [head = [], ...rest] = messages;
    const numbered = [[{ type: "renumbered" } as const, ...head], ...rest];
    for (const [at, refs] of numbered.entries()) {
      await query(
        `insert into inbox_message (participant, n, lane, batch, time_ms, refs)
          values ($1, $2, $3, $4, $5, $6)`,
        [participant, first + at, lane, old.batch + 1, state.logTimeMs, JSON.stringify(refs)],
      );
    }
    next.set(participant, first + numbered.length);
  }
  return next;
};

const headsOf = ({ rebuilt }: LaneToWrite, inboxes: ReadonlyMap<string, number>): StoredHeads => {
  const { chains, next: size } = rebuilt.state;
  const participants = Object.fromEntries(
    [...inboxes].map(([participant, inbox]) => {
      const chain = chains.get(participant);
      const { next: n = 0, head: hash = "", creditedTo = 0 } = chain ?? {};
      return [participant, { n, hash: n === 0 ? "" : hash, inbox, creditedTo }];
    }),
  );
  const waiting = [...rebuilt.uncredited.values()].flatMap(([first]) => first?.seq ?? []);
  return { participants, uncreditedFrom: Math.min(size, ...waiting) };
};

const writeKeys = async (query: Query, { keys, stored, rebuilt }: LaneToWrite): Promise<void> => {
  for (const [at, note] of keys.entries.entries()) {
    if (at < stored.keys) continue;
    const bytes = Buffer.from(note, "utf8");
    await query("insert into key_entry (seq, leaf_hash, bytes) values ($1, $2, $3)", [
      at,
      Buffer.from(leafHash(bytes)),
      bytes,
    ]);
  }
  await query(
    `insert into key_log (origin, sealed_size, sealed) values ($1, $2, $3)
      on conflict (origin) do update set sealed_size = excluded.sealed_size,
        sealed = excluded.sealed where key_log.sealed_size <= excluded.sealed_size`,
    [rebuilt.state.history.origin, keys.entries.length, keys.checkpoint],
  );
};

/** @throws RecoverFault, DatabaseError: nothing is stored then, but for `commit-unknown` */
export const writeLane = (database: Database<unknown>, what: LaneToWrite): Promise<void> =>
  withTransaction(database, async ({ client }) => {
    const query: Query = (text, values) => client.query(text, [...values]);
    const { lane, epoch, old, rebuilt } = what;
    const { state } = rebuilt;
    await writeKeys(query, what);
    await writeEntries(query, what);
    await writeEnds(query, what);
    await writeBalances(query, what);
    await writeSheets(query, what);
    await writeSettlement(query, what);
    const heads = headsOf(what, await writeInboxes(query, what));
    const { rowCount } = await query(
      `update lane set size = $3, log_time_ms = $4, last_hash = $5, frontier = $6,
          input_offset = $7, recovered_to = $8, batch = $9, published_batch = $10,
          sealed_size = $11, sealed = $12, checkpoint = $13, heads = $14, lease_until = now()
        where lane = $1 and epoch = $2`,
      [
        lane,
        epoch,
        state.next,
        Math.max(old.logTimeMs, state.logTimeMs),
        Buffer.from(fromBase64(state.prev)),
        Buffer.concat(state.range.hashes),
        what.inputOffset,
        what.recoveredTo,
        old.batch + 1,
        old.batch,
        what.sealedSize,
        what.sealed,
        what.checkpoint,
        JSON.stringify(heads),
      ],
    );
    if (rowCount !== 1) throw new RecoverFault("fenced", "another has taken the lane meanwhile");
  });
