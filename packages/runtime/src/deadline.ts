// Every external call has a deadline, and a call that ran into it has an *unknown* outcome: the other
// side may have done the work. `failed` is said only when the request surely had no effect, or was
// answered with an error; who gets `unknown` looks the outcome up by id, and never assumes.

/** What became of a call: done, surely not done, or nobody knows yet. */
export type DeadlineOutcome<T> =
  | { readonly outcome: "ok"; readonly value: T }
  | { readonly outcome: "failed"; readonly error: Error }
  | { readonly outcome: "unknown"; readonly error: Error };

/** Connections that broke while a request may have been under way. */
const UNKNOWN_CODES = new Set([
  "ABORT_ERR",
  "ECONNABORTED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_ABORTED",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_SOCKET",
]);

/**
 * Runs `work` with a signal that aborts after `ms`, and never waits longer, even if `work` ignores
 * the signal. An error whose property `sent` is false (nothing left this process) is `failed`
 * whatever its kind; an abort, the deadline itself and a broken connection are `unknown`.
 */
export async function withDeadline<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<DeadlineOutcome<T>> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new DOMException(`no answer within ${ms} ms`, "TimeoutError");
      reject(error);
      controller.abort(error);
    }, ms);
  });
  try {
    return { outcome: "ok", value: await Promise.race([work(controller.signal), late]) };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    return { outcome: isUnknown(error) ? "unknown" : "failed", error };
  } finally {
    clearTimeout(timer);
  }
}

function isUnknown(error: Error): boolean {
  const { sent, code, cause } = error as Error & { sent?: unknown; code?: unknown };
  if (sent === false) return false;
  if (error.name === "AbortError" || error.name === "TimeoutError") return true;
  if (typeof code === "string" && UNKNOWN_CODES.has(code)) return true;
  return cause instanceof Error && isUnknown(cause);
}
