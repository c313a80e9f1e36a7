// The client of a provider whose adapter is hosted by the operator: the same API, but every statement is
// checked here and signed here, and the key never leaves. Prepare, check, sign, send; what does not say
// what was asked for is thrown as a StatementRefusal, and nothing was signed.
import { composeNote } from "@sealane/tlog";
import type { KeyState } from "@sealane/rules";
import { adapterClient, transferFrom, type AdapterClient } from "./adapter-client.ts";
import { AdapterRefusal, AdapterUnavailable } from "./adapter-error.ts";
import { makeAdapterHttp, type AdapterOptions, type CallInit } from "./adapter-http.ts";
import type { BulkAnswer, BulkLine, Quote, Transfer, TransferRequest } from "./adapter-types.ts";
import { checkCancellation } from "./check-cancellation.ts";
import { checkRecall, checkRefusal, checkReturn } from "./check-linked.ts";
import { checkTerms, type Preparation } from "./check-terms.ts";
import type { NoteSigner } from "./note-signer.ts";
import { StatementRefusal, type StatementFault } from "./statement-refusal.ts";

export type HostedOptions = AdapterOptions & {
  /** The provider, such as `hk-wallet.example`. */
  readonly participant: string;
  /** The lane's log, from the policy that the provider has pinned. */
  readonly origin: string;
  readonly signer: NoteSigner;
  /** The key log as the provider has checked it itself, e.g. by `watchKeyLog`. */
  readonly keys: () => KeyState;
  /** Milliseconds since 1970; default `Date.now`. */
  readonly clock?: () => number;
};

/** Quotes that are kept to hold the terms against; the oldest is forgotten first. */
const mostQuotes = 10_000;
/** An adapter that was restarted has forgotten what it prepared: prepared again, under the same key. */
const preparations = 3;
const bulkInFlight = 16;

const isPreparation = (value: unknown): value is Preparation => {
  const { statement, sheet, openings } = value as Partial<Preparation>;
  return (
    typeof statement === "string" &&
    typeof sheet === "string" &&
    typeof openings?.payer === "string" &&
    typeof openings.payee === "string" &&
    ["string", "undefined"].includes(typeof openings.reference)
  );
};

/**
 * A client for a hosted adapter.
 * @example
 * const adapter = hostedClient({ baseUrl, token, participant, origin, keys: watch.state,
 *   signer: noteSigner(readFileSync("transfer.key", "utf8")) });
 */
export const hostedClient = (options: HostedOptions): AdapterClient => {
  const { participant, origin, signer, clock = Date.now } = options;
  const plain = adapterClient(options);
  const http = makeAdapterHttp(options);
  const quotes = new Map<string, Quote>();

  const keepQuote = (quote: Quote): Quote => {
    quotes.set(quote.quoteId, quote);
    if (quotes.size > mostQuotes) quotes.delete(quotes.keys().next().value as string);
    return quote;
  };

  const signed = async (statement: string): Promise<string> =>
    composeNote(statement, [await signer.signLine(statement)]);

  const sendNote = async (path: string, note: string, init: Partial<CallInit>): Promise<Transfer> =>
    transferFrom(
      await http.text(path, { ...init, method: "POST", body: note, contentType: "text/plain" }),
    );

  type SendOptions = Parameters<AdapterClient["send"]>[1];

  type Sent = { readonly transfer: Transfer; readonly replayed: boolean };

  /** One round of prepare, check, sign, send; undefined when the adapter has forgotten what it made. */
  const attempt = async (
    request: TransferRequest,
    { idempotencyKey, waitSeconds, signal }: SendOptions,
  ): Promise<Sent | undefined> => {
    const headers = { "Idempotency-Key": idempotencyKey };
    const body = JSON.stringify(request);
    const init = { method: "POST", body, headers, waitSeconds, signal } as const;
    const answer = await http.text("/v1/transfers/prepare", init);
    const prepared: unknown = JSON.parse(answer);
    // Known under this key already: how it stands, and nothing to sign.
    if (!isPreparation(prepared)) return { transfer: transferFrom(answer), replayed: true };
    const quote = quotes.get(request.quoteId ?? "");
    const checked = checkTerms(
      {
        participant,
        origin,
        idempotencyKey,
        request,
        quote,
        keys: options.keys(),
        nowMs: clock(),
      },
      prepared,
    );
    if (!checked.ok) throw new StatementRefusal(checked);
    const note = await signed(prepared.statement);
    try {
      const { id } = checked.terms;
      const path = `/v1/transfers/${id}/signed`;
      return { transfer: await sendNote(path, note, { waitSeconds, signal }), replayed: false };
    } catch (error) {
      if (error instanceof AdapterRefusal && error.code === "statement-unknown") return undefined;
      throw error;
    }
  };

  const sendSigned = async (request: TransferRequest, sendOptions: SendOptions): Promise<Sent> => {
    for (let round = 0; round < preparations; round += 1) {
      const sent = await attempt(request, sendOptions);
      if (sent !== undefined) return sent;
    }
    throw new AdapterUnavailable("adapter-not-ready", "the adapter forgets what it has prepared");
  };

  const bulkLine = async (
    { idempotencyKey, transfer: request }: BulkLine,
    index: number,
    waitSeconds: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<BulkAnswer> => {
    const waits = waitSeconds === undefined ? {} : { waitSeconds };
    const stops = signal === undefined ? {} : { signal };
    const sentAtMs = Date.now();
    try {
      const sent = await sendSigned(request, { idempotencyKey, ...waits, ...stops });
      return { ok: true, index, idempotencyKey, sentAtMs, ...sent };
    } catch (error) {
      if (error instanceof AdapterRefusal) {
        const { code, status } = error.problem;
        return { ok: false, index, idempotencyKey, code, status, detail: error.message };
      }
      if (!(error instanceof StatementRefusal)) throw error;
      const { code, message: detail } = error;
      return { ok: false, index, idempotencyKey, code, status: 0, detail };
    }
  };

  /** Each line is prepared, checked and signed by itself, some at once, and answered when ready. */
  async function* bulk(
    lines: AsyncIterable<BulkLine> | Iterable<BulkLine>,
    { waitSeconds, signal }: { waitSeconds?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<BulkAnswer> {
    const running = new Map<number, Promise<BulkAnswer>>();
    const next = async (): Promise<BulkAnswer> => {
      const answer = await Promise.race(running.values());
      running.delete(answer.index);
      return answer;
    };
    let index = 0;
    for await (const line of lines) {
      if (running.size >= bulkInFlight) yield await next();
      const answer = bulkLine(line, index, waitSeconds, signal);
      // Awaited by a race, which hears of the first failure only.
      answer.catch(() => undefined);
      running.set(index, answer);
      index += 1;
    }
    while (running.size > 0) yield await next();
  }

  type LinkedOptions = Parameters<AdapterClient["giveBack"]>[2];
  type PreparedLinked = { readonly statement: string; readonly sheet?: string };

  /** One round of prepare, check, sign, send for a return or a recall; as `attempt`. */
  const attemptLinked = async (
    path: string,
    request: object,
    check: (prepared: PreparedLinked) => StatementFault | undefined,
    { idempotencyKey, waitSeconds, signal }: LinkedOptions,
  ): Promise<Transfer | undefined> => {
    const headers = { "Idempotency-Key": idempotencyKey };
    const body = JSON.stringify(request);
    const init = { method: "POST", body, headers, waitSeconds, signal } as const;
    const answer = await http.text(`${path}/prepare`, init);
    const { statement, sheet } = JSON.parse(answer) as Partial<PreparedLinked>;
    if (typeof statement !== "string") return transferFrom(answer);
    const wrong = check({ statement, ...(typeof sheet === "string" ? { sheet } : {}) });
    if (wrong !== undefined) throw new StatementRefusal(wrong);
    const note = await signed(statement);
    try {
      return await sendNote(`${path}/signed`, note, { waitSeconds, signal });
    } catch (error) {
      if (error instanceof AdapterRefusal && error.code === "statement-unknown") return undefined;
      throw error;
    }
  };

  const sendLinked = async (...asked: Parameters<typeof attemptLinked>): Promise<Transfer> => {
    for (let round = 0; round < preparations; round += 1) {
      const sent = await attemptLinked(...asked);
      if (sent !== undefined) return sent;
    }
    throw new AdapterUnavailable("adapter-not-ready", "the adapter forgets what it has prepared");
  };

  const pathOf = (transferId: string): string => `/v1/transfers/${encodeURIComponent(transferId)}`;

  /** It can only be recalled; of an id that is not known it can be said that it must not come. */
  const isCommitted = async (transferId: string): Promise<boolean> => {
    try {
      const { status } = await plain.get(transferId);
      return status === "committed" || status === "sealed";
    } catch (error) {
      if (error instanceof AdapterRefusal) return false;
      throw error;
    }
  };

  const client: AdapterClient = {
    ...plain,
    giveBack: (transferId, request, waiting) => {
      const { idempotencyKey } = waiting;
      const asked = { participant, origin, transferId, idempotencyKey, request };
      return sendLinked(
        `${pathOf(transferId)}/returns`,
        request,
        ({ statement, sheet }) => checkReturn({ ...asked, keys: options.keys(), sheet }, statement),
        waiting,
      );
    },
    recall: (transferId, request, waiting) => {
      const { idempotencyKey } = waiting;
      const asked = { participant, origin, transferId, idempotencyKey, request };
      const check = ({ statement }: PreparedLinked) => checkRecall(asked, statement);
      return sendLinked(`${pathOf(transferId)}/recalls`, request, check, waiting);
    },
    refuseRecall: async (transferId, reason, { signal } = {}) => {
      const path = `${pathOf(transferId)}/recalls/refusal`;
      const body = JSON.stringify({ reason });
      const answer = await http.text(`${path}/prepare`, { method: "POST", body, signal });
      const { statement = "" } = JSON.parse(answer) as { statement?: string };
      const wrong = checkRefusal({ participant, origin, transferId, reason }, statement);
      if (wrong !== undefined) throw new StatementRefusal(wrong);
      const note = await signed(statement);
      const sent = { method: "POST", body: note, contentType: "text/plain", signal } as const;
      await http.text(`${path}/signed`, sent);
    },
    quote: async (request, quoteOptions) => keepQuote(await plain.quote(request, quoteOptions)),
    send: async (request, sendOptions) => (await sendSigned(request, sendOptions)).transfer,
    cancel: async (transferId, { reason = "CUST", waitSeconds, signal } = {}) => {
      if (await isCommitted(transferId)) {
        const waits = waitSeconds === undefined ? {} : { waitSeconds };
        const waiting = { idempotencyKey: "cancel", ...waits, ...(signal && { signal }) };
        return client.recall(transferId, { reason: "CUST", cancel: true }, waiting);
      }
      const path = `/v1/transfers/${encodeURIComponent(transferId)}/cancel`;
      const body = JSON.stringify({ reason });
      const answer = await http.text(`${path}/prepare`, { method: "POST", body, signal });
      const { statement = "" } = JSON.parse(answer) as { statement?: string };
      const wrong = checkCancellation({ participant, origin, transferId, reason }, statement);
      if (wrong !== undefined) throw new StatementRefusal(wrong);
      return sendNote(`${path}/signed`, await signed(statement), { waitSeconds, signal });
    },
    bulk,
  };
  return client;
};
