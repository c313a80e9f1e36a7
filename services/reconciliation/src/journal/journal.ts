// The journal of what is not in the log: statements of providers, banks' files, breaks and what people did
// about them, who asked for what. Each change is in an outbox by the transaction that made it, and is on
// disk in the journal before anybody hears of it. When all tables are lost, the journal gives them back
// and the log the books, to the byte. One writer at a time, by the lock on the mark.
import { withTransaction, type Database, type Sql } from "@sealane/database";
import { sqlOf } from "../breaks/one-at-a-time.ts";
import {
  appendJournal,
  beginJournal,
  journalLines,
  JournalError,
  readJournal,
  type JournalMark,
} from "./journal-file.ts";
import { applyLines, areEmpty, journalTableNames, rowsOf } from "./journal-tables.ts";

export type Journal = {
  /** Before anything is answered: finds, restores or begins the journal. */
  open(): Promise<Opened>;
  /** Everything that was committed before is in the journal when this returns. */
  flush(): Promise<void>;
};

/** `begun`: with what the tables had. `damaged` says why a journal that was there is not gone on with. */
export type Opened = {
  readonly how: "continued" | "restored" | "begun";
  readonly lines: number;
  readonly damaged?: string;
};

/** Where none is kept: tests, and an instance beside one that keeps it. */
export const noJournal: Journal = {
  open: () => Promise.resolve({ how: "continued", lines: 0 }),
  flush: () => Promise.resolve(),
};

const most = 500;
/** Of a chunk that is restored at once. */
const mostChars = 16_000_000;

type MarkRow = { readonly id: string; readonly bytes: bigint; readonly hash: string };

const markIn = async (sql: Sql, locked = ""): Promise<JournalMark | undefined> => {
  const text = `select id, bytes, hash from journal_mark ${locked}`;
  const [row] = (await sql.query<MarkRow>({ text })).rows;
  return row && { id: row.id, bytes: Number(row.bytes), hash: row.hash };
};

const putMark = async (sql: Sql, { id, bytes, hash }: JournalMark): Promise<void> => {
  await sql.query({
    text: `insert into journal_mark (id, bytes, hash) values ($1, $2, $3)
      on conflict (one) do update set id = excluded.id, bytes = excluded.bytes, hash = excluded.hash`,
    values: [id, bytes, hash],
  });
};

/** The mark at the file's end, or why there is none. @param until bytes that are read at most */
const lastMark = async (path: string, until?: number) => {
  let found: { readonly mark: JournalMark; readonly lines: number } | undefined;
  try {
    for await (const { mark } of readJournal(path, until)) {
      found = { mark, lines: (found?.lines ?? -1) + 1 };
    }
  } catch (error) {
    if (error instanceof JournalError) return { damaged: error.message };
    throw error;
  }
  return found ?? { damaged: undefined };
};

export const makeJournal = (
  database: Pick<Database<unknown>, "pool" | "db">,
  path: string,
): Journal => {
  const inTransaction = <T>(work: (sql: Sql) => Promise<T>): Promise<T> =>
    withTransaction(database, ({ client }) => work(sqlOf(client)));

  /** Into empty tables, in one transaction with the mark. */
  const restore = (): Promise<Opened> =>
    inTransaction(async (sql) => {
      await sql.query({ text: "set local sealane.restoring = 'on'" });
      let chunk: string[] = [];
      let [chars, lines] = [0, 0];
      let end: JournalMark | undefined;
      const apply = async (): Promise<void> => {
        await applyLines(sql, chunk);
        chunk = [];
        chars = 0;
      };
      for await (const { body, mark } of readJournal(path)) {
        end = mark;
        if (body === undefined) continue;
        chunk.push(body);
        chars += body.length;
        lines += 1;
        if (chunk.length >= 5_000 || chars > mostChars) await apply();
      }
      await apply();
      await sql.query({
        text: `select setval('break_case_number_seq', max(number)) from break_case
          having max(number) is not null`,
      });
      if (end === undefined) throw new JournalError(`${path} is empty`);
      await putMark(sql, end);
      return { how: "restored", lines };
    });

  /** A journal that begins with what the tables have. */
  const begin = (damaged: string | undefined): Promise<Opened> =>
    inTransaction(async (sql) => {
      let mark = await beginJournal(path);
      let lines = 0;
      // Those before it are in the tables, and with them in the new journal.
      await sql.query({ text: "delete from journal_outbox" });
      for (const name of journalTableNames) {
        for await (const bodies of rowsOf(sql, name)) {
          const next = journalLines(mark, bodies);
          await appendJournal(path, mark, next.text);
          mark = next.mark;
          lines += bodies.length;
        }
      }
      await putMark(sql, mark);
      return { how: "begun", lines, ...(damaged === undefined ? {} : { damaged }) };
    });

  const open = async (): Promise<Opened> => {
    const { mark, empty } = await inTransaction(async (sql) => ({
      mark: await markIn(sql),
      empty: await areEmpty(sql),
    }));
    const end = await lastMark(path, mark?.bytes);
    if ("damaged" in end) {
      const lost = mark === undefined && empty && end.damaged !== undefined;
      // All that is left of what was said is in this file: somebody has to look at it first.
      if (lost) throw new JournalError(end.damaged);
      return begin(end.damaged);
    }
    if (mark === undefined) return empty ? restore() : begin(undefined);
    const same = end.mark.id === mark.id && end.mark.bytes === mark.bytes;
    if (same && end.mark.hash === mark.hash) return { how: "continued", lines: end.lines };
    return begin(`${path} is not the journal that the database goes on with`);
  };

  /** @returns whether there may be more */
  const flushSome = (): Promise<boolean> =>
    inTransaction(async (sql) => {
      const mark = await markIn(sql, "for update");
      if (mark === undefined) return false;
      const { rows } = await sql.query<{ n: bigint; body: string }>({
        text: `delete from journal_outbox where n in (
            select n from journal_outbox order by n limit ${most}) returning n, body::text`,
      });
      if (rows.length === 0) return false;
      const sorted = rows.toSorted((a, b) => (a.n < b.n ? -1 : 1));
      const next = journalLines(
        mark,
        sorted.map(({ body }) => body),
      );
      await appendJournal(path, mark, next.text);
      await putMark(sql, next.mark);
      return rows.length === most;
    });

  const flushAll = async (): Promise<void> => {
    while (await flushSome());
  };

  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;
  /** Whoever comes while one is running waits for the next one, which sees what was committed by now. */
  const flush = (): Promise<void> => {
    if (waiting !== undefined) return waiting;
    const begun = (running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        running = flushAll();
        return running;
      });
    waiting = begun;
    return begun;
  };

  return { open, flush };
};
