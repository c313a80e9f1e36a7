// Windows, breaks and what waits for a second person, under /api. Read with the console's own token, which
// is an auditor's; what people do about breaks goes to the desk under their own token, and the desk
// decides. Nothing is signed here: where money moves, the signed note is made elsewhere and only carried.
import {
  idempotencyKey,
  problem,
  route,
  type Answer,
  type HttpApp,
  type HttpClient,
  type Problem,
} from "@sealane/http";
import {
  adjustmentSchema,
  corridorNameSchema,
  statementText,
  transferIdSchema,
} from "@sealane/protocol";
import { z } from "zod";
import { asked, jsonOf } from "./call.ts";
import { deskSilent, sessionOf, type DeskDoor } from "./desk-door.ts";
import {
  breakListSchema,
  windowListSchema,
  wholeBreakSchema,
  windowSchema,
  type WindowAnswer,
} from "./desk-shapes.ts";
import { readApprovals, type ApprovalSources } from "./read-approvals.ts";
import type { Sessions } from "./sessions.ts";

export type DeskRoutesDeps = ApprovalSources & {
  readonly app: HttpApp;
  readonly sessions: Pick<Sessions, "viewer">;
  readonly door: DeskDoor;
  /** Reconciliation without a token: whoever acts brings their own. */
  readonly desk: HttpClient;
  readonly origin: string;
};

const json = (body: unknown): Answer => ({ status: 200, body });
const tags = ["desk"] as const;

type Problems = {
  readonly title?: string;
  readonly code?: string;
  readonly detail?: string;
};

/** The desk's own refusal, in its own words; what it says to do is for callers of its API. */
const passedOn = (status: number, body: string): Problem => {
  const {
    title = `The desk answers ${status}`,
    code = "desk-refuses",
    ...rest
  } = (jsonOf(body) ?? {}) as Problems;
  const { detail = "" } = rest;
  return problem({ status, code, title, detail });
};

const read = async <T>(
  client: HttpClient,
  path: string,
  schema: z.ZodType<T>,
): Promise<T | Problem> => {
  const answer = asked(await client.get(path));
  if (!answer.ok) return deskSilent(answer.detail);
  if (answer.status !== 200) return passedOn(answer.status, answer.body);
  const found = schema.safeParse(jsonOf(answer.body));
  return found.success ? found.data : deskSilent(`${path} answered in a way that is not known`);
};

const queryText = (query: Readonly<Record<string, string | number | undefined>>): string => {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") said.set(name, String(value));
  }
  return said.toString();
};

const cursor = z
  .string()
  .regex(/^\d{1,15}$/)
  .optional();
const windowParams = z.object({
  corridor: corridorNameSchema,
  number: z.coerce.number().int().min(0),
});

const mountWindows = ({ app, sessions, reconciliation }: DeskRoutesDeps): void => {
  const list = (after: string | undefined, limit: number) =>
    read(reconciliation, `/v1/windows?${queryText({ after, limit })}`, windowListSchema);
  route(app, {
    method: "get",
    path: "/api/windows",
    summary: "Open windows, and cut ones, the newest first",
    tags,
    query: z.strictObject({ after: cursor }),
    responses: { 200: "Windows", 503: "Reconciliation cannot be read" },
    handler: async ({ req, query }) => {
      sessions.viewer(req);
      const found = await list(query.after, 25);
      return found instanceof Error ? found : json(found);
    },
  });
  route(app, {
    method: "get",
    path: "/api/windows/:corridor/:number",
    summary: "One window: cut, with nets, payments and statements; or open, with what it comes to",
    tags,
    params: windowParams,
    responses: { 200: "The window", 404: "No such window" },
    handler: async ({ req, params: { corridor, number } }) => {
      sessions.viewer(req);
      const found = await read(reconciliation, `/v1/windows/${corridor}/${number}`, windowSchema);
      if (!(found instanceof Error)) return json({ found: "cut", window: found });
      if (found.status !== 404) return found;
      const windows = await list(undefined, 1);
      if (windows instanceof Error) return windows;
      const { asOf, open } = windows;
      const window = open.find((one) => one.corridor === corridor && one.number === number);
      if (window === undefined) return found;
      const answer: WindowAnswer = { found: "open", asOf, window };
      return json(answer);
    },
  });
  route(app, {
    method: "get",
    path: "/api/windows/:corridor/:number/instructions",
    summary: "The pacs.009 for the corridor's bank",
    tags,
    params: windowParams,
    responses: { 200: "application/xml", 422: "Nothing to pay, or no bank" },
    handler: async ({ req, params: { corridor, number } }) => {
      sessions.viewer(req);
      const path = `/v1/windows/${corridor}/${number}/instructions`;
      const answer = asked(await reconciliation.get(path));
      if (!answer.ok) return deskSilent(answer.detail);
      if (answer.status !== 200) return passedOn(answer.status, answer.body);
      const name = `${corridor}-${number}.pacs009.xml`;
      return {
        status: 200,
        body: answer.body,
        contentType: "application/xml; charset=utf-8",
        headers: { "Content-Disposition": `attachment; filename="${name}"` },
      };
    },
  });
};

const label = z
  .string()
  .regex(/^[a-z0-9./-]{0,200}$/)
  .optional();
const breakParams = z.object({ id: transferIdSchema });

const mountBreaks = ({ app, sessions, reconciliation, origin }: DeskRoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/api/breaks",
    summary: "Breaks, the newest first, with counts of the live ones by kind",
    tags,
    query: z.strictObject({
      state: label,
      kind: label,
      participant: label,
      owner: label,
      transfer: transferIdSchema.optional(),
      after: cursor,
    }),
    responses: { 200: "Breaks, and as of which position", 503: "Reconciliation cannot be read" },
    handler: async ({ req, query }) => {
      sessions.viewer(req);
      const path = `/v1/breaks?${queryText({ ...query, limit: 50 })}`;
      const found = await read(reconciliation, path, breakListSchema);
      return found instanceof Error ? found : json(found);
    },
  });
  const one = (id: string) => read(reconciliation, `/v1/breaks/${id}`, wholeBreakSchema);
  route(app, {
    method: "get",
    path: "/api/breaks/:id",
    summary: "One break: both sides, its history, what is proposed",
    tags,
    params: breakParams,
    responses: { 200: "The break", 404: "No such break" },
    handler: async ({ req, params }) => {
      sessions.viewer(req);
      const found = await one(params.id);
      return found instanceof Error ? found : json(found);
    },
  });
  route(app, {
    method: "get",
    path: "/api/breaks/:id/adjustment",
    summary: "What two operators would sign to post an adjustment, byte for byte",
    tags,
    params: breakParams,
    query: z.strictObject({
      side: adjustmentSchema.shape.side,
      amount: adjustmentSchema.shape.amount,
      text: z.string().max(2_000),
    }),
    responses: { 200: "The text, without signatures" },
    handler: async ({ req, params, query: { side, amount, text } }) => {
      sessions.viewer(req);
      const found = await one(params.id);
      if (found instanceof Error) return found;
      const { id, kind, participant, currency, transfer } = found;
      const about = transfer === undefined ? {} : { transfer };
      const said = { participant, currency, side, amount, ...about, note: text.slice(0, 200) };
      return json({ text: statementText(origin, "adjustment", { id, break: kind, ...said }) });
    },
  });
};

const mountDeeds = ({ app, sessions, desk, door }: DeskRoutesDeps): void => {
  const deeds = z.enum(["comments", "owner", "proposal", "approval", "rejection"]);
  route(app, {
    method: "post",
    idempotent: true,
    path: "/api/breaks/:id/:deed",
    summary: "What somebody does about a break, handed to the desk under their own token",
    tags,
    params: breakParams.extend({ deed: deeds }),
    body: z.record(z.string().max(20), z.string().max(8_192)),
    responses: { 200: "Done", 401: "Nobody acts from this browser", 403: "Not for this person" },
    handler: async ({ req, params: { id, deed }, body }) => {
      const who = door.who(req, sessions.viewer(req));
      if (who === undefined) {
        const title = "Say first who acts";
        const action = "Give your token at the desk, below.";
        return problem({ status: 401, code: "desk-login-needed", title, action });
      }
      const headers = {
        Authorization: `Bearer ${who.token}`,
        "Idempotency-Key": idempotencyKey(req),
      };
      const path = `/v1/breaks/${id}/${deed}`;
      const answer = asked(await desk.post(path, JSON.stringify(body), { headers }));
      if (!answer.ok) return deskSilent(answer.detail);
      if (answer.status === 200) return json(jsonOf(answer.body));
      return passedOn(answer.status, answer.body);
    },
  });
};

const mountDoor = ({ app, sessions, door }: DeskRoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/api/desk",
    summary: "Who acts at the desk from this browser",
    tags,
    responses: { 200: "Principal and role, or nothing" },
    handler: ({ req }) => json(sessionOf(door.who(req, sessions.viewer(req)))),
  });
  route(app, {
    method: "post",
    path: "/api/desk/login",
    summary: "A person's token at the desk, for a session",
    tags,
    body: z.strictObject({ token: z.string().min(16).max(200) }),
    responses: { 204: "Known", 401: "Nobody's token", 403: "Another person's" },
    handler: async ({ req, body }) => {
      const begun = await door.begin(req, sessions.viewer(req), body.token.trim());
      return begun instanceof Error ? begun : { status: 204, headers: { "Set-Cookie": begun } };
    },
  });
  route(app, {
    method: "post",
    path: "/api/desk/logout",
    summary: "Forgets the token",
    tags,
    responses: { 204: "Forgotten" },
    handler: ({ req }) => ({ status: 204, headers: { "Set-Cookie": door.end(req) } }),
  });
};

export const mountDeskRoutes = (deps: DeskRoutesDeps): void => {
  mountWindows(deps);
  mountBreaks(deps);
  mountDeeds(deps);
  mountDoor(deps);
  const { app, sessions } = deps;
  route(app, {
    method: "get",
    path: "/api/approvals",
    summary: "What waits for a second person: breaks, transfers, participants, the lane",
    tags,
    responses: { 200: "All that could be read; `faults` names what could not" },
    handler: async ({ req }) => {
      sessions.viewer(req);
      return json(await readApprovals(deps));
    },
  });
};
