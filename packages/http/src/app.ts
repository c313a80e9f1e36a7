// An express app that answers problems for all that goes wrong. Routes go on `router` (through
// `route()`); what none of them takes gets a 404, or a 405 that names the methods that would do.
// No middleware runs per request but the router: each one costs the hot path.
import express, { type ErrorRequestHandler, type Express, type Router } from "express";
import { sendAnswer, sendError, sendProblem, type HttpLogger } from "./answer.ts";
import type { Authenticators } from "./auth.ts";
import { OpenApiBook } from "./openapi.ts";
import { problem } from "./problem.ts";

export type HttpAppOptions = {
  /** The service's name, as in the OpenAPI document. */
  readonly name: string;
  readonly version?: string;
  readonly logger?: HttpLogger;
  /** Bytes of the largest JSON body; default 64 KiB. */
  readonly jsonLimit?: number;
  /** Levels of nesting in a JSON body; default 32. */
  readonly jsonDepth?: number;
  readonly auth?: Authenticators;
};

export type HttpApp = {
  readonly name: string;
  readonly express: Express;
  /** Where routes are registered; its own additions (pages, streams) may go here too. */
  readonly router: Router;
  readonly logger: HttpLogger | undefined;
  readonly jsonLimit: number;
  readonly jsonDepth: number;
  readonly auth: Authenticators;
  readonly openapi: OpenApiBook;
  /** Methods by path pattern, for 405. */
  readonly methods: Map<string, Set<string>>;
};

/** Makes an app that serves its OpenAPI document at /v1/openapi.json. */
export function createHttpApp(options: HttpAppOptions): HttpApp {
  const server = express();
  server.disable("x-powered-by").disable("etag").set("query parser", "simple");
  const router = express.Router({ strict: false, caseSensitive: true });
  const app: HttpApp = {
    name: options.name,
    express: server,
    router,
    logger: options.logger,
    jsonLimit: options.jsonLimit ?? 65_536,
    jsonDepth: options.jsonDepth ?? 32,
    auth: options.auth ?? {},
    openapi: new OpenApiBook(),
    methods: new Map(),
  };
  server.use(router);
  serveOpenApi(app, options.version ?? "1");
  server.use((req, res) => answerUnmatched(app, req.path, res));
  const onError: ErrorRequestHandler = (error, _req, res, _next) => {
    sendError(res, error, app.logger);
  };
  server.use(onError);
  return app;
}

/** Notes that a path answers a method. */
export function noteMethod(app: HttpApp, method: string, path: string): void {
  const methods = app.methods.get(path) ?? new Set<string>();
  methods.add(method.toUpperCase());
  if (method === "get") methods.add("HEAD");
  app.methods.set(path, methods);
}

function serveOpenApi(app: HttpApp, version: string): void {
  let text: string | undefined;
  noteMethod(app, "get", "/v1/openapi.json");
  app.express.get("/v1/openapi.json", (_req, res) => {
    text ??= JSON.stringify(app.openapi.document({ title: app.name, version }));
    sendAnswer(res, { status: 200, body: text, contentType: "application/json; charset=utf-8" });
  });
}

function answerUnmatched(app: HttpApp, path: string, res: express.Response): void {
  const allowed = [...app.methods].flatMap(([pattern, methods]) =>
    matches(pattern, path) ? [...methods] : [],
  );
  if (allowed.length === 0) {
    return sendProblem(
      res,
      problem({
        status: 404,
        code: "no-such-resource",
        title: "There is nothing at this address",
        action: "Look at /v1/openapi.json for what there is.",
      }),
    );
  }
  const headers = { Allow: [...new Set([...allowed, "OPTIONS"])].join(", ") };
  return sendProblem(
    res,
    problem({
      status: 405,
      code: "method-not-allowed",
      title: "This address does not take that method",
      detail: `it takes ${headers.Allow}`,
      action: "Use one of the methods in the header Allow; /v1/openapi.json says what each does.",
      headers,
    }),
  );
}

/** Whether a path fits a pattern such as `/v1/transfers/:id`; `*name` takes the rest. */
function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.replace(/\/$/, "").split("/");
  const rest = wanted.findIndex((part) => part.startsWith("*"));
  if (rest < 0 ? wanted.length !== given.length : given.length <= rest) return false;
  return wanted.every((part, at) => {
    if (rest >= 0 && at >= rest) return true;
    return part.startsWith(":") ? given[at] !== "" : part === given[at];
  });
}
