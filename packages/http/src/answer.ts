// Writes answers: JSON, text or bytes, with a length, never cached unless the handler says so.
// Everything that went wrong becomes a problem here, and nothing internal gets out.
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { Problem, problem } from "./problem.ts";

/** What a handler answers. `body` is JSON, or text or bytes when `contentType` is given. */
export type Answer = {
  readonly status: number;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The part of a logger that this room uses; pino's fits. */
export type HttpLogger = {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

const PROBLEM_TYPE = "application/problem+json; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

/** Sends an answer unless one was begun already. */
export function sendAnswer(res: ServerResponse, answer: Answer): void {
  if (res.headersSent) return;
  const payload = payloadOf(answer);
  const headers: Record<string, string | number> = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  };
  if (payload !== undefined) {
    headers["Content-Type"] = answer.contentType ?? JSON_TYPE;
    headers["Content-Length"] = Buffer.byteLength(payload);
  }
  res.writeHead(answer.status, Object.assign(headers, answer.headers));
  if (payload === undefined || res.req.method === "HEAD") res.end();
  else res.end(payload);
}

/** Sends a problem. */
export function sendProblem(res: ServerResponse, fault: Problem): void {
  sendAnswer(res, {
    status: fault.status,
    body: fault.toBody(`urn:uuid:${randomUUID()}`),
    contentType: PROBLEM_TYPE,
    headers: fault.headers,
  });
}

/**
 * Answers whatever was thrown. A Problem is sent as it is; an error of express or node with a 4xx
 * status becomes a problem without its text; the rest is logged with the instance's id and answered
 * with a 500 (or a 503, when the error says that it is retryable) that says nothing about us.
 */
export function sendError(res: ServerResponse, error: unknown, logger?: HttpLogger): void {
  if (error instanceof Problem) return sendProblem(res, error);
  const client = clientFault(error);
  if (client !== undefined) return sendProblem(res, client);
  const instance = `urn:uuid:${randomUUID()}`;
  logger?.error({ err: error, instance }, "request failed");
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const fault = internalFault((error as { retryable?: unknown } | undefined)?.retryable === true);
  const { status, headers } = fault;
  sendAnswer(res, { status, headers, body: fault.toBody(instance), contentType: PROBLEM_TYPE });
}

function payloadOf(answer: Answer): string | Uint8Array | undefined {
  const { body, contentType } = answer;
  if (body === undefined) return undefined;
  const plain = typeof body === "string" || body instanceof Uint8Array;
  return contentType !== undefined && plain ? body : JSON.stringify(body);
}

function clientFault(error: unknown): Problem | undefined {
  const status = (error as { status?: unknown } | undefined)?.status;
  if (typeof status !== "number" || status < 400 || status > 499) return undefined;
  return problem({
    status,
    code: status === 400 ? "request-malformed" : `http-${status}`,
    title: "The request cannot be used",
    action: "Check the address and the headers of the request.",
  });
}

function internalFault(retryable: boolean): Problem {
  if (retryable) {
    return problem({
      status: 503,
      code: "temporarily-unavailable",
      title: "Not available at the moment",
      action: "Repeat the same request, with the same Idempotency-Key, after a moment.",
      headers: { "Retry-After": "1" },
    });
  }
  return problem({
    status: 500,
    code: "internal",
    title: "Something went wrong on our side",
    detail: "The outcome of this request is not known.",
    action: "Look the outcome up by its id; if it is not there, repeat the same request.",
  });
}
