import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { createDatabase, execute, query, sql, withTransaction, type Database } from "./index.ts";

const url = inject("databaseUrl");
const schema = `test_${randomUUID().replaceAll("-", "")}`;

type Schema = { account: { id: bigint; day: string; rate: string; balance: bigint } };

const options = { url, applicationName: schema, poolSize: 4, schema, statementTimeoutMs: 1_000 };
let database: Database<Schema>;

/** Another session, to interfere. */
const admin = new pg.Client({ connectionString: url });

const insert = (id: bigint) => ({
  name: "insert-account",
  text: "INSERT INTO account VALUES ($1, '2026-10-30', '8.1165', 100)",
  values: [id],
});
const count = async (): Promise<number> =>
  (await admin.query(`SELECT id FROM ${schema}.account`)).rows.length;

beforeAll(async () => {
  await admin.connect();
  await admin.query(`
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.account (
      id bigint PRIMARY KEY,
      day date NOT NULL,
      rate numeric(20, 8) NOT NULL,
      balance bigint NOT NULL,
      CONSTRAINT balance_not_negative CHECK (balance >= 0)
    )`);
  database = createDatabase<Schema>(options);
});

afterAll(async () => {
  await database.close();
  await admin.query(`DROP SCHEMA ${schema} CASCADE`);
  await admin.end();
});

describe("values", () => {
  it("arrive exact: int8 as bigint, numeric and date as text, in arrays too", async () => {
    const [row] = await query(database.pool, {
      name: "values",
      text: `SELECT $1::bigint AS big, '1.10'::numeric AS rate, '2026-10-30'::date AS day,
             ARRAY[$1::bigint, NULL] AS bigs, ARRAY[1.10] AS rates, ARRAY['2026-10-30'::date] AS days,
             $2::bytea AS bytes`,
      values: [9_007_199_254_740_993n, new Uint8Array([0, 255])],
    });
    expect(row).toEqual({
      big: 9_007_199_254_740_993n,
      rate: "1.10",
      day: "2026-10-30",
      bigs: [9_007_199_254_740_993n, null],
      rates: ["1.10"],
      days: ["2026-10-30"],
      bytes: Buffer.from([0, 255]),
    });
  });

  it("go in as arrays of bigint, for one statement per batch", async () => {
    const rows = await query(database.pool, {
      name: "unnest",
      text: "SELECT id * 2 AS twice FROM unnest($1::bigint[]) AS id",
      values: [[1n, 4_611_686_018_427_387_903n]],
    });
    expect(rows).toEqual([{ twice: 2n }, { twice: 9_223_372_036_854_775_806n }]);
  });

  it("leave the parsers of other pools alone", async () => {
    const { rows } = await admin.query("SELECT 1::bigint AS big");
    expect(rows).toEqual([{ big: "1" }]);
  });
});

describe("deadlines and settings", () => {
  it("ends a statement that takes too long", async () => {
    const slow = query(database.pool, { name: "slow", text: "SELECT pg_sleep(60)", values: [] });
    await expect(slow).rejects.toMatchObject({ code: "timeout", sqlState: "57014" });
  });

  it("gives up a lock that another transaction holds", async () => {
    await admin.query(`BEGIN; LOCK ${schema}.account IN ACCESS EXCLUSIVE MODE`);
    try {
      const blocked = execute(database.pool, insert(1_000n));
      await expect(blocked).rejects.toMatchObject({ code: "lock-timeout", retryable: true });
    } finally {
      await admin.query("ROLLBACK");
    }
  });

  it("names the service to the server, and works in its schema and in UTC", async () => {
    const text = `SELECT current_setting('application_name') AS name, current_schema() AS schema,
                  current_setting('timezone') AS zone`;
    const rows = await query(database.pool, { name: "settings", text, values: [] });
    expect(rows).toEqual([{ name: schema, schema, zone: "UTC" }]);
  });

  it("says that a server which is not there cannot be reached", async () => {
    const away = createDatabase({ ...options, url: "postgres://x:y@127.0.0.1:1/postgres" });
    await expect(away.ping()).rejects.toMatchObject({ code: "connection", retryable: true });
    await away.close();
  });
});

describe("withTransaction", () => {
  it("commits, through the client and through kysely in one transaction", async () => {
    const balance = await withTransaction(database, async ({ client, db }) => {
      await execute(client, insert(1n));
      const row = await db
        .selectFrom("account")
        .selectAll()
        .where("id", "=", 1n)
        .executeTakeFirst();
      return row?.balance;
    });
    expect([balance, await count()]).toEqual([100n, 1]);
  });

  it("rolls back and throws what the work threw", async () => {
    const before = await count();
    const fault = new Error("refused");
    const failed = withTransaction(database, async ({ client }) => {
      await execute(client, insert(2n));
      throw fault;
    });
    await expect(failed).rejects.toBe(fault);
    expect(await count()).toBe(before);
  });

  it("names the constraint that was violated", async () => {
    const failed = withTransaction(database, async ({ db }) =>
      db
        .insertInto("account")
        .values({ id: 3n, day: "2026-01-01", rate: "1", balance: -1n })
        .execute(),
    );
    const constraint = "balance_not_negative";
    await expect(failed).rejects.toMatchObject({ code: "check-violation", constraint });
  });

  it("throws when a failed statement was swallowed and COMMIT rolled back", async () => {
    const swallowed = withTransaction(database, async ({ client }) => {
      await execute(client, insert(4n));
      await client.query("SELECT 1/0").catch(() => undefined);
    });
    await expect(swallowed).rejects.toMatchObject({ code: "rolled-back" });
    expect(
      await query(database.pool, { name: "one", text: "SELECT 1 AS x", values: [] }),
    ).toHaveLength(1);
  });

  it("fails, certainly undone, when the connection is lost before COMMIT", async () => {
    const before = await count();
    const lost = withTransaction(database, async ({ client }) => {
      await execute(client, insert(5n));
      const [row] = await query<{ pid: number }>(client, {
        name: "pid",
        text: "SELECT pg_backend_pid() AS pid",
        values: [],
      });
      await admin.query("SELECT pg_terminate_backend($1)", [row?.pid]);
      await query(client, { name: "after", text: "SELECT 1", values: [] });
    });
    await expect(lost).rejects.toMatchObject({ code: "connection", retryable: true });
    expect(await count()).toBe(before);
    await database.ping();
  });

  it("throws commit-unknown when the connection is lost while COMMIT runs", async () => {
    // A deferred trigger that sleeps makes COMMIT last until we cut it.
    await admin.query(`
      CREATE FUNCTION ${schema}.nap() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(30); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON ${schema}.account
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 6) EXECUTE FUNCTION ${schema}.nap()`);
    const patient = createDatabase<Schema>({ ...options, statementTimeoutMs: 60_000 });
    const cut = withTransaction(patient, async ({ client }) => execute(client, insert(6n)));
    const outcome = cut.catch((error: unknown) => error);
    await vi.waitFor(async () => {
      const { rowCount } = await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = $1 AND query = 'COMMIT' AND wait_event = 'PgSleep'`,
        [schema],
      );
      expect(rowCount).toBe(1);
    }, 10_000);
    expect(await outcome).toMatchObject({ code: "commit-unknown", retryable: false });
    await patient.close();
  });

  it("runs a transaction again that lost against a concurrent one", async () => {
    await execute(database.pool, insert(7n));
    const spend = () =>
      withTransaction(
        database,
        async ({ client, db }) => {
          const row = await db
            .selectFrom("account")
            .select("balance")
            .where("id", "=", 7n)
            .executeTakeFirstOrThrow();
          if (row.balance < 100n) return false;
          const text = "UPDATE account SET balance = balance - 100 WHERE id = 7";
          return (await execute(client, { name: "spend", text, values: [] })) === 1;
        },
        { isolation: "serializable", attempts: 20 },
      );
    const spent = await Promise.all(Array.from({ length: 8 }, spend));
    expect(spent.filter(Boolean)).toHaveLength(1);
  });

  it("keeps the pool usable after all of this", async () => {
    await Promise.all(Array.from({ length: 20 }, () => database.ping()));
    expect(database.pool.waitingCount).toBe(0);
    expect((await sql`SELECT 1`.execute(database.db)).rows).toHaveLength(1);
  });
});
