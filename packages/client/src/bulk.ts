// Many transfers over NDJSON, in requests of a few hundred lines. A line that was not answered, or
// answered with "not now", is sent again under its own key; each line is answered once.
import { AdapterRefusal, AdapterUnavailable } from "./adapter-error.ts";
import type { AdapterHttp } from "./adapter-http.ts";
import type { BulkAnswer, BulkLine, Transfer } from "./adapter-types.ts";
import { waitBeforeRetry } from "./retry.ts";
import { linesOf } from "./stream-lines.ts";

export type BulkOptions = {
  /** How long the adapter holds each answer back for a final outcome, at most 30 s. */
  readonly waitSeconds?: number;
  /** Lines of one request; default 200: enough to fill the lane's batches, and few to repeat. */
  readonly linesPerRequest?: number;
  readonly signal?: AbortSignal;
};

type Waiting = { readonly index: number; readonly line: BulkLine };

type WireAnswer = {
  readonly line: number;
  readonly httpStatus: number;
  readonly replayed?: boolean;
  readonly code?: string;
  readonly detail?: string;
  readonly transferId?: string;
};

/** Longest that one request takes, besides what it asks the adapter to wait. */
const spareMs = 30_000;

const answerOf = ({ index, line }: Waiting, wire: WireAnswer, sentAtMs: number): BulkAnswer => {
  const { idempotencyKey } = line;
  if (wire.httpStatus < 300 && wire.transferId !== undefined) {
    const { line: _line, httpStatus: _status, replayed = false, ...transfer } = wire;
    const known = transfer as unknown as Transfer;
    return { ok: true, index, idempotencyKey, replayed, transfer: known, sentAtMs };
  }
  const { code = "answer-invalid", detail = "", httpStatus: status } = wire;
  return { ok: false, index, idempotencyKey, code, status, detail };
};

async function* inParts(
  lines: AsyncIterable<BulkLine> | Iterable<BulkLine>,
  size: number,
): AsyncGenerator<Waiting[]> {
  let part: Waiting[] = [];
  let index = 0;
  for await (const line of lines) {
    part.push({ index, line });
    index += 1;
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

/** One request; yields what is final and leaves in `open` what has to be sent again. */
async function* sendPart(
  http: AdapterHttp,
  open: Map<number, Waiting>,
  options: BulkOptions,
): AsyncGenerator<BulkAnswer, AdapterUnavailable | undefined> {
  const part = [...open.values()];
  const body = part.map(({ line }) => `${JSON.stringify(line)}\n`).join("");
  const deadline = AbortSignal.timeout(spareMs + (options.waitSeconds ?? 0) * 1_000);
  let fault: AdapterUnavailable | undefined;
  const sentAtMs = Date.now();
  try {
    const stream = await http.stream("/v1/transfers/bulk", {
      method: "POST",
      body,
      contentType: "application/x-ndjson",
      waitSeconds: options.waitSeconds,
      signal: options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]),
    });
    for await (const text of linesOf(stream)) {
      const wire = JSON.parse(text) as WireAnswer;
      if (wire.line === 0 && wire.httpStatus < 500) {
        throw new AdapterRefusal({
          status: wire.httpStatus,
          code: wire.code ?? "",
          detail: wire.detail,
        });
      }
      const waiting = part[wire.line - 1];
      if (waiting === undefined || !open.has(waiting.index)) continue;
      if (wire.httpStatus >= 500) {
        fault = new AdapterUnavailable("adapter-not-ready", wire.detail ?? wire.code ?? "");
        continue;
      }
      open.delete(waiting.index);
      yield answerOf(waiting, wire, sentAtMs);
    }
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    if (deadline.aborted) {
      return new AdapterUnavailable(
        "adapter-timeout",
        "not all lines were answered in time",
        error,
      );
    }
    if (error instanceof AdapterUnavailable) return error;
    // Cut off in the middle: fetch throws a TypeError. What was not answered is still open.
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    return new AdapterUnavailable("adapter-unreachable", "the answer was cut off", error);
  }
  return fault ?? new AdapterUnavailable("answer-invalid", "lines were left without an answer");
}

/**
 * Sends lines and yields their answers in the order they are ready.
 * @throws AdapterRefusal when a whole request is refused; AdapterUnavailable when lines are still
 * without an answer after the last try: send the same lines, with the same keys, again
 */
export async function* sendBulk(
  http: AdapterHttp,
  lines: AsyncIterable<BulkLine> | Iterable<BulkLine>,
  options: BulkOptions = {},
): AsyncGenerator<BulkAnswer> {
  for await (const part of inParts(lines, options.linesPerRequest ?? 200)) {
    const open = new Map(part.map((waiting) => [waiting.index, waiting]));
    for (let failures = 0; open.size > 0;) {
      const before = open.size;
      const fault = yield* sendPart(http, open, options);
      if (open.size === 0) break;
      failures = open.size < before ? 1 : failures + 1;
      const waitMs = waitBeforeRetry(http.retry, failures, fault, Math.random());
      if (waitMs === undefined) throw fault as Error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}
