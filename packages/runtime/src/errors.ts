// The two kinds of thrown errors. An OperationalError is the world's fault (a peer, a disk, a
// deadline) and says whether trying again can help; an InvariantError is ours and stops the process.
// Refusals are neither: they are data.

/** A failure of something outside this process; `retryable` says whether a repeat can help. */
export class OperationalError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  /** `code` is a stable kebab-case word that callers may branch on; the message is for people. */
  constructor(code: string, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "OperationalError";
    this.code = code;
    this.retryable = options.retryable;
  }
}

/** A broken invariant: a bug in this program, never bad input. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InvariantError";
  }
}

/**
 * Throws an InvariantError unless `condition` holds.
 * @example invariant(results.length === items.length, "one result for each item");
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
