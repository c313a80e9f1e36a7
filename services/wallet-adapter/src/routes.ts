// The adapter's API for its provider's core (OpenAPI at /v1/openapi.json). Every call but health needs
// the core's token.
import { idempotencyKey, parsePrefer, route, type HttpApp, type RouteResult } from "@sealane/http";
import { reasonSchema, transferIdSchema } from "@sealane/protocol";
import { utf8 } from "@sealane/tlog";
import { z } from "zod";
import { mountBulk } from "./bulk-routes.ts";
import type { Intake, Taken } from "./intake.ts";
import type { Lanes } from "./lanes.ts";
import {
  closedProblem,
  notThePayer,
  paidOut,
  sendingProblem,
  refusalProblem,
  signatureRequired,
  transferUnknown,
} from "./problems.ts";
import { mountReceipts, type StatementsOf } from "./receipt-routes.ts";
import { quoteRequestSchema, transferRequestSchema } from "./requests.ts";
import type { ReturnDesk } from "./return-desk.ts";
import type { Quote } from "./terms-maker.ts";
import { resource, takenAnswer } from "./transfer-answer.ts";
import type { TransferBook } from "./transfer-book.ts";
import { finalStatuses } from "./views.ts";

export type RoutesDeps = {
  readonly app: HttpApp;
  readonly intake: Intake;
  readonly book: TransferBook;
  readonly lanes: Lanes;
  readonly statements: StatementsOf;
  readonly returns: ReturnDesk;
  readonly clock: () => number;
  /** Why nothing can be accepted now, if so. */
  readonly closed: () => string | undefined;
};

const quoteView = (quote: Quote) => ({
  quoteId: quote.id,
  expiresAt: new Date(quote.expiresAtMs).toISOString(),
  fixed: quote.price.fixed,
  /** MORB §298 and Regulation E: each by its name. */
  sent: quote.price.send,
  fee: { currency: quote.price.send.currency, amount: quote.price.fee },
  otherCharges: { currency: quote.price.send.currency, amount: "0" },
  exchangeRate: quote.price.rate,
  referenceRate: quote.sheet.sheet.reference,
  spreadBasisPoints: quote.sheet.sheet.spreadBasisPoints,
  converted: { currency: quote.price.send.currency, amount: quote.price.converted },
  received: quote.price.receive,
  rounding: "received is rounded down; the fee is rounded up",
  delivery: "credited when sealed: within seconds",
});

const mountQuotes = ({ app, intake, closed }: RoutesDeps): void => {
  route(app, {
    method: "post",
    path: "/v1/quotes",
    summary: "Price a transfer; the quote is firm until it expires, and used once",
    tags: ["quotes"],
    auth: "core",
    body: quoteRequestSchema,
    responses: { 201: "A quote", 422: "Why it cannot be priced" },
    handler: ({ body }) => {
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      const quote = intake.quote(body);
      return quote.ok ? { status: 201, body: quoteView(quote) } : refusalProblem(quote);
    },
  });
};

const mountTransfers = ({ app, intake, book, clock, closed }: RoutesDeps): void => {
  route(app, {
    method: "post",
    idempotent: true,
    path: "/v1/transfers",
    summary: "Send a transfer; with Prefer: wait=N the final outcome, else 202",
    tags: ["transfers"],
    auth: "core",
    headers: z.object({
      "idempotency-key": z.string().optional(),
      prefer: z.string().optional(),
      traceparent: z.string().optional(),
    }),
    body: transferRequestSchema,
    responses: {
      200: "The final outcome, whether it went through or not",
      202: "Accepted; nothing is final yet",
      409: "The quote was used",
      422: "Refused, with a code, a pointer and what to do",
      503: "Not accepted, or not known: repeat it with the same key",
    },
    handler: async ({ body, rawBody, req, headers }) => {
      const key = idempotencyKey(req);
      const { waitMs } = parsePrefer(req);
      if (!intake.signs) return signatureRequired();
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      let taken: Taken;
      try {
        taken = await intake.take(key, body, rawBody, headers.traceparent);
      } catch (error) {
        const known = sendingProblem(error);
        if (known === undefined) throw error;
        return known;
      }
      return taken.ok ? takenAnswer({ book, clock }, taken, waitMs) : refusalProblem(taken);
    },
  });
};

/** The sender's right after the commit: a recall that only a pay-out can refuse. */
const cancelCommitted = async (
  { returns, book, clock }: RoutesDeps,
  id: string,
  waitMs: number | undefined,
): Promise<RouteResult> => {
  const asked = { reason: "CUST", cancel: true } as const;
  try {
    const taken = await returns.recall(id, "cancel", asked, utf8(JSON.stringify(asked)));
    return taken.ok ? await takenAnswer({ book, clock }, taken, waitMs) : refusalProblem(taken);
  } catch (error) {
    const known = sendingProblem(error);
    if (known === undefined) throw error;
    return known;
  }
};

const mountLookUp = (deps: RoutesDeps): void => {
  const { app, book, lanes, intake } = deps;
  const params = z.object({ id: transferIdSchema });
  route(app, {
    method: "get",
    path: "/v1/transfers/:id",
    summary: "How a transfer stands, from this side; with Prefer: wait=N when it is final",
    tags: ["transfers"],
    auth: "core",
    params,
    responses: { 200: "The transfer", 404: "Not known here: no answer about the outcome" },
    handler: async ({ params: { id }, req }) => {
      const { waitMs } = parsePrefer(req);
      const view = await book.find(id);
      if (view === undefined) return transferUnknown();
      if (waitMs !== undefined && !finalStatuses.has(view.status)) await book.waitFinal(id, waitMs);
      return { status: 200, body: resource((await book.find(id)) ?? view) };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/transfers/:id/cancel",
    summary:
      "Take a transfer back: at once while it is not committed (also one whose outcome is unknown), " +
      "within 30 minutes by a recall, which is answered then, while it is not paid out",
    tags: ["transfers"],
    auth: "core",
    params,
    body: z.strictObject({ reason: reasonSchema.default("CUST") }),
    bodyOptional: true,
    responses: {
      200: "How it ended",
      202: "Asked for; the ledger decides: the transfer, or the recall of what was committed",
      403: "Only the payer's provider can cancel",
      409: "It has been paid out",
      503: "Not accepted, or not known: repeat it",
    },
    handler: async ({ params: { id }, body, req }) => {
      const { waitMs } = parsePrefer(req);
      if (!intake.signs) return signatureRequired();
      const before = await book.find(id);
      if (before?.role === "payee") return notThePayer();
      if (before?.status === "credited") return paidOut(before);
      if (before?.status === "committed" || before?.status === "sealed") {
        return cancelCommitted(deps, id, waitMs);
      }
      if (before === undefined || !finalStatuses.has(before.status)) {
        try {
          await intake.cancel(id, body.reason);
        } catch (error) {
          const fault = sendingProblem(error);
          if (fault === undefined) throw error;
          return fault;
        }
        if (waitMs !== undefined) await book.waitFinal(id, waitMs);
      }
      const view = await book.find(id);
      if (view === undefined) return { status: 202, body: { transferId: id, status: "received" } };
      if (view.status === "credited") return paidOut(view);
      return { status: finalStatuses.has(view.status) ? 200 : 202, body: resource(view) };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/transfers/:id/ledger",
    summary: "The ledger's own signed answer; ends an unknown outcome 300 s after `since`",
    tags: ["transfers"],
    auth: "core",
    params,
    query: z.strictObject({ since: z.iso.datetime({ precision: 3 }).optional() }),
    responses: { 200: "Its state, with the signed note", 404: "Not known; final only if signed" },
    handler: async ({ params: { id }, query }) => {
      const view = await book.find(id);
      const lane = view === undefined ? lanes.of(id) : lanes.holding(view);
      const { status, body } = await lane.ledger.transfer(id, query.since);
      return {
        status,
        body,
        contentType: status < 400 ? "application/json" : "application/problem+json",
      };
    },
  });
};

/** How every transfer moves, as server-sent events: for a core's own screen, and for `sealane send`. */
const mountEvents = ({ app, book }: RoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/events",
    summary: "Every change of a transfer of this side, as server-sent events",
    tags: ["transfers"],
    auth: "core",
    responses: { 200: "text/event-stream; data is the transfer" },
    handler: ({ res, signal }) => {
      res.status(200).setHeader("Content-Type", "text/event-stream");
      res.setHeader("Cache-Control", "no-store");
      res.flushHeaders();
      const stop = book.onChange((view) => {
        // A reader that cannot keep up loses the stream, not the adapter its memory.
        if (res.writableLength > 1 << 20) res.destroy();
        else res.write(`event: transfer\ndata: ${JSON.stringify(resource(view))}\n\n`);
      });
      signal.addEventListener("abort", stop);
      return undefined;
    },
  });
};

export const mountRoutes = (deps: RoutesDeps): void => {
  mountQuotes(deps);
  mountBulk(deps);
  mountTransfers(deps);
  mountLookUp(deps);
  mountEvents(deps);
  mountReceipts(deps);
};
