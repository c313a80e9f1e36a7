// A transaction ends in one of three ways, and the caller can tell them apart: it returned (committed);
// it threw (rolled back: nothing is stored); it threw `commit-unknown` (the connection was lost while
// the server was committing: look it up by id, then decide).
import { setTimeout as delay } from "node:timers/promises";
import { Kysely, PostgresDialect, type PostgresPoolClient } from "kysely";
import type { PoolClient } from "pg";
import type { Database } from "./database.ts";
import { DatabaseError, isCertainlyUndone, translatePgError } from "./database-error.ts";

export type Transaction<Schema> = {
  /** For the hot path, with `query`. */
  readonly client: PoolClient;
  /** Kysely on this transaction's connection. */
  readonly db: Kysely<Schema>;
};

export type TransactionOptions = {
  /** Default "read committed". */
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
  readonly readOnly?: boolean;
  /** How often to begin it, in all, while it fails with `serialization` or `deadlock`. Default 1. */
  readonly attempts?: number;
};

const ROLLBACK_MS = 1_000;

/**
 * Runs `work` in a transaction and commits. `work` must do nothing but database work if `attempts` is
 * more than 1: it is run again from its beginning. Throws `DatabaseError`, or what `work` threw.
 *
 * @example
 * await withTransaction(database, async ({ client }) => {
 *   await query(client, { name: "lane-save", text: "UPDATE …", values: [epoch] });
 * });
 */
export async function withTransaction<Schema, T>(
  database: Pick<Database<Schema>, "pool" | "db">,
  work: (transaction: Transaction<Schema>) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const { attempts = 1 } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(database, work, options);
    } catch (error) {
      if (attempt >= attempts || !isConflict(error)) throw error;
      await delay(Math.random() * Math.min(200, 5 * 2 ** attempt));
    }
  }
}

function isConflict(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false;
  return error.code === "serialization" || error.code === "deadlock";
}

async function runOnce<Schema, T>(
  { pool }: Pick<Database<Schema>, "pool" | "db">,
  work: (transaction: Transaction<Schema>) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const client = await connect(pool);
  let broken = true; // until the connection is known to be outside a transaction again
  try {
    await client.query(beginStatement(options));
    const result = await work(transactionOn<Schema>(client));
    await commit(client);
    broken = false;
    return result;
  } catch (error) {
    if (!isUnknown(error)) broken = !(await rolledBack(client));
    throw translatePgError(error);
  } finally {
    client.release(broken);
  }
}

async function connect(pool: Database<unknown>["pool"]): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw translatePgError(error);
  }
}

function beginStatement({ isolation = "read committed", readOnly = false }: TransactionOptions) {
  return `BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}${readOnly ? " READ ONLY" : ""}`;
}

async function commit(client: PoolClient): Promise<void> {
  let command: string;
  try {
    ({ command } = await client.query("COMMIT"));
  } catch (error) {
    if (isCertainlyUndone(error)) throw error;
    throw new DatabaseError("commit-unknown", "the connection was lost during COMMIT", {
      cause: error,
    });
  }
  if (command === "COMMIT") return;
  const message = "COMMIT was answered with ROLLBACK: a statement had failed and was not rethrown";
  throw new DatabaseError("rolled-back", message);
}

function isUnknown(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === "commit-unknown";
}

/** False when the connection cannot even roll back: the server does it when the connection ends. */
async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    const rollback = { text: "ROLLBACK", query_timeout: ROLLBACK_MS };
    await client.query(rollback);
    return true;
  } catch {
    return false;
  }
}

/** `db` is made when it is first used: hot paths need only the client. */
function transactionOn<Schema>(client: PoolClient): Transaction<Schema> {
  let db: Kysely<Schema> | undefined;
  return {
    client,
    get db() {
      return (db ??= new Kysely<Schema>({ dialect: singleConnectionDialect(client) }));
    },
  };
}

/** A "pool" of this one connection, which is neither given back nor ended by Kysely. */
function singleConnectionDialect(client: PoolClient): PostgresDialect {
  const shared: PostgresPoolClient = {
    query: client.query.bind(client),
    release: () => undefined,
  };
  return new PostgresDialect({
    pool: { connect: async () => shared, end: async () => undefined, options: {} },
  });
}
