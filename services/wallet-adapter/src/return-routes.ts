// The API of money that comes back: the payee's provider returns, or refuses a recall; the payer's
// provider recalls. Each answer is the return or the recall as a transfer of its own, linked to the
// original.
import { idempotencyKey, parsePrefer, route, type HttpApp, type RouteResult } from "@sealane/http";
import {
  feeBearers,
  moneySchema,
  recallReasons,
  recallRefusalReasons,
  returnRates,
  returnReasons,
  transferIdSchema,
} from "@sealane/protocol";
import { z } from "zod";
import type { Taken } from "./intake.ts";
import {
  closedProblem,
  noOpenRecall,
  sendingProblem,
  refusalProblem,
  signatureRequired,
} from "./problems.ts";
import type { RecallDesk } from "./recall-desk.ts";
import type { ReturnDesk } from "./return-desk.ts";
import { takenAnswer } from "./transfer-answer.ts";
import type { TransferBook } from "./transfer-book.ts";

export type ReturnRoutesDeps = {
  readonly app: HttpApp;
  readonly returns: ReturnDesk;
  readonly recalls: RecallDesk;
  readonly book: TransferBook;
  readonly clock: () => number;
  /** Why nothing can be accepted now, if so. */
  readonly closed: () => string | undefined;
};

export const transferParams = z.object({ id: transferIdSchema });
const params = transferParams;

export const returnBody = z.strictObject({
  /** In the received currency; all that is left when left out. */
  amount: moneySchema.optional(),
  reason: z.enum(returnReasons).default("MS03"),
  /** `original`: the transfer's own conversion, turned round; `today`: the newest rate sheet. */
  rate: z.enum(returnRates).default("original"),
  /** Who bears the original's fee. */
  bearer: z.enum(feeBearers).default("payer"),
  /** The recall that it answers. */
  recallId: transferIdSchema.optional(),
});

export const recallBody = z.strictObject({
  amount: moneySchema.optional(),
  reason: z.enum(recallReasons).default("CUST"),
  /** The sender's right for 30 minutes, while it has not been paid out: all of it, with the fee. */
  cancel: z.boolean().default(false),
});
const headers = z.object({
  "idempotency-key": z.string().optional(),
  prefer: z.string().optional(),
});

const answers = {
  200: "Its final outcome, whether it went through or not",
  202: "Accepted; nothing is final yet",
  403: "Only the payee's provider returns, only the payer's recalls",
  409: "It cannot be done now, or nobody here can sign",
  422: "Refused, with a code, a pointer and what to do",
  503: "Not accepted, or not known: repeat it with the same key",
};

/** Runs what produces, and answers like a transfer. */
const taken = async (
  { book, clock, closed, returns }: ReturnRoutesDeps,
  waitMs: number | undefined,
  take: () => Promise<Taken>,
): Promise<RouteResult> => {
  if (!returns.signs) return signatureRequired();
  const reason = closed();
  if (reason !== undefined) return closedProblem(reason);
  try {
    const result = await take();
    return result.ok ? await takenAnswer({ book, clock }, result, waitMs) : refusalProblem(result);
  } catch (error) {
    const known = sendingProblem(error);
    if (known === undefined) throw error;
    return known;
  }
};

const mountReturn = (deps: ReturnRoutesDeps): void => {
  route(deps.app, {
    method: "post",
    idempotent: true,
    path: "/v1/transfers/:id/returns",
    summary: "Give a transfer to us back, all or part, for an ISO 20022 return reason",
    tags: ["returns"],
    auth: "core",
    params,
    headers,
    body: returnBody,
    responses: answers,
    handler: ({ params: { id }, body, rawBody, req }) => {
      const key = idempotencyKey(req);
      const { waitMs } = parsePrefer(req);
      return taken(deps, waitMs, () => deps.returns.giveBack(id, key, body, rawBody));
    },
  });
};

const mountRecall = (deps: ReturnRoutesDeps): void => {
  route(deps.app, {
    method: "post",
    idempotent: true,
    path: "/v1/transfers/:id/recalls",
    summary: "Ask the payee's provider to give a transfer back; it ends credited or rejected",
    tags: ["returns"],
    auth: "core",
    params,
    headers,
    body: recallBody,
    responses: answers,
    handler: ({ params: { id }, body, rawBody, req }) => {
      const key = idempotencyKey(req);
      const { waitMs } = parsePrefer(req);
      return taken(deps, waitMs, () => deps.returns.recall(id, key, body, rawBody));
    },
  });
  route(deps.app, {
    method: "post",
    path: "/v1/transfers/:id/recalls/refusal",
    summary: "Say no to the recall that is open; a yes is a return with its recallId",
    tags: ["returns"],
    auth: "core",
    params,
    body: z.strictObject({ reason: z.enum(recallRefusalReasons) }),
    responses: { 202: "Signed and sent; the ledger decides", 409: "No recall of it is open here" },
    handler: async ({ params: { id }, body: { reason } }) => {
      if (!deps.returns.signs) return signatureRequired();
      const open = deps.recalls.of(id);
      if (open === undefined) return noOpenRecall();
      try {
        await deps.recalls.refuse(open, reason);
      } catch (error) {
        const known = sendingProblem(error);
        if (known === undefined) throw error;
        return known;
      }
      return { status: 202, body: { transferId: id, recallId: open.recallId, reason } };
    },
  });
};

export const mountReturns = (deps: ReturnRoutesDeps): void => {
  mountReturn(deps);
  mountRecall(deps);
};
