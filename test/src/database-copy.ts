// A copy of one service's tables as they are at a moment, and that copy put back later: what happens when
// somebody restores an old backup. Done by the superuser, whom no trigger stops.
import { createDatabase } from "@sealane/database";
import { eventually } from "./eventually.ts";
import type { WholeSystem } from "./whole-system.ts";

type Client = { query(text: string): Promise<{ rows: { name: string }[] }> };

const withAdmin = async (
  system: WholeSystem,
  work: (client: Client) => Promise<void>,
): Promise<void> => {
  const { pool, close } = createDatabase({
    url: system.stack.databaseUrl,
    applicationName: "test-copy",
    poolSize: 1,
    schema: "public",
    statementTimeoutMs: 30_000,
  });
  const client = await pool.connect();
  try {
    await client.query("begin isolation level repeatable read");
    await work(client);
    await client.query("commit");
  } finally {
    client.release();
    await close();
  }
};

const tablesOf = async (client: Client, schema: string): Promise<string[]> => {
  const { rows } = await client.query(
    `select tablename as name from pg_tables where schemaname = '${schema}' order by 1`,
  );
  return rows.map(({ name }) => name);
};

/** Copies every table of a schema, all of one moment. */
export const copySchema = (system: WholeSystem, schema: string): Promise<void> =>
  withAdmin(system, async (client) => {
    await client.query(`drop schema if exists ${schema}_copy cascade`);
    await client.query(`create schema ${schema}_copy`);
    for (const table of await tablesOf(client, schema)) {
      await client.query(`create table ${schema}_copy.${table} as table ${schema}.${table}`);
    }
  });

/** Puts the copy back, in the place of everything that came after it. */
export const restoreSchema = (system: WholeSystem, schema: string): Promise<void> =>
  withAdmin(system, async (client) => {
    const tables = await tablesOf(client, schema);
    await client.query("set local session_replication_role = replica");
    await client.query(`truncate ${tables.map((table) => `${schema}.${table}`).join(", ")}`);
    for (const table of tables) {
      await client.query(`insert into ${schema}.${table} table ${schema}_copy.${table}`);
    }
  });

/** Puts back one lane of the copy: of every table that has lanes, the rows that are its own. */
const tryToRestoreLane = (system: WholeSystem, schema: string, lane: number): Promise<void> =>
  withAdmin(system, async (client) => {
    const { rows } = await client.query(
      `select table_name as name from information_schema.columns
        where table_schema = '${schema}' and column_name = 'lane' order by 1`,
    );
    await client.query("set local session_replication_role = replica");
    for (const { name } of rows) {
      await client.query(`delete from ${schema}.${name} where lane = ${lane}`);
      await client.query(
        `insert into ${schema}.${name} select * from ${schema}_copy.${name} where lane = ${lane}`,
      );
    }
  });

/** The same under a running system: whoever writes meanwhile makes this one begin again. */
export const restoreLane = async (
  system: WholeSystem,
  schema: string,
  lane: number,
): Promise<void> => {
  await eventually(`lane ${lane} is put back`, async () => {
    await tryToRestoreLane(system, schema, lane);
    return true;
  });
};

/** One statement as the superuser, with triggers off: what no service may do. */
export const tamper = (system: WholeSystem, statement: string): Promise<void> =>
  withAdmin(system, async (client) => {
    await client.query("set local session_replication_role = replica");
    await client.query(statement);
  });

/** Drops every table of a schema, what was migrated included. */
export const dropTables = (system: WholeSystem, schema: string): Promise<void> =>
  withAdmin(system, async (client) => {
    const tables = await tablesOf(client, schema);
    await client.query(`drop table ${tables.map((table) => `${schema}.${table}`).join(", ")}`);
  });

/** Tables of which some row is not in the copy, or the other way round; columns left out are not compared. */
export const differencesFromCopy = async (
  system: WholeSystem,
  schema: string,
  without: readonly string[] = [],
): Promise<string[]> => {
  const differing: string[] = [];
  await withAdmin(system, async (client) => {
    const rows = (of: string): string => {
      const kept = without.map((column) => ` - '${column}'`).join("");
      return `select (to_jsonb(t)${kept})::text from ${of} t`;
    };
    for (const table of await tablesOf(client, schema)) {
      const [own, copy] = [rows(`${schema}.${table}`), rows(`${schema}_copy.${table}`)];
      const { rows: found } = await client.query(
        `(${own} except all ${copy}) union all (${copy} except all ${own}) limit 1`,
      );
      if (found.length > 0) differing.push(table);
    }
  });
  return differing;
};
