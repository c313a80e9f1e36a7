// A lane in Postgres. One statement saves a batch: it moves the lane by compare-and-swap on size and
// epoch, and every other row hangs on that move, so a writer that was fenced stores nothing. One
// round trip, one commit, whatever the batch's size.
import type { Sql } from "@sealane/database";
import { firstUncredited, type InboxRef, type KnownTransfer } from "@sealane/rules";
import { toBase64 } from "@sealane/tlog";
import type { BatchToSave, StoredMessage } from "./batch-to-save.ts";
import { FencedError, makeLaneLoader, type StoredHead, type StoredHeads } from "./lane-load.ts";
import { saveBatchSql } from "./lane-sql.ts";
import { withSetAside } from "./set-aside-sql.ts";

const bigints = { bigint: (value: bigint): string => `${value}n` };

/** JSON with bigint as text. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "bigint" ? bigints.bigint(inner) : inner,
  );

export type LaneStore = ReturnType<typeof makeLaneStore>;

export const makeLaneStore = (sql: Sql, lane: number, origin: string) => {
  /** Takes a lane that another instance began, when its lease has run out. */
  const takeOver = async (holder: string, leaseMs: number): Promise<bigint | undefined> => {
    const { rows } = await sql.query<{ epoch: bigint }>({
      name: "lane-take-over",
      text: `update lane set epoch = epoch + 1, holder = $2,
          lease_until = now() + $3 * interval '1 millisecond'
        where lane = $1 and (lease_until < now() or holder = $2)
        returning epoch`,
      values: [lane, holder, leaseMs],
    });
    return rows[0]?.epoch;
  };

  /**
   * Takes the lane when its lease has run out or is this instance's own; a new epoch fences.
   * @param mayBegin whether a lane that nobody has ever written is begun
   */
  const acquire = async (
    holder: string,
    leaseMs: number,
    mayBegin = true,
  ): Promise<bigint | undefined> => {
    if (!mayBegin) return takeOver(holder, leaseMs);
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
      name: "lane-renew",
      text: `update lane set lease_until = now() + $3 * interval '1 millisecond'
        where lane = $1 and epoch = $2`,
      values: [lane, epoch, leaseMs],
    });
    return rowCount === 1;
  };

  /** Lets the lane go, so that whoever waits need not wait for the lease; nothing is saved after it. */
  const release = async (epoch: bigint): Promise<void> => {
    await sql.query({
      name: "lane-release",
      text: "update lane set lease_until = now() where lane = $1 and epoch = $2",
      values: [lane, epoch],
    });
  };

  /** How far the log is sealed, whoever writes it; 0 before it is begun. */
  const sealedSize = async (): Promise<number> => {
    const { rows } = await sql.query<{ sealed_size: bigint }>({
      name: "lane-sealed-size",
      text: "select sealed_size from lane where lane = $1",
      values: [lane],
    });
    return Number(rows[0]?.sealed_size ?? 0n);
  };

  const readEntries = async (from: number, to: number): Promise<Buffer[]> => {
    const { rows } = await sql.query<{ bytes: Buffer }>({
      name: "entries-read",
      text: "select bytes from entry where lane = $1 and seq >= $2 and seq < $3 order by seq",
      values: [lane, from, to],
    });
    return rows.map(({ bytes }) => bytes);
  };

  /** Leaf hashes of single places, by place. */
  const readLeaves = async (seqs: readonly number[]): Promise<Map<number, Buffer>> => {
    if (seqs.length === 0) return new Map();
    const { rows } = await sql.query<{ seq: bigint; leaf_hash: Buffer }>({
      name: "leaves-at",
      text: "select seq, leaf_hash from entry where lane = $1 and seq = any($2::bigint[])",
      values: [lane, seqs],
    });
    return new Map(rows.map(({ seq, leaf_hash }) => [Number(seq), leaf_hash]));
  };

  const readLeafHashes = async (from: number, to: number): Promise<Buffer[]> => {
    const { rows } = await sql.query<{ leaf_hash: Buffer }>({
      name: "leaves-read",
      text: "select leaf_hash from entry where lane = $1 and seq >= $2 and seq < $3 order by seq",
      values: [lane, from, to],
    });
    return rows.map(({ leaf_hash }) => leaf_hash);
  };

  /** What is remembered under these ids and quotes; two index reads for the whole batch. */
  const lookUp = async (ids: readonly string[], quotes: readonly string[]) => {
    const known = new Map<string, KnownTransfer>();
    const usedQuotes = new Map<string, string>();
    type Row = {
      id: string;
      lane: number;
      request: string | null;
      payer: string;
      seq: bigint | null;
    };
    const ended =
      ids.length === 0
        ? undefined
        : sql.query<Row>({
            name: "ended-look-up",
            text: "select id, lane, request, payer, seq from ended_transfer where id = any($1::uuid[])",
            values: [ids],
          });
    const quoted =
      quotes.length === 0
        ? undefined
        : sql.query<{ quote: string; id: string }>({
            name: "quote-look-up",
            text: "select quote, id from used_quote where lane = $1 and quote = any($2::uuid[])",
            values: [lane, quotes],
          });
    for (const row of (await ended)?.rows ?? []) {
      known.set(row.id, {
        id: row.id,
        lane: row.lane,
        request: row.request ?? undefined,
        payer: row.payer,
        seq: row.seq === null ? undefined : Number(row.seq),
      });
    }
    for (const { quote, id } of (await quoted)?.rows ?? []) usedQuotes.set(quote, id);
    return { known, usedQuotes };
  };

  const save = async (batch: BatchToSave): Promise<void> => {
    const statement = saveBatchSql(lane, batch, headsOf(batch), toJson);
    const { rowCount } = await sql.query(withSetAside(statement, batch));
    if (rowCount !== 1) throw new FencedError("the lane moved under this writer");
  };

  /** Notes a seal that no batch has carried yet, when the lane is idle. */
  const saveSealed = async (epoch: bigint, size: number, note: string, published: number) => {
    await sql.query({
      name: "lane-sealed",
      text: `update lane set sealed_size = $3, sealed = $4, published_batch = $5
        where lane = $1 and epoch = $2 and sealed_size <= $3`,
      values: [lane, epoch, size, note, published],
    });
  };

  const readMessages = async (participant: string, after: number, limit: number) => {
    type Row = { n: bigint; batch: bigint; time_ms: bigint; refs: string };
    const { rows } = await sql.query<Row>({
      name: "inbox-read",
      text: `select n, batch, time_ms, refs from inbox_message
        where participant = $1 and lane = $4 and n > $2 order by n limit $3`,
      values: [participant, after, limit, lane],
    });
    return rows.map((row) => storedMessage(participant, row));
  };

  const readUnpublished = async (after: number): Promise<StoredMessage[]> => {
    type Row = { participant: string; n: bigint; batch: bigint; time_ms: bigint; refs: string };
    const { rows } = await sql.query<Row>({
      text: `select participant, n, batch, time_ms, refs from inbox_message
        where lane = $1 and batch > $2 order by batch, participant, n`,
      values: [lane, after],
    });
    return rows.map((row) => storedMessage(row.participant, row));
  };

  const readRefusal = async (id: string): Promise<string | undefined> => {
    const { rows } = await sql.query<{ refusal: string | null }>({
      name: "refusal-read",
      text: "select refusal from ended_transfer where id = $1",
      values: [id],
    });
    return rows[0]?.refusal ?? undefined;
  };

  return {
    acquire,
    renew,
    release,
    sealedSize,
    load: makeLaneLoader(sql, lane, origin, readEntries),
    lookUp,
    save,
    saveSealed,
    readEntries,
    readLeafHashes,
    readLeaves,
    readMessages,
    readUnpublished,
    readRefusal,
  };
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
      hash: hash === undefined ? "" : toBase64(hash),
      inbox: state.inboxes.get(participant) ?? 0,
      creditedTo: state.creditedTo.get(participant) ?? 0,
    };
  }
  return { participants, uncreditedFrom: firstUncredited(state) };
};
