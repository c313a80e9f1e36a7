// Breaks over HTTP: providers' statements in, breaks out with their workflow, and reports. Auditors read;
// operators and approvers act; who proposes a resolution never approves it.
import { idempotencyKey, problem, route, type HttpApp, type Problem } from "@sealane/http";
import {
  participantSchema,
  providerStatementSchema,
  timeSchema,
  transferIdSchema,
} from "@sealane/protocol";
import { breakKinds } from "@sealane/rules";
import { z } from "zod";
import type { DeskAnswer, Role } from "../desk.ts";
import { timeCursorSchema } from "../time-cursor.ts";
import { outcomes, type BreakDesk, type Deed } from "./break-desk.ts";
import { breakView, type BreakReader } from "./break-reader.ts";
import type { CaseState } from "./case-writer.ts";
import type { StatementDesk } from "./statement-desk.ts";

export type BreakRoutesDeps = {
  readonly app: HttpApp;
  readonly reader: BreakReader;
  readonly desk: BreakDesk;
  readonly statements: Pick<StatementDesk, "take">;
  readonly clock: () => number;
};

const auth = "operator" as const;
const tags = ["breaks"] as const;
/** A statement of 5,000 lines. */
const statementLimit = 2 * 1024 * 1024;

const roleOf = (principal: string): Role => {
  const role = principal.split("/")[0];
  return role === "operator" || role === "approver" ? role : "auditor";
};

const titles: Readonly<Record<number, string>> = {
  403: "This person may not do this",
  404: "There is no such break",
  409: "The break is not at that point",
  422: "This cannot stand",
  503: "The books are not read yet",
};

const answered = ({ status, body }: DeskAnswer, action: string): DeskAnswer | Problem => {
  if (status < 300) return { status, body };
  const { code, detail } = body as { code: string; detail: string };
  const title = titles[status] ?? "It was not taken";
  const headers = status === 503 ? { "Retry-After": "1" } : {};
  return problem({ status, code, title, detail, action, headers });
};

const states: Readonly<Record<"live" | "ended" | "all", readonly CaseState[]>> = {
  live: ["open", "proposed", "posting"],
  ended: ["resolved", "cleared"],
  all: ["open", "proposed", "posting", "resolved", "cleared"],
};
const stateNames = ["live", "ended", ...states.all, "all"] as const;

const cursor = z
  .string()
  .regex(/^\d{1,15}$/, "give the `next` of the page before")
  .transform(Number)
  .optional();
const ownerText = z.string().regex(/^[a-z]{1,20}\/[a-z0-9.-]{1,200}$/, "write role/name");
/** Postgres keeps no NUL, and no half of a character. */
const text = z
  .string()
  .trim()
  .min(1)
  .max(2_000)
  .refine(
    (one) => !one.includes("\0") && one.isWellFormed(),
    "write text without control characters",
  );

/** A signed note. */
const note = z.string().min(1).max(8_192);

const mountReading = ({ app, reader, clock }: BreakRoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/breaks",
    summary: "Breaks, the newest first, with counts of the live ones by kind",
    tags,
    auth,
    query: z.strictObject({
      state: z.enum(stateNames).default("live"),
      kind: z.enum(breakKinds).optional(),
      participant: participantSchema.optional(),
      owner: ownerText.optional(),
      transfer: transferIdSchema.optional(),
      after: cursor,
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    responses: { 200: "Breaks; `asOf` says how far the log and each provider's books are known" },
    handler: async ({ query }) => {
      const { state, kind, participant, owner, transfer, after, limit } = query;
      const which =
        state === "live" || state === "ended" || state === "all" ? states[state] : [state];
      const filter = { state: which, kind, participant, owner, transfer, after, limit };
      const nowMs = clock();
      const rows = await reader.list(filter);
      const counts = await reader.counts(nowMs);
      const last = rows.at(-1);
      const more = rows.length === limit && last !== undefined;
      const body = {
        asOf: await reader.standing(),
        counts: counts.map(({ oldestAtMs, ...one }) => ({
          ...one,
          oldestAgeSeconds: Math.max(0, Math.floor((nowMs - oldestAtMs) / 1_000)),
        })),
        breaks: rows.map((row) => breakView(row, nowMs)),
        ...(more ? { next: String(last.number) } : {}),
      };
      return { status: 200, body };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/breaks/:id",
    summary: "One break: its history, and what the log and the provider say, side by side",
    tags,
    auth,
    params: z.object({ id: transferIdSchema }),
    responses: { 200: "The break", 404: "No such break" },
    handler: async ({ params }) => {
      const row = await reader.find(params.id);
      if (row === undefined) {
        const action = "See GET /v1/breaks?state=all.";
        return problem({ status: 404, code: "break-unknown", title: "No such break", action });
      }
      const events = await reader.events(row.id);
      const sides = await reader.sidesOfMatter(row);
      return { status: 200, body: { ...breakView(row, clock()), ...sides, events } };
    },
  });
};

const mountReports = ({ app, reader }: BreakRoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/reports/breaks",
    summary:
      "Breaks opened in a time, by participant, kind and state, and how many passed their deadline",
    tags: ["reports"],
    auth,
    query: z.strictObject({ from: timeSchema, to: timeSchema }),
    responses: { 200: "The report" },
    handler: async ({ query: { from, to } }) => {
      const rows = await reader.report(Date.parse(from), Date.parse(to));
      return { status: 200, body: { asOf: await reader.standing(), from, to, rows } };
    },
  });
};

const mountStatements = ({ app, reader, statements }: BreakRoutesDeps): void => {
  route(app, {
    method: "post",
    idempotent: true,
    path: "/v1/provider-statements",
    summary: "Hand in what a provider's own books say of a period; it is compared at once",
    tags,
    auth,
    bodyLimit: statementLimit,
    body: providerStatementSchema,
    responses: {
      200: "It was taken before",
      201: "Taken; breaks are at /v1/breaks",
      403: "Not for this role",
      422: "Why it cannot stand; nothing of it was taken",
      503: "The books are not read yet",
    },
    handler: async ({ body, principal, req }) => {
      const key = idempotencyKey(req);
      if (roleOf(principal) === "auditor") {
        const detail = "an auditor only reads";
        return answered({ status: 403, body: { code: "not-allowed", detail } }, "Ask an operator.");
      }
      const answer = await statements.take({ principal, idempotencyKey: key, statement: body });
      return answered(answer, "Correct the statement and send it under a new Idempotency-Key.");
    },
  });
  route(app, {
    method: "get",
    path: "/v1/provider-statements",
    summary:
      "Providers' statements that were taken, the newest first, and how far each side is known",
    tags,
    auth,
    query: z.strictObject({
      participant: participantSchema.optional(),
      after: timeCursorSchema,
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    responses: { 200: "Statements" },
    handler: async ({ query }) => {
      const page = await reader.statements(query.participant, query.limit, query.after);
      return { status: 200, body: { asOf: await reader.standing(), ...page } };
    },
  });
};

/** The paths of what is done about a break, and what each needs. */
const mountDeed = <S extends z.ZodType>(
  { app, desk }: BreakRoutesDeps,
  path: string,
  summary: string,
  body: S,
  toDeed: (body: z.output<S>) => Deed,
): void => {
  route(app, {
    method: "post",
    idempotent: true,
    path: `/v1/breaks/:id/${path}`,
    summary,
    tags,
    auth,
    params: z.object({ id: transferIdSchema }),
    body,
    responses: {
      200: "Done: id, state, owner",
      403: "Not for this person",
      404: "No such break",
      409: "The break is not at that point",
      422: "Why it cannot stand",
    },
    handler: async ({ params, body: said, principal, req }) => {
      const answer = await desk.act({
        principal,
        role: roleOf(principal),
        idempotencyKey: idempotencyKey(req),
        id: params.id,
        deed: toDeed(said as z.output<S>),
      });
      return answered(answer, "Look at the break: GET /v1/breaks/:id.");
    },
  });
};

const mountDeeds = (deps: BreakRoutesDeps): void => {
  const saying = z.strictObject({ text });
  mountDeed(deps, "comments", "Say something about a break", saying, (said) => ({
    kind: "comment",
    ...said,
  }));
  const owning = z.strictObject({ owner: ownerText });
  mountDeed(deps, "owner", "Give a break to somebody", owning, (said) => ({
    kind: "assign",
    ...said,
  }));
  const proposing = z.strictObject({
    outcome: z.enum(outcomes),
    text,
    transfer: transferIdSchema.optional(),
    note: note.optional(),
  });
  mountDeed(deps, "proposal", "Propose how a break is resolved", proposing, (said) => ({
    kind: "propose",
    ...said,
  }));
  const approving = z.strictObject({
    proposal: z
      .string()
      .regex(/^[0-9a-f]{32}$/, "give the proposal's id, as the break shows it")
      .optional(),
    text: text.optional(),
    note: note.optional(),
  });
  mountDeed(deps, "approval", "Approve what another person proposed", approving, (said) => ({
    kind: "approve",
    ...said,
  }));
  mountDeed(deps, "rejection", "Send a proposal back, or take one's own back", saying, (said) => ({
    kind: "reject",
    ...said,
  }));
};

export const mountBreaks = (deps: BreakRoutesDeps): void => {
  mountReading(deps);
  mountReports(deps);
  mountStatements(deps);
  mountDeeds(deps);
};
