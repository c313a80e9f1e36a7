// The fast path: a statement that Postgres parses and plans once per connection, by its name.
import type { ClientBase, Pool, QueryResultRow } from "pg";
import { translatePgError } from "./database-error.ts";

export type PreparedQuery = {
  /** Unique for its text within a service: pg refuses another text under the same name. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
};

/** Runs a prepared statement and answers with its rows. Throws `DatabaseError`. */
export async function query<Row extends QueryResultRow>(
  client: ClientBase | Pool,
  { name, text, values }: PreparedQuery,
): Promise<Row[]> {
  return (await run<Row>(client, { name, text, values })).rows;
}

/** The same for statements without rows: how many rows they changed. */
export async function execute(client: ClientBase | Pool, prepared: PreparedQuery): Promise<number> {
  return (await run(client, prepared)).rowCount ?? 0;
}

async function run<Row extends QueryResultRow>(client: ClientBase | Pool, prepared: PreparedQuery) {
  try {
    return await client.query<Row>({ ...prepared, values: [...prepared.values] });
  } catch (error) {
    throw translatePgError(error);
  }
}
