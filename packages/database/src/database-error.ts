// What can go wrong in Postgres, by SQLSTATE and constraint name, never by the text of a message of the
// server. https://www.postgresql.org/docs/18/errcodes-appendix.html

export type DatabaseErrorCode =
  | "unique-violation"
  | "foreign-key-violation"
  | "check-violation"
  | "not-null-violation"
  | "exclusion-violation"
  /** A concurrent transaction came in between: begin the whole transaction again. */
  | "serialization"
  | "deadlock"
  /** Another transaction holds the lock for longer than `lock_timeout`. */
  | "lock-timeout"
  /** `statement_timeout`, or no answer at all in time. */
  | "timeout"
  /** The server cannot be reached, or the connection was lost before COMMIT: nothing is stored. */
  | "connection"
  /** The connection was lost during COMMIT: stored or not, look it up. */
  | "commit-unknown"
  /** COMMIT was answered with ROLLBACK: an earlier statement had failed and was not rethrown. */
  | "rolled-back"
  | "insufficient-privilege"
  | "disk-full"
  /** A trigger or function of ours raised an exception. */
  | "raised"
  /** A migration is not as it was when it was applied, or the folder is not in order. */
  | "bad-migration";

const RETRYABLE: ReadonlySet<DatabaseErrorCode> = new Set([
  "serialization",
  "deadlock",
  "lock-timeout",
  "timeout",
  "connection",
] as const);

const BY_SQLSTATE: ReadonlyMap<string, DatabaseErrorCode> = new Map([
  ["23505", "unique-violation"],
  ["23503", "foreign-key-violation"],
  ["23514", "check-violation"],
  ["23502", "not-null-violation"],
  ["23P01", "exclusion-violation"],
  ["40001", "serialization"],
  ["40P01", "deadlock"],
  ["55P03", "lock-timeout"],
  ["57014", "timeout"],
  ["25P03", "connection"], // idle in transaction for too long: the server hung up
  ["57P01", "connection"],
  ["57P02", "connection"],
  ["57P03", "connection"],
  ["57P05", "connection"],
  ["53300", "connection"],
  ["53100", "disk-full"],
  ["42501", "insufficient-privilege"],
  ["P0001", "raised"],
] as const);

const SOCKET_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Errors of the client library pg 8 itself have no code; these are all the texts of a lost server. */
const PG_CLIENT_TEXTS: ReadonlyMap<string, DatabaseErrorCode> = new Map([
  ["Connection terminated", "connection"],
  ["Connection terminated unexpectedly", "connection"],
  ["Connection terminated due to connection timeout", "connection"],
  ["Client has encountered a connection error and is not queryable", "connection"],
  ["Client was closed and is not queryable", "connection"],
  ["timeout exceeded when trying to connect", "connection"],
  ["timeout expired", "connection"],
  ["Query read timeout", "timeout"],
] as const);

export type DatabaseErrorDetails = {
  readonly sqlState?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly cause?: unknown;
};

export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code: DatabaseErrorCode;
  /**
   * Nothing of the transaction is stored, and the same may well succeed when begun again. (Of a single
   * statement outside of `withTransaction`, `timeout` and `connection` leave open whether it ran.)
   */
  readonly retryable: boolean;
  readonly sqlState?: string;
  readonly constraint?: string;
  readonly table?: string;

  constructor(code: DatabaseErrorCode, message: string, details: DatabaseErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    if (details.sqlState !== undefined) this.sqlState = details.sqlState;
    if (details.constraint !== undefined) this.constraint = details.constraint;
    if (details.table !== undefined) this.table = details.table;
  }
}

/**
 * The `DatabaseError` of anything that pg threw. What is not listed here comes back as it is: it is a
 * bug, and belongs to whoever called.
 *
 * @example
 * try { await query(client, insert) } catch (error) { throw translatePgError(error) }
 */
export function translatePgError(error: unknown): unknown {
  if (error instanceof DatabaseError || !(error instanceof Error)) return error;
  const { code, constraint, table } = error as PgErrorFields;
  const known = codeOf(code, error.message);
  if (known === undefined) return error;
  return new DatabaseError(known, error.message, {
    ...(code !== undefined && { sqlState: code }),
    ...(constraint !== undefined && { constraint }),
    ...(table !== undefined && { table }),
    cause: error,
  });
}

type PgErrorFields = Error & { code?: string; constraint?: string; table?: string };

function codeOf(code: string | undefined, message: string): DatabaseErrorCode | undefined {
  if (code === undefined) return PG_CLIENT_TEXTS.get(message);
  if (SOCKET_CODES.has(code) || code.startsWith("08")) return "connection";
  return BY_SQLSTATE.get(code);
}

/** Did Postgres itself decide against this statement, so that its effect is certainly undone? */
export function isCertainlyUndone(error: unknown): boolean {
  const { code } = error as PgErrorFields;
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code) || SOCKET_CODES.has(code))
    return false;
  return !/^(08|57P|58|XX)/.test(code);
}

/** Is it a `DatabaseError` with this code (and, if given, of this constraint)? */
export function isDatabaseError(
  error: unknown,
  code: DatabaseErrorCode,
  constraint?: string,
): error is DatabaseError {
  if (!(error instanceof DatabaseError) || error.code !== code) return false;
  return constraint === undefined || error.constraint === constraint;
}
