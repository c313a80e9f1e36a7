// The API of a provider that signs by itself (`packages/client`, hostedClient): a text to be checked and
// signed, and the same text back with its signature. Beside the rest of the API, which is the same.
import {
  idempotencyKey,
  parsePrefer,
  route,
  type HttpApp,
  type Problem,
  type RouteResult,
} from "@sealane/http";
import { reasonSchema, transferIdSchema } from "@sealane/protocol";
import { z } from "zod";
import type { HostedDesk } from "./hosted-desk.ts";
import { closedProblem, sendingProblem, refusalProblem, statementUnknown } from "./problems.ts";
import { transferRequestSchema } from "./requests.ts";
import { resource, takenAnswer } from "./transfer-answer.ts";
import type { TransferBook } from "./transfer-book.ts";
import { finalStatuses } from "./views.ts";

export type HostedRoutesDeps = {
  readonly app: HttpApp;
  readonly desk: HostedDesk;
  readonly book: TransferBook;
  readonly clock: () => number;
  /** Why nothing can be accepted now, if so. */
  readonly closed: () => string | undefined;
};

const params = z.object({ id: transferIdSchema });
export const noteBody = z
  .string()
  .min(1)
  .max(32 * 1024);
const headers = z.object({ traceparent: z.string().optional() });

/** What producing throws, as an answer. */
export const orProblem = async <T>(work: Promise<T>): Promise<T | Problem> => {
  try {
    return await work;
  } catch (error) {
    const known = sendingProblem(error);
    if (known === undefined) throw error;
    return known;
  }
};

const mountTransfer = ({ app, desk, book, clock, closed }: HostedRoutesDeps): void => {
  route(app, {
    method: "post",
    idempotent: true,
    path: "/v1/transfers/prepare",
    summary: "The terms of a transfer as the exact text that the provider signs; nothing is sent",
    tags: ["hosted"],
    auth: "core",
    body: transferRequestSchema,
    responses: {
      201: "The text, the rate sheet that it cites, and what its commitments open to",
      200: "Known under this key: how it stands",
      202: "Known under this key, and under way",
      422: "Refused, with a code, a pointer and what to do",
    },
    handler: ({ body, rawBody, req }): RouteResult | Promise<RouteResult> => {
      const key = idempotencyKey(req);
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      const prepared = desk.prepare(key, body, rawBody);
      if (!prepared.ok) return refusalProblem(prepared);
      if ("view" in prepared)
        return takenAnswer({ book, clock }, prepared, parsePrefer(req).waitMs);
      const { statement, made } = prepared;
      const { openings, sheet, terms } = made;
      return { status: 201, body: { transferId: terms.id, statement, sheet, openings } };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/transfers/:id/signed",
    summary: "Send a prepared transfer: the signed note; answered like POST /v1/transfers",
    tags: ["hosted"],
    auth: "core",
    params,
    headers,
    bodyAs: "text",
    body: noteBody,
    responses: {
      200: "The final outcome, whether it went through or not",
      202: "Accepted; nothing is final yet",
      409: "Not prepared here, or forgotten: prepare it again",
      422: "The signature does not count",
      503: "Not accepted, or not known: send it again",
    },
    handler: async ({ params: { id }, body, req, headers: { traceparent } }) => {
      const { waitMs } = parsePrefer(req);
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      const taken = await orProblem(desk.submit(id, body, traceparent));
      if (!("ok" in taken)) return taken;
      if (taken.ok) return takenAnswer({ book, clock }, taken, waitMs);
      return "pointer" in taken ? refusalProblem(taken) : statementUnknown(taken.detail);
    },
  });
};

const mountCancel = ({ app, desk, book }: HostedRoutesDeps): void => {
  route(app, {
    method: "post",
    path: "/v1/transfers/:id/cancel/prepare",
    summary: "A cancellation as the exact text that the provider signs",
    tags: ["hosted"],
    auth: "core",
    params,
    body: z.strictObject({ reason: reasonSchema.default("CUST") }),
    responses: { 201: "The text" },
    handler: async ({ params: { id }, body: { reason } }) => ({
      status: 201,
      body: { transferId: id, statement: await desk.cancellationOf(id, reason) },
    }),
  });
  route(app, {
    method: "post",
    path: "/v1/transfers/:id/cancel/signed",
    summary: "Take a transfer back: the signed cancellation; answered like /cancel",
    tags: ["hosted"],
    auth: "core",
    params,
    bodyAs: "text",
    body: noteBody,
    responses: { 200: "How it ended", 202: "Asked for; the ledger decides", 422: "Not signed" },
    handler: async ({ params: { id }, body, req }) => {
      const { waitMs } = parsePrefer(req);
      const refused = await orProblem(desk.cancel(id, body));
      if (refused !== undefined) return "ok" in refused ? refusalProblem(refused) : refused;
      if (waitMs !== undefined) await book.waitFinal(id, waitMs);
      const view = await book.find(id);
      if (view === undefined) return { status: 202, body: { transferId: id, status: "received" } };
      return { status: finalStatuses.has(view.status) ? 200 : 202, body: resource(view) };
    },
  });
};

export const mountHostedRoutes = (deps: HostedRoutesDeps): void => {
  mountTransfer(deps);
  mountCancel(deps);
};
