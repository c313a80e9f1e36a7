// The adapter's API for its provider's core (OpenAPI at /v1/openapi.json). Every call but health needs
// the core's token.
import type { Writable } from "node:stream";
import {
  idempotencyKey,
  ndjsonBody,
  parsePrefer,
  problem,
  route,
  type HttpApp,
} from "@sealane/http";
import { parseStrictJson, reasonSchema, transferIdSchema } from "@sealane/protocol";
import { utf8 } from "@sealane/tlog";
import { z } from "zod";
import type { Intake, Taken } from "./intake.ts";
import type { LedgerClient } from "./ledger-client.ts";
import {
  closedProblem,
  sendingProblem,
  refusalProblem,
  signatureRequired,
  transferUnknown,
} from "./problems.ts";
import { mountReceipts } from "./receipt-routes.ts";
import { bulkLineSchema, quoteRequestSchema, transferRequestSchema } from "./requests.ts";
import type { StatementDesk } from "./statement-desk.ts";
import type { Quote } from "./terms-maker.ts";
import { resource, takenAnswer } from "./transfer-answer.ts";
import type { TransferBook } from "./transfer-book.ts";
import { finalStatuses, isTurnedAway, publicView } from "./views.ts";

export type RoutesDeps = {
  readonly app: HttpApp;
  readonly intake: Intake;
  readonly book: TransferBook;
  readonly ledger: LedgerClient;
  readonly statements: StatementDesk;
  readonly clock: () => number;
  /** Why nothing can be accepted now, if so. */
  readonly closed: () => string | undefined;
};

const maxBulkLines = 10_000;
const bulkInFlight = 512;

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

const mountLookUp = ({ app, book, ledger, intake }: RoutesDeps): void => {
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
    summary: "Take a transfer back that is not committed; also one whose outcome is unknown",
    tags: ["transfers"],
    auth: "core",
    params,
    body: z.strictObject({ reason: reasonSchema.default("CUST") }),
    responses: { 200: "How it ended", 202: "Asked for; the ledger decides" },
    handler: async ({ params: { id }, body, req }) => {
      const { waitMs } = parsePrefer(req);
      if (!intake.signs) return signatureRequired();
      await intake.cancel(id, body.reason);
      if (waitMs !== undefined) await book.waitFinal(id, waitMs);
      const view = await book.find(id);
      if (view === undefined) return { status: 202, body: { transferId: id, status: "received" } };
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
      const { status, body } = await ledger.transfer(id, query.since);
      return {
        status,
        body,
        contentType: status < 400 ? "application/json" : "application/problem+json",
      };
    },
  });
};

type Line = { readonly line: number; readonly text: string };

const mountBulk = ({ app, intake, book, closed }: RoutesDeps): void => {
  const one = async ({ line, text }: Line, waitMs: number | undefined): Promise<object> => {
    const parsed = parseStrictJson(text, 16);
    if (!parsed.ok) return refusedLine(line, 400, parsed.code, parsed.detail);
    const checked = bulkLineSchema.safeParse(parsed.value);
    if (!checked.success) {
      const issue = checked.error.issues[0];
      const pointer = `/${issue?.path.join("/") ?? ""}`;
      return refusedLine(line, 400, "line-invalid", issue?.message ?? "", pointer);
    }
    const { idempotencyKey: key, transfer } = checked.data;
    try {
      const taken = await intake.take(key, transfer, utf8(text), undefined);
      if (!taken.ok) {
        const { status, code } = refusalProblem(taken);
        return refusedLine(line, status, code, taken.detail, `/transfer${taken.pointer}`, key);
      }
      const { view, replayed } = taken;
      if (waitMs !== undefined && !finalStatuses.has(view.status)) {
        await book.waitFinal(view.id, waitMs);
      }
      if (isTurnedAway(view)) {
        const { code = "", detail = "" } = view.turnedAway ?? {};
        return refusedLine(line, 503, code, detail, undefined, key);
      }
      const status = finalStatuses.has(view.status) ? 200 : 202;
      return { line, idempotencyKey: key, httpStatus: status, replayed, ...publicView(view) };
    } catch (error) {
      const known = sendingProblem(error);
      if (known === undefined) throw error;
      return refusedLine(line, known.status, known.code, known.message, undefined, key);
    }
  };

  const answerLine = async (line: Line, waitMs: number | undefined, res: Writable) => {
    let answer: object;
    try {
      answer = await one(line, waitMs);
    } catch {
      answer = refusedLine(line.line, 500, "internal-error", "repeat it with the same key");
    }
    res.write(`${JSON.stringify(answer)}\n`);
  };

  route(app, {
    method: "post",
    path: "/v1/transfers/bulk",
    summary: "Many transfers as NDJSON, each signed and answered on its own, as they are decided",
    tags: ["transfers"],
    auth: "core",
    responses: { 200: "NDJSON, one answer a line, in the order they are ready" },
    handler: async ({ req, res }) => {
      const type = req.headers["content-type"] ?? "";
      if (!/^application\/(x-)?ndjson\b/.test(type)) {
        return problem({
          status: 415,
          code: "content-type-unsupported",
          title: "The body must be NDJSON",
          action: "Send Content-Type: application/x-ndjson, one JSON object a line.",
        });
      }
      if (!intake.signs) return signatureRequired();
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      const { waitMs } = parsePrefer(req);
      res.status(200).setHeader("Content-Type", "application/x-ndjson");
      const running = new Set<Promise<void>>();
      try {
        for await (const line of ndjsonBody(req, { maxLine: 8_192, maxLines: maxBulkLines })) {
          const done = answerLine(line, waitMs, res);
          running.add(done);
          void done.finally(() => running.delete(done));
          if (running.size >= bulkInFlight) await Promise.race(running);
        }
      } catch (error) {
        const detail = error instanceof Error ? error.message : "the body cannot be read";
        res.write(`${JSON.stringify(refusedLine(0, 400, "body-invalid", detail))}\n`);
      }
      await Promise.all(running);
      res.end();
      return undefined;
    },
  });
};

const refusedLine = (
  line: number,
  httpStatus: number,
  code: string,
  detail: string,
  pointer?: string,
  key?: string,
) => ({
  line,
  ...(key === undefined ? {} : { idempotencyKey: key }),
  httpStatus,
  status: "refused",
  code,
  detail,
  ...(pointer === undefined ? {} : { pointer }),
});

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
