// A service's own database, from the settings that every service has: its role, its schema, deadlines.
// `Sql` is what stores ask for: one call for a statement, named when it should be prepared once. A service
// that starts before its server, or while that one is slow, waits for it: nobody starts it a second time.
import { setTimeout as delay } from "node:timers/promises";
import { createDatabase, type Database } from "./database.ts";
import { DatabaseError, translatePgError } from "./database-error.ts";

/** int8 comes as bigint, numeric and date as text, bytea as Buffer. */
export type Sql = {
  query<Row>(statement: {
    readonly name?: string;
    readonly text: string;
    readonly values?: readonly unknown[];
  }): Promise<{ readonly rows: Row[]; readonly rowCount: number | null }>;
};

export type ServiceDatabaseOptions = {
  readonly url: string;
  readonly user: string;
  /** Without it the URL's own user and password are used. */
  readonly passwordFile: string | undefined;
  readonly schema: string;
  readonly applicationName: string;
  readonly poolSize: number;
  /** A connection was lost, or could not be made while the server is waited for. */
  readonly onConnectionLost: (error: unknown) => void;
  /** The first statement waits until the server has been reached once; else it fails like any other. */
  readonly waitForServer?: boolean;
};

const longestWaitMs = 2_000;

/** Resolves when the server has answered. @throws DatabaseError when waiting changes nothing */
const reach = async <Schema>(
  { ping }: Database<Schema>,
  onFailure: (error: unknown) => void,
): Promise<void> => {
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      await ping();
      return;
    } catch (error) {
      if (!(error instanceof DatabaseError && error.retryable)) throw error;
      onFailure(error);
      await delay(waitMs);
    }
  }
};

/** Statements over a pool; throws `DatabaseError`. */
const sqlOver = <Schema>(
  { pool }: Database<Schema>,
  reached: (() => Promise<void>) | undefined,
): Sql => ({
  query: async <Row>({ name, text, values = [] }: Parameters<Sql["query"]>[0]) => {
    if (reached !== undefined) await reached();
    try {
      const statement = name === undefined ? { text } : { name, text };
      const { rows, rowCount } = await pool.query({ ...statement, values: [...values] });
      return { rows: rows as Row[], rowCount };
    } catch (error) {
      throw translatePgError(error);
    }
  },
});

/** Nothing is connected before it is used. */
export const openServiceDatabase = (
  options: ServiceDatabaseOptions,
): { readonly database: Database<unknown>; readonly sql: Sql } => {
  const { url, user, passwordFile, schema, applicationName, poolSize, onConnectionLost } = options;
  const database = createDatabase<unknown>({
    url,
    ...(passwordFile === undefined ? {} : { user, passwordFile }),
    applicationName,
    poolSize,
    schema,
    statementTimeoutMs: 10_000,
    onConnectionLost,
  });
  if (options.waitForServer !== true) return { database, sql: sqlOver(database, undefined) };
  let reaching: Promise<void> | undefined;
  const reached = (): Promise<void> => (reaching ??= reach(database, onConnectionLost));
  return { database, sql: sqlOver(database, reached) };
};
