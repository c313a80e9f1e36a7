// All of reconciliation's own work is done in transactions under one lock, the row of `reconcile_cursor`:
// what one instance has seen the next one sees, and two of them do nothing twice. The books may grow
// meanwhile; each transaction says as of which position it speaks. Within one process they wait for each
// other here, in order: the lock in Postgres is for other instances, and whoever waits there is timed out.
import { translatePgError, withTransaction, type Database, type Sql } from "@sealane/database";

export type Under = {
  readonly lane: number;
  /** Of this transaction. */
  readonly sql: Sql;
  /** Entries that the books have. */
  readonly position: number;
  readonly logTimeMs: number;
  /** The first entry that was not held against anything yet. */
  readonly cursor: number;
  readonly nowMs: number;
};

type Client = Parameters<Parameters<typeof withTransaction>[1]>[0]["client"];

/** Statements on a transaction's connection; throws `DatabaseError`. */
export const sqlOf = (client: Client): Sql => ({
  query: async <Row>({ name, text, values = [] }: Parameters<Sql["query"]>[0]) => {
    try {
      const statement = name === undefined ? { text } : { name, text };
      const { rows, rowCount } = await client.query({ ...statement, values: [...values] });
      return { rows: rows as Row[], rowCount };
    } catch (error) {
      throw translatePgError(error);
    }
  },
});

export type OneAtATime = ReturnType<typeof makeOneAtATime>;

/** Runs one piece of work after the other, in the order in which they were asked for. */
const inTurn = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
};

/** @param kept waits until what was committed is in the journal: nobody hears of it before */
export const makeOneAtATime = (
  database: Pick<Database<unknown>, "pool" | "db">,
  lane: number,
  clock: () => number,
  kept: () => Promise<void> = () => Promise.resolve(),
) => {
  const turn = inTurn();
  const locked = <T>(work: (under: Under) => Promise<T>): Promise<T> =>
    withTransaction(database, async ({ client }) => {
      const sql = sqlOf(client);
      await sql.query({
        name: "reconcile-cursor-begin",
        text: `insert into reconcile_cursor (lane, next_seq) values ($1, 0)
          on conflict (lane) do nothing`,
        values: [lane],
      });
      const cursor = await sql.query<{ next_seq: bigint }>({
        name: "reconcile-cursor-lock",
        text: "select next_seq from reconcile_cursor where lane = $1 for update",
        values: [lane],
      });
      const books = await sql.query<{ next_seq: bigint; log_time_ms: bigint }>({
        name: "reconcile-books",
        text: "select next_seq, log_time_ms from progress where lane = $1",
        values: [lane],
      });
      return work({
        lane,
        sql,
        position: Number(books.rows[0]?.next_seq ?? 0),
        logTimeMs: Number(books.rows[0]?.log_time_ms ?? 0),
        cursor: Number(cursor.rows[0]?.next_seq ?? 0),
        nowMs: clock(),
      });
    });
  return async <T>(work: (under: Under) => Promise<T>): Promise<T> => {
    const done = await turn(() => locked(work));
    await kept();
    return done;
  };
};

/** The books are being built again: what is not in them yet is no break. */
export const isRebuilding = ({ position, cursor }: Under): boolean => position < cursor;
