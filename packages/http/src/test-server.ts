// A listening app for the tests of this room, and raw requests to it.
import { connect } from "node:net";
import { z } from "zod";
import { createHttpApp, type HttpApp } from "./app.ts";
import { bearerAuth, tokenDigest } from "./auth.ts";
import { health } from "./health.ts";
import { idempotencyKey } from "./idempotency-key.ts";
import { ndjsonBody } from "./ndjson.ts";
import { parsePrefer } from "./prefer.ts";
import { problem } from "./problem.ts";
import { route } from "./route.ts";
import { startHttp, type HttpServer } from "./server.ts";

export const CORE_TOKEN = "core-token-0123456789";
export const OPERATOR_TOKEN = "operator-token-0123456789";

const amount = z
  .string()
  .refine((text) => /^\d+(\.\d{1,2})?$/.test(text), {
    message: "HKD has at most 2 decimals",
    params: { code: "amount-too-precise" },
  })
  .meta({ description: "A decimal string" });
const order = z.strictObject({
  amount,
  note: z.string().max(5).optional(),
  to: z
    .union([z.strictObject({ account: z.string() }), z.strictObject({ alias: z.string() })])
    .optional(),
});

/** Logged fields of what failed. */
export const logged: object[] = [];

/** Starts the app on a free port. */
export async function startTestServer(): Promise<HttpServer> {
  const tokens = (name: string, token: string) => bearerAuth(new Map([[name, tokenDigest(token)]]));
  const app = createHttpApp({
    name: "test",
    jsonLimit: 1_024,
    logger: { error: (fields) => void logged.push(fields), warn: () => {} },
    auth: { core: tokens("hk-core", CORE_TOKEN), operator: tokens("op1", OPERATOR_TOKEN) },
  });
  orderRoutes(app);
  oddRoutes(app);
  let ready = false;
  health(app, {
    ready: () => {
      ready = !ready;
      return { ok: ready, checks: { kafka: ready ? "ok" : "no broker answers" } };
    },
    metrics: (_req, res) => void res.end("things_total 1\n"),
  });
  return startHttp({ app, port: 0 });
}

function orderRoutes(app: HttpApp): void {
  route(app, {
    method: "post",
    path: "/v1/orders",
    summary: "Takes an order",
    body: order,
    responses: { 200: order, 400: "Refused" },
    handler: ({ body, rawBody, req }) => {
      const key = req.headers["x-no-key"] === undefined ? idempotencyKey(req) : "";
      const { waitMs } = parsePrefer(req);
      return { status: 200, body: { body, bytes: rawBody.length, key, waitMs } };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/orders/:id",
    summary: "One order",
    auth: "core",
    params: z.object({ id: z.uuid() }),
    query: z.strictObject({ limit: z.coerce.number().int().max(10).optional() }),
    responses: { 200: "The order" },
    handler: ({ params, query, principal }) => ({
      status: 200,
      body: { params, query, principal },
    }),
  });
}

function oddRoutes(app: HttpApp): void {
  route(app, {
    method: "get",
    path: "/v1/files/*path",
    summary: "A file",
    responses: { 200: "The file" },
    handler: () => ({ status: 200, body: {} }),
  });
  route(app, {
    method: "post",
    path: "/v1/orders/:number/close",
    summary: "Closes an order",
    params: z.object({ number: z.coerce.number().int() }),
    body: z.strictObject({ reason: z.string().default("NARR") }),
    bodyOptional: true,
    responses: { 200: "Closed" },
    handler: ({ body }) => ({ status: 200, body }),
  });
  const get = (path: string, handler: () => never | ReturnType<typeof problem>) => {
    route(app, { method: "get", path, summary: path, responses: {}, handler });
  };
  get("/v1/throws", () => {
    throw new Error("the password is hunter2");
  });
  get("/v1/retryable", () => {
    throw Object.assign(new Error("pool"), { retryable: true });
  });
  get("/v1/returns", () =>
    problem({ status: 409, code: "in-progress", title: "Wait", pointer: "/a" }),
  );
  route(app, {
    method: "post",
    path: "/v1/lines",
    summary: "Many lines",
    bodyStream: { contentType: "application/x-ndjson", schema: z.string() },
    responses: { 200: "Counted" },
    handler: async ({ req }) => {
      const lines: unknown[] = [];
      for await (const line of ndjsonBody(req, { maxLine: 10, maxLines: 4 })) {
        lines.push("fault" in line ? { line: line.line, code: line.fault.code } : line);
      }
      return { status: 200, body: lines };
    },
  });
}

/** Sends text as it is over a new connection and answers all that comes back. */
export function rawRequest(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => void socket.write(text));
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}
