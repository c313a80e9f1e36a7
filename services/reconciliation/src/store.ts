// The books in Postgres: load once, apply chunk after chunk, answer as of any position. What is read
// back after each chunk is compared with the fold, so that a difference is seen where it arises.
import { isDatabaseError, type Sql } from "@sealane/database";
import { balanceOf, type AuditSnapshot, type AuditState, type StoredBalance } from "@sealane/rules";
import { invariant, InvariantError, OperationalError } from "@sealane/runtime";
import { toBase64 } from "@sealane/tlog";
import type { Bad } from "./judge.ts";
import type { Root } from "./seals.ts";
import { applyChunkSql, type Chunk } from "./store-sql.ts";

export type LoadedBooks = {
  readonly nextSeq: number;
  readonly nextOffset: bigint | undefined;
  readonly sealedSize: number;
  readonly sealed: string;
  /** Undefined before the first chunk. */
  readonly audit: AuditSnapshot | undefined;
  readonly pendingRoots: readonly Root[];
  readonly balances: readonly StoredBalance[];
};

/** Entries between two snapshots of the balances. */
const snapshotEvery = 10_000;
const hashBytes = 32;

type ProgressRow = {
  readonly origin: string;
  readonly next_seq: bigint;
  readonly next_offset: bigint | null;
  readonly sealed_size: bigint;
  readonly sealed: string;
  readonly audit: string;
  readonly pending_roots: string;
  readonly snapshot_seq: bigint;
};

export type BookStore = ReturnType<typeof makeBookStore>;

export const makeBookStore = (sql: Sql, lane: number) => {
  let snapshotSeq = 0;

  const load = async (origin: string): Promise<LoadedBooks> => {
    await sql.query({
      text: `insert into progress values ($1, $2, 0, null, 0, '', '', '[]', 0)
        on conflict (lane) do nothing`,
      values: [lane, origin],
    });
    const { rows } = await sql.query<ProgressRow>({
      text: "select * from progress where lane = $1",
      values: [lane],
    });
    const row = rows[0];
    invariant(row !== undefined, "the lane has no row of progress");
    if (row.origin !== origin) {
      const message = `the books are of ${row.origin}, the policy's log is ${origin}`;
      throw new OperationalError("books-of-another-log", message, { retryable: false });
    }
    const balances = await sql.query<StoredBalance>({
      text: "select account, currency, debits, credits from balance where lane = $1",
      values: [lane],
    });
    snapshotSeq = Number(row.snapshot_seq);
    return {
      nextSeq: Number(row.next_seq),
      nextOffset: row.next_offset ?? undefined,
      sealedSize: Number(row.sealed_size),
      sealed: row.sealed,
      audit: row.audit === "" ? undefined : (JSON.parse(row.audit) as AuditSnapshot),
      pendingRoots: JSON.parse(row.pending_roots) as Root[],
      balances: balances.rows,
    };
  };

  /** The balances that the statement came to must be those of the fold. */
  const compare = (state: AuditState, rows: readonly StoredBalance[]): void => {
    for (const { account, currency, debits, credits } of rows) {
      const { postedDebit, postedCredit } = balanceOf(state.balances, account, currency);
      invariant(
        debits === postedDebit && credits === postedCredit,
        `${account} ${currency}: ${debits} and ${credits} in the books, ` +
          `${postedDebit} and ${postedCredit} by the log`,
      );
    }
  };

  const endedBefore = async (chunk: Chunk): Promise<Bad> => {
    const ids = chunk.judged.flatMap(({ entry: { context, transferId, advance } }) => {
      const id = transferId ?? advance?.id;
      return id === undefined ? [] : [{ id, seq: context.seq }];
    });
    const { rows } = await sql.query<{ id: string; seq: bigint }>({
      text: "select id, seq from transfer_end where id = any($1::uuid[])",
      values: [ids.map(({ id }) => id)],
    });
    const before = new Map(rows.map(({ id, seq }) => [id, String(seq)]));
    for (const { id, seq } of ids) {
      const first = before.get(id);
      if (first !== undefined) {
        const detail = `${id} ended at entry ${first}`;
        return { position: seq, code: "ended-twice", detail };
      }
      before.set(id, String(seq));
    }
    throw new InvariantError("an id was refused that the books do not hold");
  };

  /**
   * Applies a chunk in one statement. @returns undefined, or the entry whose id had ended before
   * @throws DatabaseError; OperationalError when another process has moved the books
   */
  const apply = async (chunk: Chunk): Promise<Bad | undefined> => {
    let rows: readonly StoredBalance[];
    try {
      ({ rows } = await sql.query<StoredBalance>(applyChunkSql(lane, chunk)));
    } catch (error) {
      if (!isDatabaseError(error, "unique-violation")) throw error;
      return endedBefore(chunk);
    }
    if (!rows.some(({ account }) => account === "")) {
      const message = `another process has moved the books of lane ${lane}`;
      throw new OperationalError("books-moved", message, { retryable: true });
    }
    compare(
      chunk.state,
      rows.filter(({ account }) => account !== ""),
    );
    if (chunk.state.next - snapshotSeq >= snapshotEvery) await snapshot();
    return undefined;
  };

  const snapshot = async (): Promise<void> => {
    const { rows } = await sql.query<{ snapshot_seq: bigint }>({
      text: `with moved as (
          update progress set snapshot_seq = next_seq where lane = $1
          returning lane, snapshot_seq
        ), kept as (
          insert into balance_snapshot (lane, position, account, currency, debits, credits)
          select lane, snapshot_seq, account, currency, debits, credits
          from moved join balance using (lane)
          on conflict do nothing
        )
        select snapshot_seq from moved`,
      values: [lane],
    });
    snapshotSeq = Number(rows[0]?.snapshot_seq ?? 0n);
  };

  /** Leaf hash of a participant's entry n, base64. */
  const headOf = async (participant: string, n: number): Promise<string | undefined> => {
    const { rows } = await sql.query<{ from_n: bigint; hashes: Buffer }>({
      name: "head-of",
      text: `select from_n, hashes from chain_block
        where lane = $1 and participant = $2 and from_n <= $3 order by from_n desc limit 1`,
      values: [lane, participant, n],
    });
    const row = rows[0];
    if (row === undefined) return undefined;
    const at = (n - Number(row.from_n)) * hashBytes;
    return at + hashBytes > row.hashes.length
      ? undefined
      : toBase64(row.hashes.subarray(at, at + hashBytes));
  };

  return { load, apply, headOf };
};
