// A lane in Postgres. One statement saves a batch: it moves the lane by compare-and-swap on size and
// epoch, and every other row hangs on that move, so a writer that was fenced stores nothing. One
// round trip, one commit, whatever the batch's size.
import { invariant } from '@sealane/runtime';
import {
  balanceKey,
  emptyLaneState,
  sheetKey,
  verifyEntry,
  type Balance,
  type BatchOutcome,
  type InboxRef,
  type KeyHistory,
  type KnownTransfer,
  type LaneState,
  type OpenTransfer,
  type SheetState,
} from '@sealane/rules';
import { compactRange, toBase64, fromBase64, type CompactRange } from '@sealane/tlog';
import { saveBatchSql } from './lane-sql.ts';

/** What the store needs of a connection pool; int8 comes as bigint, bytea as Buffer. */
export type Sql = {
  query<R>(statement: {
    readonly name?: string;
    readonly text: string;
    readonly values?: readonly unknown[];
  }): Promise<{ readonly rows: R[]; readonly rowCount: number | null }>;
};

/** A head of one participant, kept with the lane. */
type StoredHead = {
  readonly n: number;
  readonly hash: string;
  readonly inbox: number;
  readonly creditedTo: number;
};

type StoredHeads = {
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
  readonly sealedSize: number;
  readonly checkpoint: string;
  readonly sealed: string;
};

export type AssembledEntry = {
  readonly seq: number;
  readonly note: string;
  readonly leafHash: Uint8Array;
};

export type BatchToSave = {
  readonly loaded: { readonly epoch: bigint; readonly oldSize: number };
  readonly state: LaneState;
  readonly outcome: BatchOutcome;
  readonly entries: readonly AssembledEntry[];
  readonly refusalNotes: readonly string[];
  readonly head: LogHead;
  readonly checkpoint: string;
  readonly batch: number;
  readonly publishedBatch: number;
  readonly sealedSize: number;
  readonly sealed: string;
  readonly inputOffset: bigint;
  readonly inbox: readonly StoredMessage[];
};

export type StoredMessage = {
  readonly participant: string;
  readonly n: number;
  readonly batch: number;
  readonly timeMs: number;
  readonly refs: readonly InboxRef[];
};

/** This writer lost its lane: another took it over. It must stop and load again. */
export class FencedError extends Error {
  readonly code = 'fenced';
  readonly retryable = true;
}

const bigints = { bigint: (value: bigint): string => `${value}n` };

const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? bigints.bigint(inner) : inner,
  );

const sheetFromJson = (text: string): SheetState => {
  const body = JSON.parse(text) as Omit<SheetState, 'usedMinor' | 'endsAtMs'> & {
    usedMinor: string;
    endsAtMs?: number;
  };
  return { ...body, endsAtMs: body.endsAtMs, usedMinor: BigInt(body.usedMinor.slice(0, -1)) };
};

export type LaneStore = ReturnType<typeof makeLaneStore>;

export const makeLaneStore = (sql: Sql, lane: number, origin: string) => {
  /** Takes the lane when its lease has run out or is this instance's own; a new epoch fences. */
  const acquire = async (holder: string, leaseMs: number): Promise<bigint | undefined> => {
    const { rows } = await sql.query<{ epoch: bigint }>({
      text: `insert into lane (lane, origin, epoch, holder, lease_until, size, log_time_ms, last_hash,
          frontier, input_offset, batch, published_batch, sealed_size, checkpoint, sealed, heads)
        values ($1, $2, 1, $3, now() + $4 * interval '1 millisecond', 0, 0,
          decode(repeat('00', 32), 'hex'), '', 0, 0, 0, 0, '', '',
          '{"participants":{},"uncreditedFrom":0}')
        on conflict (lane) do update set epoch = lane.epoch + 1, holder = excluded.holder,
          lease_until = excluded.lease_until
        where lane.lease_until < now() or lane.holder = excluded.holder
        returning epoch`,
      values: [lane, origin, holder, leaseMs],
    });
    return rows[0]?.epoch;
  };

  const renew = async (epoch: bigint, leaseMs: number): Promise<boolean> => {
    const { rowCount } = await sql.query({
      name: 'lane-renew',
      text: `update lane set lease_until = now() + $3 * interval '1 millisecond'
        where lane = $1 and epoch = $2`,
      values: [lane, epoch, leaseMs],
    });
    return rowCount === 1;
  };

  const readEntries = async (from: number, to: number): Promise<Buffer[]> => {
    const { rows } = await sql.query<{ bytes: Buffer }>({
      name: 'entries-read',
      text: 'select bytes from entry where lane = $1 and seq >= $2 and seq < $3 order by seq',
      values: [lane, from, to],
    });
    return rows.map(({ bytes }) => bytes);
  };

  const readLeafHashes = async (from: number, to: number): Promise<Buffer[]> => {
    const { rows } = await sql.query<{ leaf_hash: Buffer }>({
      name: 'leaves-read',
      text: 'select leaf_hash from entry where lane = $1 and seq >= $2 and seq < $3 order by seq',
      values: [lane, from, to],
    });
    return rows.map(({ leaf_hash }) => leaf_hash);
  };

  const loadBalances = async (state: LaneState): Promise<void> => {
    type Row = Record<'pending_debit' | 'posted_debit' | 'pending_credit' | 'posted_credit', bigint> & {
      account: string;
      currency: string;
    };
    const { rows } = await sql.query<Row>({
      text: 'select * from balance where lane = $1',
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
      text: 'select body from open_transfer where lane = $1',
      values: [lane],
    });
    const open = rows.map(({ body }) => JSON.parse(body) as OpenTransfer);
    open.sort((one, other) => one.reservedAtMs - other.reservedAtMs || (one.id < other.id ? -1 : 1));
    for (const transfer of open) {
      state.open.set(transfer.id, transfer);
      const payer = transfer.terms.payer.participant;
      state.pendingByPayer.set(payer, (state.pendingByPayer.get(payer) ?? 0) + 1);
    }
  };

  const loadSheets = async (state: LaneState): Promise<void> => {
    const { rows } = await sql.query<{ body: string }>({
      text: 'select body from sheet where lane = $1 order by seq desc',
      values: [lane],
    });
    for (const { body } of rows) {
      const sheet = sheetFromJson(body);
      const key = sheetKey(sheet.sheet.provider, sheet.sheet.pair);
      const known = state.sheets.get(key) ?? [];
      if (known.length < 2) state.sheets.set(key, [...known, sheet]);
    }
  };

  /** Which committed transfers wait for their credit is read back from the log itself. */
  const loadUncredited = async (state: LaneState, from: number, history: KeyHistory): Promise<void> => {
    for (let at = from; at < state.size; at += 1_000) {
      for (const bytes of await readEntries(at, Math.min(at + 1_000, state.size))) {
        const checks = { origin, history, signatures: false };
        const verified = verifyEntry(bytes.toString('utf8'), checks);
        invariant(verified.ok, `a stored entry after ${at} cannot be read`);
        const { context, terms } = verified.entry;
        if (context.outcome !== 'committed' || terms === undefined) continue;
        const payee = terms.payee.participant;
        const n = context.chains.find(({ participant }) => participant === payee)?.n ?? 0;
        if (n < (state.creditedTo.get(payee) ?? 0)) continue;
        const waiting = state.uncredited.get(payee) ?? [];
        waiting.push({ n, seq: context.seq, payer: terms.payer.participant, id: terms.id });
        state.uncredited.set(payee, waiting);
      }
    }
  };

  const load = async (epoch: bigint, history: KeyHistory): Promise<LoadedLane> => {
    const { rows } = await sql.query<LaneRow>({
      text: 'select * from lane where lane = $1',
      values: [lane],
    });
    const row = rows[0];
    if (row === undefined || row.epoch !== epoch) throw new FencedError('another writer has the lane');
    invariant(row.origin === origin, `the lane's log is ${row.origin}, configured is ${origin}`);
    const state = emptyLaneState(origin, lane);
    state.size = Number(row.size);
    state.logTimeMs = Number(row.log_time_ms);
    const chainHashes = new Map<string, Uint8Array>();
    for (const [participant, head] of Object.entries(row.heads.participants)) {
      state.chains.set(participant, head.n);
      state.inboxes.set(participant, head.inbox);
      state.creditedTo.set(participant, head.creditedTo);
      if (head.hash !== '') chainHashes.set(participant, fromBase64(head.hash));
    }
    await loadBalances(state);
    await loadOpen(state);
    await loadSheets(state);
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
      sealedSize: Number(row.sealed_size),
      checkpoint: row.checkpoint,
      sealed: row.sealed,
    };
  };

  /** What is remembered under these ids and quotes; two index reads for the whole batch. */
  const lookUp = async (ids: readonly string[], quotes: readonly string[]) => {
    const known = new Map<string, KnownTransfer>();
    const usedQuotes = new Map<string, string>();
    type Row = { id: string; request: string | null; payer: string; seq: bigint | null };
    const ended =
      ids.length === 0
        ? undefined
        : sql.query<Row>({
            name: 'ended-look-up',
            text: 'select id, request, payer, seq from ended_transfer where id = any($1::uuid[])',
            values: [ids],
          });
    const quoted =
      quotes.length === 0
        ? undefined
        : sql.query<{ quote: string; id: string }>({
            name: 'quote-look-up',
            text: 'select quote, id from used_quote where quote = any($1::uuid[])',
            values: [quotes],
          });
    for (const row of (await ended)?.rows ?? []) {
      known.set(row.id, {
        id: row.id,
        request: row.request ?? undefined,
        payer: row.payer,
        seq: row.seq === null ? undefined : Number(row.seq),
      });
    }
    for (const { quote, id } of (await quoted)?.rows ?? []) usedQuotes.set(quote, id);
    return { known, usedQuotes };
  };

  const save = async (batch: BatchToSave): Promise<void> => {
    const { rowCount } = await sql.query(saveBatchSql(lane, batch, headsOf(batch), toJson));
    if (rowCount !== 1) throw new FencedError('the lane moved under this writer');
  };

  /** Notes a seal that no batch has carried yet, when the lane is idle. */
  const saveSealed = async (epoch: bigint, size: number, note: string, published: number) => {
    await sql.query({
      name: 'lane-sealed',
      text: `update lane set sealed_size = $3, sealed = $4, published_batch = $5
        where lane = $1 and epoch = $2 and sealed_size <= $3`,
      values: [lane, epoch, size, note, published],
    });
  };

  const readMessages = async (participant: string, after: number, limit: number) => {
    type Row = { n: bigint; batch: bigint; time_ms: bigint; refs: string };
    const { rows } = await sql.query<Row>({
      name: 'inbox-read',
      text: `select n, batch, time_ms, refs from inbox_message
        where participant = $1 and n > $2 order by n limit $3`,
      values: [participant, after, limit],
    });
    return rows.map((row) => storedMessage(participant, row));
  };

  const readUnpublished = async (after: number): Promise<StoredMessage[]> => {
    type Row = { participant: string; n: bigint; batch: bigint; time_ms: bigint; refs: string };
    const { rows } = await sql.query<Row>({
      text: `select participant, n, batch, time_ms, refs from inbox_message
        where lane = $1 and batch > $2 order by batch, participant`,
      values: [lane, after],
    });
    return rows.map((row) => storedMessage(row.participant, row));
  };

  const readRefusal = async (id: string): Promise<string | undefined> => {
    const { rows } = await sql.query<{ refusal: string | null }>({
      name: 'refusal-read',
      text: 'select refusal from ended_transfer where id = $1',
      values: [id],
    });
    return rows[0]?.refusal ?? undefined;
  };

  return {
    acquire,
    renew,
    load,
    lookUp,
    save,
    saveSealed,
    readEntries,
    readLeafHashes,
    readMessages,
    readUnpublished,
    readRefusal,
  };
};

type LaneRow = {
  readonly origin: string;
  readonly epoch: bigint;
  readonly size: bigint;
  readonly log_time_ms: bigint;
  readonly last_hash: Buffer;
  readonly frontier: Buffer;
  readonly input_offset: bigint;
  readonly batch: bigint;
  readonly published_batch: bigint;
  readonly sealed_size: bigint;
  readonly checkpoint: string;
  readonly sealed: string;
  readonly heads: StoredHeads;
};

const storedMessage = (
  participant: string,
  row: { n: bigint; batch: bigint; time_ms: bigint; refs: string },
): StoredMessage => ({
  participant,
  n: Number(row.n),
  batch: Number(row.batch),
  timeMs: Number(row.time_ms),
  refs: JSON.parse(row.refs) as InboxRef[],
});

const headsOf = ({ state, head }: BatchToSave): StoredHeads => {
  const participants: Record<string, StoredHead> = {};
  for (const participant of new Set([...state.chains.keys(), ...state.inboxes.keys()])) {
    const hash = head.chainHashes.get(participant);
    participants[participant] = {
      n: state.chains.get(participant) ?? 0,
      hash: hash === undefined ? '' : toBase64(hash),
      inbox: state.inboxes.get(participant) ?? 0,
      creditedTo: state.creditedTo.get(participant) ?? 0,
    };
  }
  let uncreditedFrom = state.size;
  for (const waiting of state.uncredited.values()) {
    const first = waiting[0]?.seq;
    if (first !== undefined && first < uncreditedFrom) uncreditedFrom = first;
  }
  return { participants, uncreditedFrom };
};
