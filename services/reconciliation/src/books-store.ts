// The books in Postgres: loaded with one statement, stored with one statement per batch. What the
// fold has to remember is in there with them (see the README), so that a start reads no log again.
import { isDatabaseError, type Sql } from "@sealane/database";
import {
  balanceKey,
  resumeAudit,
  type AuditOptions,
  type AuditSnapshot,
  type StoredBalance,
} from "@sealane/rules";
import { OperationalError } from "@sealane/runtime";
import { appendLeaves, compactRange, toBase64, type CompactRange } from "@sealane/tlog";
import { BooksFault, makeBooks, type Books, type Fault } from "./books.ts";
import type { TreeAt } from "./recent-trees.ts";
import { changedSheets, saveSql, type SavedRow } from "./save-sql.ts";

type ProgressRow = {
  readonly origin: string;
  readonly next_seq: bigint;
  readonly next_offset: bigint | null;
  readonly last_leaf: Buffer;
  readonly frontier: Buffer;
  readonly log_time_ms: bigint;
  readonly keys_size: bigint;
  readonly fold: string;
  readonly sealed_size: bigint;
  readonly sealed_range: Buffer;
  readonly sealed: string;
  readonly sealed_at_ms: bigint;
  readonly balances: readonly [
    account: string,
    currency: string,
    debits: string,
    credits: string,
  ][];
  readonly sheets: readonly [hash: string, body: string][];
  readonly settlement: readonly { readonly name: string; readonly body: string }[];
};

const loadText = `select origin, next_seq, next_offset, last_leaf, frontier, log_time_ms, keys_size,
    fold, sealed_size, sealed_range, sealed, sealed_at_ms,
    (select coalesce(json_agg(json_build_array(account, currency, debits::text, credits::text)), '[]')
     from balance where lane = $1) as balances,
    (select coalesce(json_agg(json_build_array(hash, body)), '[]')
     from sheet where lane = $1) as sheets,
    (select coalesce(json_agg(json_build_object('name', name, 'body', body)), '[]')
     from settlement where lane = $1) as settlement
  from progress where lane = $1`;

/** The SQLSTATE that the trigger on balances raises. */
const unbalanced = "SL002";

const emptyFold = JSON.stringify({
  chains: [],
  outcomes: { committed: 0, rejected: 0, expired: 0, cancelled: 0, recorded: 0 },
  flows: [],
});

const hashesOf = (bytes: Buffer): Buffer[] =>
  Array.from({ length: bytes.length / 32 }, (_, at) => bytes.subarray(at * 32, at * 32 + 32));

const snapshotOf = (row: ProgressRow): AuditSnapshot => {
  const fold = JSON.parse(row.fold) as Pick<AuditSnapshot, "chains" | "outcomes" | "flows">;
  const sheets = row.sheets.map(([, body]) => JSON.parse(body) as AuditSnapshot["sheets"][number]);
  return {
    ...fold,
    // In the order of the log, so that the newest of a pair comes last.
    sheets: sheets.toSorted((a, b) => a.seq - b.seq),
    next: Number(row.next_seq),
    prev: toBase64(row.last_leaf),
    logTimeMs: Number(row.log_time_ms),
    keysSize: Number(row.keys_size),
    frontier: hashesOf(row.frontier).map(toBase64),
  };
};

export type BooksStore = ReturnType<typeof makeBooksStore>;

export const makeBooksStore = (sql: Sql, lane: number, origin: string) => {
  /** @throws BooksFault when the tables hold another log's books */
  const load = async (options: Omit<AuditOptions, "origin">): Promise<Books> => {
    await sql.query({
      text: `insert into progress (lane, origin, next_seq, last_leaf, frontier, log_time_ms, keys_size,
          fold, sealed_size, sealed_range, sealed, sealed_at_ms)
        values ($1, $2, 0, decode(repeat('00', 32), 'hex'), '', 0, 0, $3, 0, '', '', 0)
        on conflict (lane) do nothing`,
      values: [lane, origin, emptyFold],
    });
    const { rows } = await sql.query<ProgressRow>({ text: loadText, values: [lane] });
    const row = rows[0];
    if (row?.origin !== origin) {
      const detail = `the tables hold ${row?.origin}, the policy names ${origin}`;
      throw new BooksFault({ position: Number(row?.next_seq ?? 0), code: "wrong-log", detail });
    }
    const balances = row.balances.map(([account, currency, debits, credits]): StoredBalance => ({
      account,
      currency,
      debits: BigInt(debits),
      credits: BigInt(credits),
    }));
    const state = resumeAudit({ ...options, origin }, snapshotOf(row), balances, row.settlement);
    const size = Number(row.sealed_size);
    const seal = {
      size,
      range: compactRange(size, hashesOf(row.sealed_range)),
      note: row.sealed,
      atMs: Number(row.sealed_at_ms),
    };
    return makeBooks(state, seal, row.next_offset ?? undefined, new Map(row.sheets));
  };

  /** The first pending entry whose id had its end before: what the unique index refused. */
  const endedTwice = async ({ pending }: Books): Promise<Fault | undefined> => {
    const { rows } = await sql.query<{ ended_id: string }>({
      text: "select ended_id from entry where ended_id = any($1::uuid[])",
      values: [pending.flatMap(({ endedId }) => endedId ?? [])],
    });
    const known = new Set(rows.map((row) => row.ended_id));
    for (const { seq, endedId } of pending) {
      if (endedId === undefined) continue;
      if (known.has(endedId)) {
        return { position: seq, code: "ended-twice", detail: `${endedId} has an entry already` };
      }
      known.add(endedId);
    }
    return undefined;
  };

  /**
   * Stores what is pending; afterwards nothing is.
   * @throws BooksFault for an id that ended twice, or when Postgres comes to other balances than the
   * fold; else what is stored is in doubt, and the books must be loaded again
   */
  const save = async (books: Books): Promise<void> => {
    const sheets = changedSheets(books);
    let row: SavedRow | undefined;
    try {
      row = (await sql.query<SavedRow>(saveSql(lane, books, sheets))).rows[0];
    } catch (error) {
      if ((error as { code?: unknown }).code === unbalanced) {
        const detail = "debits are not credits in some currency of the stored balances";
        throw new BooksFault({ position: books.storedNext, code: "books-unbalanced", detail });
      }
      if (!isDatabaseError(error, "unique-violation", "entry_ends_once")) throw error;
      const fault = await endedTwice(books);
      throw fault === undefined ? error : new BooksFault(fault);
    }
    if (row?.moved !== 1) {
      const message = "the books moved under this instance: another one runs";
      throw new OperationalError("books-moved", message, { retryable: true });
    }
    for (const [account, currency, debits, credits] of row.balances) {
      const folded = books.state.balances.get(balanceKey(account, currency));
      if (String(folded?.postedDebit) === debits && String(folded?.postedCredit) === credits)
        continue;
      const detail = `${account} ${currency} is not what the log comes to`;
      throw new BooksFault({ position: books.state.next, code: "balances-differ", detail });
    }
    for (const [hash, body] of sheets.changed) books.storedSheets.set(hash, body);
    for (const hash of sheets.gone) books.storedSheets.delete(hash);
    books.storedNext = books.state.next;
    books.pending = [];
    books.dirty = false;
  };

  /** Leaf hash, base64, of a participant's entry n: looked up backwards, for it is seldom far. */
  const headOf = async (participant: string, n: number): Promise<string | undefined> => {
    const { rows } = await sql.query<{ leaf_hash: Buffer }>({
      text: `select leaf_hash from entry where lane = $1 and chains @> array[$2]
        order by seq desc limit 1`,
      values: [lane, `${participant} ${n}`],
    });
    const hash = rows[0]?.leaf_hash;
    return hash === undefined ? undefined : toBase64(hash);
  };

  /** Leaf hash, base64, of the entry at a place. */
  const leafAt = async (seq: number): Promise<string | undefined> => {
    const { rows } = await sql.query<{ leaf_hash: Buffer }>({
      name: "leaf-at",
      text: "select leaf_hash from entry where lane = $1 and seq = $2",
      values: [lane, seq],
    });
    const hash = rows[0]?.leaf_hash;
    return hash === undefined ? undefined : toBase64(hash);
  };

  /** The tree of a size that is stored, going on from one that is no larger. */
  const treeAt = async (from: CompactRange, size: number): Promise<TreeAt | undefined> => {
    let range = from;
    let timeMs = 0;
    while (range.size < size || timeMs === 0) {
      const first = range.size === size ? size - 1 : range.size;
      const { rows } = await sql.query<{ leaf_hash: Buffer; time_ms: bigint }>({
        text: `select leaf_hash, time_ms from entry where lane = $1 and seq >= $2 and seq < $3
          order by seq limit 10000`,
        values: [lane, first, size],
      });
      if (rows.length === 0) return undefined;
      if (range.size < size)
        range = appendLeaves(
          range,
          rows.map((row) => row.leaf_hash),
        );
      timeMs = Number(rows.at(-1)?.time_ms ?? 0);
    }
    return { range, timeMs };
  };

  /** Balances that are not the sums of their postings. Reads every posting. */
  const differences = async (): Promise<string[]> => {
    const { rows } = await sql.query<{ account: string; currency: string }>({
      text: "select account, currency from book_differences($1)",
      values: [lane],
    });
    return rows.map(({ account, currency }) => `${account} ${currency}`);
  };

  return { load, save, headOf, leafAt, treeAt, differences };
};
