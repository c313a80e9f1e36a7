// What an error of a produce request means: is it certain that nothing was stored, and is another try
// of use? By the protocol's error type, never by message text. What is not listed is an unknown outcome
// and is tried again.

/** Refused before anything was appended to the log. */
const NOT_STORED: ReadonlySet<string> = new Set([
  "CLUSTER_AUTHORIZATION_FAILED",
  "CORRUPT_MESSAGE",
  "INVALID_RECORD",
  "INVALID_REQUIRED_ACKS",
  "INVALID_TOPIC_EXCEPTION",
  "LEADER_NOT_AVAILABLE",
  "MESSAGE_TOO_LARGE",
  "NOT_ENOUGH_REPLICAS",
  "NOT_LEADER_FOR_PARTITION",
  "POLICY_VIOLATION",
  "RECORD_LIST_TOO_LARGE",
  "TOPIC_AUTHORIZATION_FAILED",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNSUPPORTED_VERSION",
]);

/** Trying the same bytes again gives the same refusal. */
const HOPELESS: ReadonlySet<string> = new Set([
  "CLUSTER_AUTHORIZATION_FAILED",
  "INVALID_RECORD",
  "INVALID_REQUIRED_ACKS",
  "INVALID_TOPIC_EXCEPTION",
  "MESSAGE_TOO_LARGE",
  "POLICY_VIOLATION",
  "RECORD_LIST_TOO_LARGE",
  "TOPIC_AUTHORIZATION_FAILED",
  "UNSUPPORTED_VERSION",
]);

/** A topic that was just made may be unknown for a moment; after this many tries it does not exist. */
const UNKNOWN_TOPIC_TRIES = 6;

/** True when the broker answered that it appended nothing. */
export function isCertainlyNotStored(fault: unknown): boolean {
  return NOT_STORED.has(typeOf(fault));
}

/** False when the next attempt cannot do better. `attempt` counts from 0. */
export function isWorthRetrying(fault: unknown, attempt: number): boolean {
  const type = typeOf(fault);
  if (type === "UNKNOWN_TOPIC_OR_PARTITION") return attempt + 1 < UNKNOWN_TOPIC_TRIES;
  return !HOPELESS.has(type);
}

/** The protocol's name of an error that kafkajs threw, looked for below its wrappers too. */
function typeOf(fault: unknown): string {
  if (typeof fault !== "object" || fault === null) return "";
  const { type, cause } = fault as { type?: unknown; cause?: unknown };
  return typeof type === "string" ? type : typeOf(cause);
}
