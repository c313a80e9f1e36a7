// The way in: a core's request becomes signed terms on the lane's topic. No database is touched before
// the answer: the intent in Kafka, acknowledged, is what makes a 202 durable.
import { laneTopic, statementText, transferIdOf } from "@sealane/protocol";
import type { Producer } from "@sealane/messaging";
import type { Signer } from "@sealane/signer";
import { traceparentOf, type Span, type Telemetry } from "@sealane/telemetry";
import { composeNote } from "@sealane/tlog";
import type { TransferRequest } from "./requests.ts";
import type { Quote, Refusal, TermsMaker } from "./terms-maker.ts";
import type { TransferBook } from "./transfer-book.ts";
import { withTerms, type TransferView } from "./views.ts";

export type Taken =
  | { readonly ok: true; readonly view: TransferView; readonly replayed: boolean }
  | Refusal;

type Deps = {
  readonly participant: string;
  readonly origin: string;
  readonly lane: number;
  readonly maker: TermsMaker;
  readonly book: TransferBook;
  readonly signer: Signer;
  readonly producer: Producer;
  readonly telemetry: Telemetry;
  readonly clock: () => number;
};

const produceDeadlineMs = 5_000;
const mostQuotes = 50_000;

export type Intake = ReturnType<typeof makeIntake>;

export const makeIntake = (deps: Deps) => {
  const { participant, origin, maker, book, signer, producer, clock } = deps;
  const quotes = new Map<string, Quote>();
  const topic = laneTopic(deps.lane);

  const keepQuote = (quote: Quote): void => {
    quotes.set(quote.id, quote);
    if (quotes.size > mostQuotes) quotes.delete(quotes.keys().next().value as string);
  };

  const produce = (command: Record<string, unknown>, key: string): Promise<void> =>
    producer.send([{ topic, key, value: JSON.stringify(command) }], {
      deadlineMs: produceDeadlineMs,
    });

  const send = async (
    id: string,
    request: TransferRequest,
    body: Uint8Array,
    span: Span,
  ): Promise<Taken> => {
    const quoted = request.quoteId === undefined ? undefined : quotes.get(request.quoteId);
    if (request.quoteId !== undefined && quoted === undefined) {
      const detail = "this adapter gave no such quote, or has forgotten it";
      return { ok: false, code: "quote-unknown", detail, pointer: "/quoteId" };
    }
    const made = maker.make(id, request, body, quoted, clock());
    if (!made.ok) return made;
    const view: TransferView = {
      id,
      role: "payer",
      status: "received",
      request: made.terms.request,
      steps: {},
      notice: 0,
      notified: 0,
    };
    withTerms(view, made.terms);
    // Known from here on: the ledger's answer may be quicker than the broker's acknowledgement.
    const kept = book.put(view);
    const text = statementText(origin, "transfer", made.terms);
    const note = composeNote(text, [await signer.signLine(text)]);
    view.terms = note;
    const trace = traceparentOf(span);
    await produce(
      {
        v: 1,
        kind: "intent",
        note,
        ...(made.envelope === undefined ? {} : { envelope: made.envelope }),
        ...(trace === undefined ? {} : { trace }),
      },
      id,
    );
    view.steps.accepted = clock();
    // Used once: the ledger would refuse the second, and the adapter says so earlier.
    if (quoted !== undefined) quotes.delete(quoted.id);
    book.changed(kept);
    return { ok: true, view, replayed: false };
  };

  /**
   * Takes one request under its idempotency key.
   * @throws MessagingError: the outcome of producing is unknown or it failed; the client repeats
   */
  const take = async (
    idempotencyKey: string,
    request: TransferRequest,
    body: Uint8Array,
    parent: string | undefined,
  ): Promise<Taken> => {
    const id = transferIdOf(participant, idempotencyKey);
    const known = book.get(id)?.view;
    if (known !== undefined && known.role === "payer" && known.request !== undefined) {
      if (known.request !== maker.requestOf(body)) {
        const detail = "this Idempotency-Key was used for another request";
        return { ok: false, code: "request-mismatch", detail, pointer: "#/header/idempotency-key" };
      }
      // Without an acknowledgement it may never have reached the topic: send the same again.
      if (known.steps.accepted !== undefined || known.status !== "received") {
        return { ok: true, view: known, replayed: true };
      }
    }
    const span = deps.telemetry.startSpan("adapter.intent", {
      parent,
      attributes: { "transfer.id": id },
    });
    try {
      return await send(id, request, body, span);
    } finally {
      span.end();
    }
  };

  /** Takes the intent back, if the ledger has not committed it. */
  const cancel = async (id: string, reason: string): Promise<void> => {
    const terms = (await book.find(id))?.terms;
    const text = statementText(origin, "cancellation", { id, participant, reason }, terms);
    const note = composeNote(text, [await signer.signLine(text)]);
    await produce({ v: 1, kind: "cancellation", note }, id);
  };

  const quote = (request: Parameters<TermsMaker["quote"]>[0]): Quote | Refusal => {
    const made = maker.quote(request, clock());
    if (made.ok) keepQuote(made);
    return made;
  };

  return { take, cancel, quote, produce };
};
