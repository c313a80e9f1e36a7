// One helper registers a route, validates its request, types its handler and describes it in the
// OpenAPI document. The order is fixed: who calls, path, query, headers, body; the first part that
// is wrong answers, with all the faults of that part.
import type { Request, Response } from "express";
import type { z } from "zod";
import { sendAnswer, sendError, type Answer } from "./answer.ts";
import { noteMethod, type HttpApp } from "./app.ts";
import { authenticate, type AuthKind } from "./auth.ts";
import { Problem } from "./problem.ts";
import { hasBody, jsonOf, readBody, requireJson, textOf } from "./read-body.ts";
import { validationProblem, type RequestPart } from "./zod-faults.ts";

type MaybeObject = z.ZodObject | undefined;
type MaybeType = z.ZodType | undefined;
type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

/** What a handler gets. `rawBody` has the exact bytes; it is empty when the route reads no body. */
export type RouteInput<P, Q, H, B> = {
  readonly params: Output<P>;
  readonly query: Output<Q>;
  readonly headers: Output<H>;
  readonly body: Output<B>;
  readonly rawBody: Buffer;
  /** Who called; empty for `auth: "none"`. */
  readonly principal: string;
  readonly req: Request;
  readonly res: Response;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
};

/** A handler's result; undefined means that it answered through `res` by itself. */
export type RouteResult = Answer | Problem | undefined;

export type RouteSpec<
  P extends MaybeObject,
  Q extends MaybeObject,
  H extends MaybeObject,
  B extends MaybeType,
> = {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** In express's form: `/v1/transfers/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly tags?: readonly string[];
  /** Default `none`; any other kind must be among the app's authenticators. */
  readonly auth?: AuthKind;
  readonly params?: P;
  readonly query?: Q;
  /** An object that lets other headers through; names in lower case. */
  readonly headers?: H;
  /** The handler needs `Idempotency-Key`: for the OpenAPI document, the handler asks for it by itself. */
  readonly idempotent?: boolean;
  /** For JSON a `z.strictObject`; without a schema the body is not read. */
  readonly body?: B;
  /** `text` gives the schema the body as a string, whatever its type; default `json`. */
  readonly bodyAs?: "json" | "text";
  /** The body may be left out, which is `{}`. */
  readonly bodyOptional?: boolean;
  /** A body that the handler reads by itself: for the OpenAPI document only. */
  readonly bodyStream?: { readonly contentType: string; readonly schema: z.ZodType };
  /** Bytes; default the app's `jsonLimit`. */
  readonly bodyLimit?: number;
  /** By status: a schema of the JSON body, or a sentence. */
  readonly responses: Readonly<Record<number, z.ZodType | string>>;
  readonly handler: (input: RouteInput<P, Q, H, B>) => RouteResult | Promise<RouteResult>;
};

const NO_BYTES = Buffer.alloc(0);

/**
 * Registers a route.
 * @example route(app, { method: "get", path: "/v1/things/:id", summary: "One thing",
 *   params: z.object({ id: z.uuid() }), responses: { 200: thing, 404: "No such thing" },
 *   handler: ({ params }) => ({ status: 200, body: things.get(params.id) }) });
 */
export function route<
  P extends MaybeObject = undefined,
  Q extends MaybeObject = undefined,
  H extends MaybeObject = undefined,
  B extends MaybeType = undefined,
>(app: HttpApp, spec: RouteSpec<P, Q, H, B>): void {
  const auth = spec.auth ?? "none";
  if (auth !== "none" && app.auth[auth] === undefined) {
    throw new Error(`${spec.method} ${spec.path} asks for ${auth}, and the app has no such tokens`);
  }
  const bodyType = spec.bodyAs === "text" ? "text/plain" : "application/json";
  app.openapi.add({ ...spec, auth, bodyType });
  noteMethod(app, spec.method, spec.path);
  app.router[spec.method](spec.path, (req: Request, res: Response) => {
    answer(app, spec as unknown as AnySpec, auth, req, res).catch((error: unknown) => {
      sendError(res, error, app.logger);
    });
  });
}

type AnySpec = RouteSpec<MaybeObject, MaybeObject, MaybeObject, MaybeType>;

async function answer(
  app: HttpApp,
  spec: AnySpec,
  auth: AuthKind,
  req: Request,
  res: Response,
): Promise<void> {
  const principal = auth === "none" ? "" : authenticate(req, auth, app.auth);
  const params = check(spec.params, req.params, "path");
  const query = spec.query === undefined ? undefined : check(spec.query, { ...req.query }, "query");
  const headers = check(spec.headers, req.headers, "header");
  let rawBody: Buffer = NO_BYTES;
  let body: unknown;
  if (spec.body !== undefined && spec.bodyOptional === true && !hasBody(req)) {
    body = check(spec.body, {}, "body");
  } else if (spec.body !== undefined) {
    if (spec.bodyAs !== "text") requireJson(req);
    rawBody = await readBody(req, spec.bodyLimit ?? app.jsonLimit);
    const read = spec.bodyAs === "text" ? textOf(rawBody) : jsonOf(rawBody, app.jsonDepth);
    body = check(spec.body, read, "body");
  }
  const result = await spec.handler({
    ...({ params, query, headers, body } as never as RouteParts),
    rawBody,
    principal,
    req,
    res,
    get signal() {
      return goneSignal(res);
    },
  });
  if (result instanceof Problem) sendError(res, result, app.logger);
  else if (result !== undefined) sendAnswer(res, result);
}

type RouteParts = Pick<
  RouteInput<MaybeObject, MaybeObject, MaybeObject, MaybeType>,
  "params" | "query" | "headers" | "body"
>;

function check(schema: MaybeType, input: unknown, part: RequestPart): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw validationProblem(parsed.error, input, part);
}

/** Made only when a handler asks for it. */
function goneSignal(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) controller.abort(new DOMException("client gone", "AbortError"));
  });
  return controller.signal;
}
