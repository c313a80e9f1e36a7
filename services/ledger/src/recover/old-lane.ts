// What the restored database has: how far it came, what it had open, and whether its entries are those
// that were published. It is a source like others, and never more than that.
import type { Sql } from "@sealane/database";
import type { OpenTransfer } from "@sealane/rules";
import type { StoredHeads } from "../lane-load.ts";
import { RecoverFault } from "./recover-fault.ts";

export type OldLane = {
  readonly size: number;
  readonly logTimeMs: number;
  readonly inputOffset: bigint;
  readonly batch: number;
  readonly sealedSize: number;
  readonly sealed: string;
  readonly heads: StoredHeads;
  readonly open: readonly OpenTransfer[];
};

type Row = {
  readonly size: bigint;
  readonly log_time_ms: bigint;
  readonly input_offset: bigint;
  readonly batch: bigint;
  readonly sealed_size: bigint;
  readonly sealed: string;
  readonly heads: StoredHeads;
};

/** The lane's row must exist: whoever recovers has acquired it. */
export const readOldLane = async (sql: Sql, lane: number): Promise<OldLane> => {
  const { rows } = await sql.query<Row>({
    text: `select size, log_time_ms, input_offset, batch, sealed_size, sealed, heads
      from lane where lane = $1`,
    values: [lane],
  });
  const { rows: open } = await sql.query<{ body: string }>({
    text: "select body from open_transfer where lane = $1",
    values: [lane],
  });
  const row = rows[0];
  if (row === undefined) throw new RecoverFault("lane-unknown", `there is no lane ${lane}`);
  return {
    size: Number(row.size),
    logTimeMs: Number(row.log_time_ms),
    inputOffset: row.input_offset,
    batch: Number(row.batch),
    sealedSize: Number(row.sealed_size),
    sealed: row.sealed,
    heads: row.heads,
    open: open.map(({ body }) => JSON.parse(body) as OpenTransfer),
  };
};

const pageSize = 5_000;

/** Rows are append-only: one that is not what was published can only be taken away by hand. */
const differs = (seq: number): RecoverFault =>
  new RecoverFault(
    "database-differs",
    `entry ${seq} of the database is not the one that was published: recover into empty tables`,
    seq,
  );

/** Holds every stored entry against the rebuilt log. @returns how many there are */
export const checkStoredEntries = async (
  sql: Sql,
  lane: number,
  leafHashes: readonly Uint8Array[],
): Promise<number> => {
  type Entry = { readonly seq: bigint; readonly leaf_hash: Buffer; readonly fits: boolean };
  let next = 0;
  for (;;) {
    const { rows } = await sql.query<Entry>({
      text: `select seq, leaf_hash, leaf_hash = sha256('\\x00'::bytea || bytes) as fits
        from entry where lane = $1 and seq >= $2 order by seq limit $3`,
      values: [lane, next, pageSize],
    });
    for (const { seq, leaf_hash, fits } of rows) {
      const published = leafHashes[next];
      if (Number(seq) !== next || !fits || published === undefined) throw differs(next);
      if (!leaf_hash.equals(published)) throw differs(next);
      next += 1;
    }
    if (rows.length < pageSize) return next;
  }
};
