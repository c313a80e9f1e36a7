// The SDK of a wallet provider's core: everything that an adapter's API offers, over global fetch.
// Amounts stay decimal strings. Whatever sends money takes an idempotency key from the caller, so
// that a core that crashed can repeat the same call and nothing is sent twice.
import { makeAdapterHttp, type AdapterOptions } from "./adapter-http.ts";
import { AdapterRefusal, AdapterUnavailable } from "./adapter-error.ts";
import type {
  BulkAnswer,
  BulkLine,
  Quote,
  QuoteRequest,
  RecallRequest,
  ReturnRequest,
  Transfer,
  TransferRequest,
} from "./adapter-types.ts";
import { sendBulk, type BulkOptions } from "./bulk.ts";
import { eventData } from "./stream-lines.ts";

export type WaitOptions = {
  /** Answer when the transfer is final, or after so many seconds, at most 30. */
  readonly waitSeconds?: number;
  readonly signal?: AbortSignal;
};

export type AdapterClient = {
  quote(request: QuoteRequest, options?: { readonly signal?: AbortSignal }): Promise<Quote>;
  /**
   * Sends a transfer; without `waitSeconds` it answers when it is accepted, and nothing is final.
   * @throws AdapterRefusal, AdapterUnavailable (perhaps accepted: repeat it with the same key)
   */
  send(
    request: TransferRequest,
    options: WaitOptions & { readonly idempotencyKey: string },
  ): Promise<Transfer>;
  /** How a transfer stands. A refusal `transfer-unknown` is no answer about its outcome. */
  get(transferId: string, options?: WaitOptions): Promise<Transfer>;
  /**
   * Takes a transfer back: at once while it is not committed (also one whose outcome is unknown). What was
   * committed and not paid out is recalled, and the recall is answered: it ends credited or rejected.
   * @throws AdapterRefusal `not-cancellable`: it was paid out
   */
  cancel(
    transferId: string,
    options?: WaitOptions & { readonly reason?: string },
  ): Promise<Transfer>;
  /**
   * Gives a transfer to this side back, all or part. The answer is the return, a transfer of its own.
   * @throws AdapterRefusal, AdapterUnavailable (perhaps accepted: repeat it with the same key)
   */
  giveBack(
    transferId: string,
    request: ReturnRequest,
    options: WaitOptions & { readonly idempotencyKey: string },
  ): Promise<Transfer>;
  /** Asks for a transfer of this side back. The answer is the recall, which ends credited or rejected. */
  recall(
    transferId: string,
    request: RecallRequest,
    options: WaitOptions & { readonly idempotencyKey: string },
  ): Promise<Transfer>;
  /** Says no to the recall of this transfer that is open; a yes is a return with its `recallId`. */
  refuseRecall(
    transferId: string,
    reason: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<void>;
  /**
   * The receipt, a C2SP tlog-proof: sealed when it is (`waitSeconds` waits for that), else logged, with
   * the log's own signature alone. @throws AdapterRefusal `receipt-not-ready`
   */
  receipt(transferId: string, options?: WaitOptions): Promise<string>;
  /**
   * What the commitments of a transfer open to, as far as this provider can read it: personal data.
   * None where there is nothing, or the person was erased.
   */
  disclosures(transferId: string, options?: WaitOptions): Promise<readonly Opening[]>;
  /** Has the provider sign how its own chain stands, and waits until that is sealed. */
  state(options?: WaitOptions): Promise<void>;
  bulk(
    lines: AsyncIterable<BulkLine> | Iterable<BulkLine>,
    options?: BulkOptions,
  ): AsyncGenerator<BulkAnswer>;
  /**
   * Every change of a transfer of this side. Resolves when the stream is open; ends when the signal
   * aborts or the connection breaks. What happened meanwhile is not told again: `get` it.
   */
  events(options?: { readonly signal?: AbortSignal }): Promise<AsyncGenerator<Transfer>>;
};

/** One field of a transfer's personal data: base64 of `salt32 ‖ value`, the bytes that were hashed. */
export type Opening = { readonly field: string; readonly opening: string };

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AdapterUnavailable("answer-invalid", "the answer is not JSON", cause);
  }
};

/** @throws AdapterUnavailable `answer-invalid` */
export const transferFrom = (text: string): Transfer => {
  const value = parse(text) as Partial<Transfer> | null;
  if (typeof value?.transferId === "string" && typeof value.status === "string") {
    return value as Transfer;
  }
  throw new AdapterUnavailable("answer-invalid", "the answer is not a transfer");
};

const openingsFrom = (text: string): readonly Opening[] => {
  const value = parse(text) as { readonly disclosures?: unknown } | null;
  const list = Array.isArray(value?.disclosures) ? (value.disclosures as Partial<Opening>[]) : [];
  return list.map((one) => {
    const { field, opening } = one ?? {};
    if (typeof field === "string" && typeof opening === "string") return { field, opening };
    throw new AdapterUnavailable("answer-invalid", "the answer has no disclosures");
  });
};

async function* changes(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Transfer> {
  try {
    for await (const data of eventData(stream)) yield transferFrom(data);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/**
 * A client for one adapter.
 * @example
 * const adapter = adapterClient({ baseUrl: "http://127.0.0.1:8081", token });
 * const transfer = await adapter.send(request, { idempotencyKey: order.id, waitSeconds: 10 });
 */
export const adapterClient = (options: AdapterOptions): AdapterClient => {
  const http = makeAdapterHttp(options);
  const path = (transferId: string): string => `/v1/transfers/${encodeURIComponent(transferId)}`;
  const linked = async (
    to: string,
    request: object,
    { idempotencyKey, waitSeconds, signal }: WaitOptions & { readonly idempotencyKey: string },
  ): Promise<Transfer> => {
    const headers = { "Idempotency-Key": idempotencyKey };
    const body = JSON.stringify(request);
    return transferFrom(
      await http.text(to, { method: "POST", body, headers, waitSeconds, signal }),
    );
  };
  return {
    quote: async (request, { signal } = {}) => {
      const body = JSON.stringify(request);
      return parse(await http.text("/v1/quotes", { method: "POST", body, signal })) as Quote;
    },
    send: async (request, { idempotencyKey, waitSeconds, signal }) => {
      const headers = { "Idempotency-Key": idempotencyKey };
      const body = JSON.stringify(request);
      return transferFrom(
        await http.text("/v1/transfers", { method: "POST", body, headers, waitSeconds, signal }),
      );
    },
    get: async (id, { waitSeconds, signal } = {}) =>
      transferFrom(await http.text(path(id), { method: "GET", waitSeconds, signal })),
    cancel: async (id, { reason, waitSeconds, signal } = {}) => {
      const body = JSON.stringify(reason === undefined ? {} : { reason });
      const init = { method: "POST", body, waitSeconds, signal } as const;
      return transferFrom(await http.text(`${path(id)}/cancel`, init));
    },
    giveBack: (id, request, waiting) => linked(`${path(id)}/returns`, request, waiting),
    recall: (id, request, waiting) => linked(`${path(id)}/recalls`, request, waiting),
    refuseRecall: async (id, reason, { signal } = {}) => {
      const body = JSON.stringify({ reason });
      await http.text(`${path(id)}/recalls/refusal`, { method: "POST", body, signal });
    },
    receipt: (id, { waitSeconds, signal } = {}) =>
      http.text(`${path(id)}/receipt`, { method: "GET", waitSeconds, signal }),
    disclosures: async (id, { signal } = {}) => {
      try {
        return openingsFrom(await http.text(`${path(id)}/disclosures`, { method: "GET", signal }));
      } catch (error) {
        if (error instanceof AdapterRefusal && error.code === "disclosure-unknown") return [];
        throw error;
      }
    },
    state: async ({ waitSeconds, signal } = {}) => {
      await http.text("/v1/statements", { method: "POST", waitSeconds, signal });
    },
    bulk: (lines, bulkOptions) => sendBulk(http, lines, bulkOptions),
    events: async ({ signal } = {}) =>
      changes(await http.stream("/v1/events", { method: "GET", signal }), signal),
  };
};
