// What can go wrong between us and Kafka. `code` is the contract; messages are for people.

export type MessagingErrorCode =
  /** Certainly not stored. */
  | "failed"
  /** May or may not be stored, wholly or in part: look it up by id, then decide. */
  | "unknown-outcome"
  /** Too much is waiting to be sent already: shed load. Not stored. */
  | "queue-full"
  /** The producer or consumer was stopped. Not stored. */
  | "closed"
  /** The broker cannot be reached or does not answer in time. */
  | "unavailable"
  /** The stored position is no longer (or not yet) in the topic: records are missing. */
  | "offset-lost"
  /** The handler of a batch threw: see `cause`. */
  | "handler-failed"
  /** A topic is not as it must be: several partitions, or unknown. */
  | "bad-topic";

const RETRYABLE: Readonly<Record<MessagingErrorCode, boolean>> = {
  failed: true,
  "unknown-outcome": false,
  "queue-full": true,
  closed: false,
  unavailable: true,
  "offset-lost": false,
  "handler-failed": true,
  "bad-topic": false,
};

export class MessagingError extends Error {
  override readonly name = "MessagingError";
  readonly code: MessagingErrorCode;
  /** Is it safe and sensible to try again as it is? */
  readonly retryable: boolean;

  constructor(code: MessagingErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = RETRYABLE[code];
  }
}

/** The text of anything thrown, for the message of the error that wraps it. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
