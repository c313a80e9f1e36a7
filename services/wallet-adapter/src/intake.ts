// The way in: a core's request becomes signed terms on the lane's topic. No database is touched before
// the answer: the intent in Kafka, acknowledged, is what makes a 202 durable.
import { statementText, transferIdOf } from "@sealane/protocol";
import type { Producer } from "@sealane/messaging";
import type { Signer } from "@sealane/signer";
import { recorded, traceparentOf, type Span, type Telemetry } from "@sealane/telemetry";
import { composeNote } from "@sealane/tlog";
import type { Admission } from "./admission.ts";
import type { ApprovalDesk } from "./approval-desk.ts";
import { laneOfLog, type LaneBook, type Lanes } from "./lanes.ts";
import type { TransferRequest } from "./requests.ts";
import type { Made, Quote, Refusal, TermsMaker } from "./terms-maker.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { Vault } from "./vault.ts";
import type { Kept } from "./view-store.ts";
import { withTerms, type TransferView } from "./views.ts";

export type Taken =
  | { readonly ok: true; readonly view: TransferView; readonly replayed: boolean }
  | Refusal;

type Deps = {
  readonly participant: string;
  readonly lanes: Lanes;
  readonly maker: TermsMaker;
  readonly book: TransferBook;
  readonly vault: Pick<Vault, "keep">;
  readonly approvals: Pick<ApprovalDesk, "neededFor" | "hold" | "drop">;
  /** Undefined where the provider keeps its key to itself and signs with the client library. */
  readonly signer: Signer | undefined;
  readonly producer: Producer;
  readonly telemetry: Telemetry;
  readonly admission: Admission;
  readonly clock: () => number;
};

const produceDeadlineMs = 5_000;
const mostQuotes = 50_000;

/** A quote, and the transfer that used it. */
type GivenQuote = { readonly quote: Quote; usedBy?: string };

export type Intake = ReturnType<typeof makeIntake>;

export const makeIntake = (deps: Deps) => {
  const { participant, lanes, maker, book, signer, producer, admission, clock } = deps;
  const quotes = new Map<string, GivenQuote>();

  const keepQuote = (quote: Quote): void => {
    quotes.set(quote.id, { quote });
    if (quotes.size > mostQuotes) quotes.delete(quotes.keys().next().value as string);
  };

  /** To the lane that decides the id. */
  const produce = (
    command: Record<string, unknown>,
    id: string,
    { topic } = lanes.of(id),
  ): Promise<void> =>
    producer.send([{ topic, key: id, value: JSON.stringify(command) }], {
      deadlineMs: produceDeadlineMs,
    });

  /** Makes terms for a request, under the quote that it names. */
  const make = (id: string, request: TransferRequest, body: Uint8Array): Made | Refusal => {
    const { quoteId } = request;
    if (quoteId === undefined) return maker.make(id, request, body, undefined, clock());
    const given = quotes.get(quoteId);
    if (given === undefined) {
      const detail = "this adapter gave no such quote, or has forgotten it";
      return { ok: false, code: "quote-unknown", detail, pointer: "/quoteId" };
    }
    if (given.usedBy !== undefined && given.usedBy !== id) {
      const detail = "another transfer was sent under this quote";
      return { ok: false, code: "quote-used", detail, pointer: "/quoteId" };
    }
    return maker.make(id, request, body, given.quote, clock());
  };

  /** It is durable: on the topic, or held until operators have signed. */
  const finish = (kept: Kept, quote: string): TransferView => {
    kept.view.steps.accepted = clock();
    // Used once: the ledger would refuse the second, and the adapter says so earlier.
    const given = quotes.get(quote);
    if (given !== undefined) given.usedBy = kept.view.id;
    book.changed(kept);
    return kept.view;
  };

  /** Sends signed terms, or holds them where a policy asks for more signatures. */
  const publish = async (made: Made, note: Promise<string>, span: Span): Promise<TransferView> => {
    const { id, quote } = made.terms;
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
    deps.vault.keep(id, made.openings);
    view.terms = await note;
    const needed = deps.approvals.neededFor(made);
    if (needed > 0) {
      view.approvalsNeeded = needed;
      await deps.approvals.hold(view, view.terms, made, needed);
      return finish(kept, quote);
    }
    const trace = traceparentOf(span);
    const command = {
      v: 1,
      kind: "intent",
      note: view.terms,
      ...(made.envelope === undefined ? {} : { envelope: made.envelope }),
      ...(trace === undefined ? {} : { trace }),
    };
    const payee = made.terms.payee.participant;
    admission.enter(id, payee);
    try {
      await produce(command, id);
    } catch (error) {
      admission.drop(id, payee);
      throw error;
    }
    return finish(kept, quote);
  };

  const signed = async (text: string): Promise<string> => {
    if (signer === undefined) throw new Error("broken invariant: there is no key to sign with");
    return composeNote(text, [await signer.signLine(text)]);
  };

  const send = async (
    id: string,
    request: TransferRequest,
    body: Uint8Array,
    span: Span,
  ): Promise<Taken> => {
    const made = make(id, request, body);
    if (!made.ok) return made;
    const note = signed(statementText(lanes.of(id).origin, "transfer", made.terms));
    return { ok: true, view: await publish(made, note, span), replayed: false };
  };

  /** What is known under an idempotency key: the transfer, a refusal of another request, or nothing. */
  const replay = (id: string, body: Uint8Array): Taken | undefined => {
    const known = book.get(id)?.view;
    if (known?.role !== "payer" || known.request === undefined) return undefined;
    if (known.request !== maker.requestOf(body)) {
      const detail = "this Idempotency-Key was used for another request";
      return { ok: false, code: "request-mismatch", detail, pointer: "#/header/idempotency-key" };
    }
    // Without an acknowledgement it may never have reached the topic, and a refusal that binds nothing
    // (`lane-unsealed`) is no end: send the same again.
    const acknowledged = known.steps.accepted !== undefined || known.status !== "received";
    if (known.unbound === true) return undefined;
    return acknowledged ? { ok: true, view: known, replayed: true } : undefined;
  };

  const spanOf = (id: string, parent: string | undefined): Span =>
    deps.telemetry.startSpan("adapter.intent", { parent, attributes: { "transfer.id": id } });

  /** Of the many that are not traced, one that failed is. */
  const traceFailure = (id: string, span: Span, error: unknown): void => {
    const trace = traceparentOf(span);
    if (trace === undefined) return;
    const code = error instanceof Error ? error.name : "unknown";
    const attributes = { "transfer.id": id, error: code };
    deps.telemetry.startSpan("adapter.failed", { parent: recorded(trace), attributes }).end();
  };

  /**
   * Takes one request under its idempotency key.
   * @throws NotNowError when there is too much to do; nothing was sent
   * @throws MessagingError: the outcome of producing is unknown or it failed; the client repeats
   */
  const take = async (
    idempotencyKey: string,
    request: TransferRequest,
    body: Uint8Array,
    parent: string | undefined,
  ): Promise<Taken> => {
    const id = transferIdOf(participant, idempotencyKey);
    const known = replay(id, body);
    if (known !== undefined) return known;
    admission.check(request.payee.participant);
    const span = spanOf(id, parent);
    try {
      return await send(id, request, body, span);
    } catch (error) {
      traceFailure(id, span, error);
      throw error;
    } finally {
      span.end();
    }
  };

  const cancellationOf = async (id: string, reason: string): Promise<string> => {
    const view = await book.find(id);
    // What is open stays in the lane that reserved it, wherever its slot is by now.
    const { origin } = view === undefined ? lanes.of(id) : laneOfTerms(view);
    return statementText(origin, "cancellation", { id, participant, reason }, view?.terms);
  };

  /** The lane that a transfer's terms were signed for. */
  const laneOfTerms = ({ id, lane, terms }: TransferView): LaneBook => {
    const found = laneOfLog(lanes, terms ?? "");
    return found ?? lanes.holding({ id, ...(lane === undefined ? {} : { lane }) });
  };

  /** Takes the intent back, if the ledger has not committed it. */
  const cancel = async (id: string, reason: string): Promise<void> => {
    await deps.approvals.drop(id);
    const note = await signed(await cancellationOf(id, reason));
    await produce({ v: 1, kind: "cancellation", note }, id, laneOfLog(lanes, note));
  };

  const quote = (request: Parameters<TermsMaker["quote"]>[0]): Quote | Refusal => {
    const made = maker.quote(request, clock());
    if (made.ok) keepQuote(made);
    return made;
  };

  return {
    /** False where the provider signs itself: then `take` and `cancel` cannot be used. */
    signs: signer !== undefined,
    admit: admission.check,
    room: admission.room,
    take,
    cancel,
    quote,
    produce,
    make,
    publish,
    replay,
    spanOf,
    cancellationOf,
    /** What waits for operators is sent no more: its payer takes it back. */
    dropHeld: deps.approvals.drop,
  };
};
