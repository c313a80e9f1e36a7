// Postgres for the services: a pool with deadlines, transactions with three outcomes, migrations. The
// only room that imports pg and kysely.
export { createDatabase, type Database, type DatabaseOptions } from "./database.ts";
export {
  DatabaseError,
  isDatabaseError,
  translatePgError,
  type DatabaseErrorCode,
} from "./database-error.ts";
export { runMigrations, type MigrationOptions } from "./migrate.ts";
export { execute, query, type PreparedQuery } from "./query.ts";
export { withTransaction, type Transaction, type TransactionOptions } from "./transaction.ts";
// Services write queries and types with these, and import neither library themselves.
export {
  sql,
  type ColumnType,
  type Generated,
  type Insertable,
  type Kysely,
  type Selectable,
} from "kysely";
export type { Pool, PoolClient } from "pg";
export { openServiceDatabase, type ServiceDatabaseOptions, type Sql } from "./service-database.ts";
export { pgArray } from "./pg-array.ts";
