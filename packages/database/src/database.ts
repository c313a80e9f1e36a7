// A pool with deadlines on everything, and Kysely over it. A lost server is an error of the statement
// at hand, never of the process: each connection has an 'error' listener for its whole life (pg takes
// its own away while a connection is checked out, and an 'error' without a listener ends a process).
import { readFileSync } from "node:fs";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { translatePgError } from "./database-error.ts";
import { typeParsers } from "./type-parsers.ts";

export type DatabaseOptions = {
  /** `postgres://user@host:port/database`; `sslmode=verify-full` and the like as libpq has them. */
  readonly url: string;
  /** Replace the URL's: a service's role, and the file that holds its password. */
  readonly user?: string;
  readonly passwordFile?: string;
  /** Shown in `pg_stat_activity` and the server's log: the service's name. */
  readonly applicationName: string;
  readonly poolSize: number;
  /** The `search_path`: the service's own schema. */
  readonly schema: string;
  readonly statementTimeoutMs: number;
  /** Default: half of the statement's. */
  readonly lockTimeoutMs?: number;
  /** Default 10,000: a transaction that its service forgot is ended by the server. */
  readonly idleInTransactionTimeoutMs?: number;
  /** Default 5,000: to get a connection from the pool, new or returned. */
  readonly connectTimeoutMs?: number;
  /** Told when an idle connection is lost. The pool replaces it. Default: nobody. */
  readonly onConnectionLost?: (error: unknown) => void;
};

export type Database<Schema> = {
  readonly db: Kysely<Schema>;
  readonly pool: pg.Pool;
  /** Waits for the connections that are in use, and ends all. */
  close(): Promise<void>;
  /** Resolves when the server answers a statement. Throws `DatabaseError`. */
  ping(): Promise<void>;
};

/** How much longer than the server's the client's own deadline is: for a server that went silent. */
const SILENCE_MS = 2_000;

/** Nothing is connected before it is used. Throws when `passwordFile` cannot be read. */
export function createDatabase<Schema>(options: DatabaseOptions): Database<Schema> {
  const pool = new pg.Pool(poolConfig(options));
  const lost = (error: unknown): void => options.onConnectionLost?.(translatePgError(error));
  pool.on("error", lost);
  pool.on("connect", (client) => client.on("error", () => undefined)); // see the header
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  let closing: Promise<void> | undefined;
  return {
    db,
    pool,
    close: () => (closing ??= pool.end()),
    ping: async () => {
      try {
        await pool.query("SELECT 1");
      } catch (error) {
        throw translatePgError(error);
      }
    },
  };
}

function poolConfig(options: DatabaseOptions): pg.PoolConfig {
  const { statementTimeoutMs, schema } = options;
  return {
    ...connectionConfig(options),
    max: options.poolSize,
    idleTimeoutMillis: 60_000,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    allowExitOnIdle: false,
    keepAlive: true,
    application_name: options.applicationName,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + SILENCE_MS,
    lock_timeout: options.lockTimeoutMs ?? Math.ceil(statementTimeoutMs / 2),
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 10_000,
    options: `-c search_path=${schema} -c timezone=UTC`,
    types: typeParsers,
  };
}

/** pg lets a connection string win over the fields beside it, so user and password go into it. */
function connectionConfig({ url, user, passwordFile }: DatabaseOptions): pg.PoolConfig {
  const target = new URL(url);
  if (user !== undefined) {
    target.username = encodeURIComponent(user);
    target.password = "";
  }
  if (passwordFile !== undefined) {
    target.password = encodeURIComponent(readFileSync(passwordFile, "utf8").trim());
  }
  return { connectionString: target.href };
}
