/**
 * What this package throws: a caller broke a precondition (a negative amount, a rate that is no
 * rate). Input from outside is judged by the parsers, which answer with data instead.
 */

/** Which precondition was broken. */
export type MoneyErrorCode =
  | "amount-negative"
  | "basis-points-malformed"
  | "rate-malformed"
  | "rate-out-of-range"
  | "weights-malformed";

/** A broken precondition, with a stable code. Never retryable. */
export class MoneyError extends Error {
  readonly code: MoneyErrorCode;
  readonly retryable = false;

  constructor(code: MoneyErrorCode, message: string) {
    super(message);
    this.name = "MoneyError";
    this.code = code;
  }
}
