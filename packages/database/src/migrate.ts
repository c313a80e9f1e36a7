// Brings one service's schema up to date: forward only, each file in a transaction of its own together
// with its row in `schema_migrations`, all under one advisory lock so that two runners take turns. A
// file that was applied must never change: its SHA-256 is kept and compared.
import { readFileSync } from "node:fs";
import pg from "pg";
import { DatabaseError, translatePgError } from "./database-error.ts";
import { readMigrations, type Migration } from "./migration-files.ts";
import { ensureRole } from "./role.ts";

export type MigrationOptions = {
  /** Of a role that may create schemas and roles. */
  readonly adminUrl: string;
  /** Made if it is not there. */
  readonly schema: string;
  /** The service's login role, made if it is not there; `{{role}}` in the SQL. */
  readonly role?: { readonly name: string; readonly passwordFile: string };
  readonly folder: string;
  /** Told of each migration that is applied. Default: nobody. */
  readonly log?: (line: string) => void;
};

/** Any constant; the same for all runners of this system. */
const LOCK_KEY = "7310214398127";
const LOCK_WAIT = "60s";
const STATEMENT_LIMIT = "10min";

/**
 * Applies what is new and answers with the names of those files. Throws `bad-migration` when an applied
 * file changed or is gone, else `DatabaseError` of the statement that failed; earlier files stay.
 */
export async function runMigrations(options: MigrationOptions): Promise<string[]> {
  checkName(options.schema);
  if (options.role) checkName(options.role.name);
  const migrations = readMigrations(options.folder);
  const client = new pg.Client({
    connectionString: options.adminUrl,
    application_name: `migrations ${options.schema}`,
    connectionTimeoutMillis: 10_000,
  });
  client.on("error", () => undefined); // the statement at hand fails too, and says so
  try {
    await client.connect();
    await client.query(
      `SET lock_timeout = '${LOCK_WAIT}'; SET statement_timeout = '${STATEMENT_LIMIT}'`,
    );
    await client.query(`SELECT pg_advisory_lock(${LOCK_KEY})`);
    return await migrateLocked(client, options, migrations);
  } catch (error) {
    throw translatePgError(error);
  } finally {
    await client.end(); // gives the lock back
  }
}

/** Names go into SQL as they are, so they are plain ones. */
function checkName(name: string): void {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return;
  throw new DatabaseError("bad-migration", `"${name}" is not a plain lower-case SQL name`);
}

async function migrateLocked(
  client: pg.Client,
  options: MigrationOptions,
  migrations: readonly Migration[],
): Promise<string[]> {
  const { schema, role, log } = options;
  await prepare(client, options);
  if (await hasNoTables(client, schema)) await clearRest(client, schema);
  const applied = await readApplied(client, schema);
  checkApplied(applied, migrations);
  const fresh = migrations.slice(applied.length);
  for (const migration of fresh) {
    await applyOne(client, migration, schema, role?.name);
    log?.(`${schema}: applied ${migration.name}`);
  }
  return fresh.map(({ name }) => name);
}

async function prepare(client: pg.Client, { schema, role }: MigrationOptions): Promise<void> {
  await client.query("BEGIN");
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await client.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.schema_migrations (
      number integer PRIMARY KEY,
      name text NOT NULL,
      sha256 text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
  if (role) {
    await ensureRole(client, role.name, readFileSync(role.passwordFile, "utf8").trim());
    await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role.name}`);
    await client.query(`ALTER ROLE ${role.name} SET search_path = ${schema}`);
  }
  await client.query("COMMIT");
}

/** Besides our own: a fresh schema, or one of which somebody has dropped every table. */
async function hasNoTables(client: pg.Client, schema: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
      AND relname <> 'schema_migrations' LIMIT 1`,
    [schema],
  );
  return rowCount === 0;
}

/** Functions outlive their tables, and so may what says that they were made: neither means anything now. */
async function clearRest(client: pg.Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ routine: string }>(
    `SELECT p.oid::regprocedure::text AS routine FROM pg_proc p
      WHERE p.pronamespace = $1::regnamespace AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')`,
    [schema],
  );
  await client.query("BEGIN");
  for (const { routine } of rows) await client.query(`DROP ROUTINE ${routine}`);
  await client.query(`DELETE FROM ${schema}.schema_migrations`);
  await client.query("COMMIT");
}

type Applied = { readonly number: number; readonly name: string; readonly sha256: string };

async function readApplied(client: pg.Client, schema: string): Promise<Applied[]> {
  const text = `SELECT number, name, sha256 FROM ${schema}.schema_migrations ORDER BY number`;
  return (await client.query<Applied>(text)).rows;
}

function checkApplied(applied: readonly Applied[], migrations: readonly Migration[]): void {
  applied.forEach((row, index) => {
    const file = migrations[index];
    if (file?.number === row.number && file.sha256 === row.sha256) return;
    const fault = file === undefined ? "is not in the folder" : "changed after it was applied";
    throw new DatabaseError("bad-migration", `${row.name} ${fault}: add a new migration instead`);
  });
}

async function applyOne(
  client: pg.Client,
  { number, name, sha256, sql }: Migration,
  schema: string,
  role: string | undefined,
): Promise<void> {
  const text = fillIn(sql, name, { schema, role });
  await client.query("BEGIN");
  try {
    await client.query(`SET LOCAL search_path = ${schema}`);
    await client.query(text);
    await client.query(
      `INSERT INTO ${schema}.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)`,
      [number, name, sha256],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    if (error instanceof Error) error.message = `${name}: ${error.message}`;
    throw error;
  }
}

/** Replaces `{{schema}}` and `{{role}}`; any other placeholder, or a role nobody named, is a fault. */
function fillIn(sql: string, file: string, names: Record<string, string | undefined>): string {
  return sql.replaceAll(/\{\{(\w+)\}\}/g, (placeholder, key: string) => {
    const value = names[key];
    if (value !== undefined) return value;
    throw new DatabaseError("bad-migration", `${file}: nothing to put in for ${placeholder}`);
  });
}
