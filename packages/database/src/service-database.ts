// A service's own database, from the settings that every service has: its role, its schema, deadlines.
// `Sql` is what stores ask for: one call for a statement, named when it should be prepared once.
import { createDatabase, type Database } from "./database.ts";
import { translatePgError } from "./database-error.ts";

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
  readonly onConnectionLost: (error: unknown) => void;
};

/** Statements over a pool; throws `DatabaseError`. */
const sqlOver = <Schema>({ pool }: Database<Schema>): Sql => ({
  query: async <Row>({ name, text, values = [] }: Parameters<Sql["query"]>[0]) => {
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
  return { database, sql: sqlOver(database) };
};
