// The API of money that comes back, for a provider that signs by itself: the exact text of a return, a
// recall or a refusal, and the same text back with its signature. The bodies are those of the routes
// that sign here.
import { idempotencyKey, parsePrefer, route, type HttpApp, type RouteResult } from "@sealane/http";
import { recallRefusalReasons } from "@sealane/protocol";
import { z } from "zod";
import type { HostedLinked } from "./hosted-linked.ts";
import { mountHostedRoutes, noteBody, orProblem, type HostedRoutesDeps } from "./hosted-routes.ts";
import type { Taken } from "./intake.ts";
import { closedProblem, noOpenRecall, refusalProblem, statementUnknown } from "./problems.ts";
import type { RecallDesk } from "./recall-desk.ts";
import type { PreparedLinked, ReturnDesk } from "./return-desk.ts";
import { recallBody, returnBody, transferParams as params } from "./return-routes.ts";
import { takenAnswer } from "./transfer-answer.ts";
import type { TransferBook } from "./transfer-book.ts";

export type HostedLinkedRoutesDeps = {
  readonly app: HttpApp;
  readonly linked: HostedLinked;
  readonly returns: ReturnDesk;
  readonly recalls: RecallDesk;
  readonly book: TransferBook;
  readonly clock: () => number;
  /** Why nothing can be accepted now, if so. */
  readonly closed: () => string | undefined;
};

const prepareAnswers = {
  201: "The text, and the rate sheet that it cites, if any",
  200: "Known under this key: how it stands",
  202: "Known under this key, and under way",
  403: "Only the payee's provider returns, only the payer's recalls",
  422: "Refused, with a code, a pointer and what to do",
};
const signedAnswers = {
  200: "Its final outcome, whether it went through or not",
  202: "Accepted; nothing is final yet",
  409: "Prepare it again: this text is not waiting here",
  422: "Not signed as it must be",
};

const prepared = async (
  { book, clock, linked }: HostedLinkedRoutesDeps,
  waitMs: number | undefined,
  made: PreparedLinked | Taken,
): Promise<RouteResult> => {
  if (!made.ok) return refusalProblem(made);
  if (!("statement" in made)) return takenAnswer({ book, clock }, made, waitMs);
  const { view, statement, sheet } = linked.keep(made);
  const more = sheet === undefined ? {} : { sheet };
  return { status: 201, body: { transferId: view.id, statement, ...more } };
};

const mountSigned = (
  deps: HostedLinkedRoutesDeps,
  kind: PreparedLinked["kind"],
  summary: string,
): void => {
  const { app, linked, book, clock, closed } = deps;
  route(app, {
    method: "post",
    path: `/v1/transfers/:id/${kind}s/signed`,
    summary,
    tags: ["hosted"],
    auth: "core",
    params,
    bodyAs: "text",
    body: noteBody,
    responses: signedAnswers,
    handler: async ({ params: { id }, body, req }) => {
      const { waitMs } = parsePrefer(req);
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      const taken = await orProblem(linked.submit(id, kind, body));
      if (!("ok" in taken)) return taken;
      if (taken.ok) return takenAnswer({ book, clock }, taken, waitMs);
      return "pointer" in taken ? refusalProblem(taken) : statementUnknown(taken.detail);
    },
  });
};

const mountPrepare = (deps: HostedLinkedRoutesDeps): void => {
  const { app, returns, closed } = deps;
  route(app, {
    method: "post",
    idempotent: true,
    path: "/v1/transfers/:id/returns/prepare",
    summary: "A return of a transfer to us as the exact text that the provider signs",
    tags: ["hosted"],
    auth: "core",
    params,
    body: returnBody,
    responses: prepareAnswers,
    handler: async ({ params: { id }, body, rawBody, req }) => {
      const key = idempotencyKey(req);
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      const made = await returns.prepareReturn(id, key, body, rawBody);
      return prepared(deps, parsePrefer(req).waitMs, made);
    },
  });
  route(app, {
    method: "post",
    idempotent: true,
    path: "/v1/transfers/:id/recalls/prepare",
    summary: "A recall of a transfer of ours as the exact text that the provider signs",
    tags: ["hosted"],
    auth: "core",
    params,
    body: recallBody,
    responses: prepareAnswers,
    handler: async ({ params: { id }, body, rawBody, req }) => {
      const key = idempotencyKey(req);
      const reason = closed();
      if (reason !== undefined) return closedProblem(reason);
      const made = await returns.prepareRecall(id, key, body, rawBody);
      return prepared(deps, parsePrefer(req).waitMs, made);
    },
  });
};

const mountRefusal = ({ app, linked, recalls }: HostedLinkedRoutesDeps): void => {
  route(app, {
    method: "post",
    path: "/v1/transfers/:id/recalls/refusal/prepare",
    summary: "A no to the recall that is open, as the exact text that the provider signs",
    tags: ["hosted"],
    auth: "core",
    params,
    body: z.strictObject({ reason: z.enum(recallRefusalReasons) }),
    responses: { 201: "The text", 409: "No recall of it is open here" },
    handler: ({ params: { id }, body: { reason } }) => {
      const open = recalls.of(id);
      if (open === undefined) return noOpenRecall();
      const statement = linked.refusalText(open, reason);
      return { status: 201, body: { transferId: id, recallId: open.recallId, statement } };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/transfers/:id/recalls/refusal/signed",
    summary: "The signed no to the recall that is open",
    tags: ["hosted"],
    auth: "core",
    params,
    bodyAs: "text",
    body: noteBody,
    responses: { 202: "Sent; the ledger decides", 409: "No recall is open", 422: "Not signed" },
    handler: async ({ params: { id }, body }) => {
      const open = recalls.of(id);
      if (open === undefined) return noOpenRecall();
      const refused = await orProblem(linked.refuse(open, body));
      if (refused !== undefined) return "ok" in refused ? refusalProblem(refused) : refused;
      return { status: 202, body: { transferId: id, recallId: open.recallId } };
    },
  });
};

/** All of the API of a provider that signs by itself. */
export const mountHosted = (deps: HostedLinkedRoutesDeps & HostedRoutesDeps): void => {
  mountHostedRoutes(deps);
  mountPrepare(deps);
  mountSigned(deps, "return", "The signed return; answered like /returns");
  mountSigned(deps, "recall", "The signed recall; answered like /recalls");
  mountRefusal(deps);
};
