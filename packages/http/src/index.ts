// HTTP for services, on express: routes that validate and describe themselves, problem details for
// whatever goes wrong, health, and outgoing calls with three outcomes. Nobody else imports express.
export { sendAnswer, sendError, sendProblem } from "./answer.ts";
export type { Answer, HttpLogger } from "./answer.ts";
export { createHttpApp } from "./app.ts";
export type { HttpApp, HttpAppOptions } from "./app.ts";
export { bearerAuth, bearerToken, tokenDigest } from "./auth.ts";
export type { Authenticator, Authenticators, AuthKind } from "./auth.ts";
export { httpClient } from "./client.ts";
export type { CallOptions, CallOutcome, HttpClient, HttpClientOptions } from "./client.ts";
export { health } from "./health.ts";
export type { HealthOptions, Readiness } from "./health.ts";
export { idempotencyKey } from "./idempotency-key.ts";
export { parseJsonStrictly, scanJson } from "./json-text.ts";
export type { JsonFault, JsonFaultCode } from "./json-text.ts";
export { ndjsonBody } from "./ndjson.ts";
export type { NdjsonLimits, NdjsonLine } from "./ndjson.ts";
export { refuseCompressed } from "./read-body.ts";
export { validationProblem } from "./zod-faults.ts";
export { parsePrefer } from "./prefer.ts";
export { pointerOf, Problem, problem } from "./problem.ts";
export type { ProblemBody, ProblemFault, ProblemInit } from "./problem.ts";
export { route } from "./route.ts";
export type { RouteInput, RouteResult, RouteSpec } from "./route.ts";
export { startHttp } from "./server.ts";
export type { HttpServer } from "./server.ts";
export { verifyWebhook, webhookHeaders } from "./webhook.ts";
export type { WebhookHeaders } from "./webhook.ts";
