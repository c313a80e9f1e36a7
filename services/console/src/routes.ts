// What the pages ask for, under /api. Read only: the console moves no money and signs nothing. A service
// that does not answer is part of the answer (503 with which one), not an error of ours.
import { LogReadError } from "@sealane/client";
import {
  problem,
  route,
  type Answer,
  type HttpApp,
  type HttpClient,
  type Problem,
} from "@sealane/http";
import { transferIdSchema } from "@sealane/protocol";
import { TlogError } from "@sealane/tlog";
import { z } from "zod";
import type { OpenTransfer, PositionsAnswer, Session, TransferAnswer } from "./api-types.ts";
import { asked, jsonOf } from "./call.ts";
import { describeEntry, readEntries, type DetailDeps } from "./entry-detail.ts";
import type { OpenedEntry } from "./entry-view.ts";
import { readLogPage } from "./log-page.ts";
import { makeReceipt } from "./log-source.ts";
import { balancesSchema, positionsOf, standingsSchema } from "./positions.ts";
import type { Pulse } from "./pulse.ts";
import { searchEntries } from "./search.ts";
import { securityHeaders } from "./pages.ts";
import type { Access, Sessions } from "./sessions.ts";
import type { Stream } from "./stream.ts";

export type RoutesDeps = DetailDeps & {
  readonly app: HttpApp;
  readonly access: Access;
  readonly sessions: Sessions;
  readonly pulse: Pulse;
  readonly stream: Stream;
  readonly ledger: HttpClient;
  readonly reconciliation: HttpClient;
  readonly keysReader: DetailDeps["reader"];
  readonly policyText: string;
  readonly logUrl: string;
};

const unavailable = (who: string, detail: string): Problem =>
  problem({
    status: 503,
    code: "source-down",
    title: `${who} does not answer`,
    detail,
    action: "This page asks again by itself.",
    headers: { "Retry-After": "2" },
  });

const unknownEntry = (): Problem =>
  problem({
    status: 404,
    code: "entry-unknown",
    title: "The log has no such entry",
    action: "Look at the log's size; a transfer that is still open has no entry yet.",
  });

/** Of the log's own faults a sentence; everything else is a fault of ours. */
const reading = async <T>(work: () => Promise<T>): Promise<T | Problem> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LogReadError) return unavailable("The ledger", error.message);
    if (error instanceof TlogError) return unavailable("The log", error.message);
    throw error;
  }
};

const json = (body: unknown): Answer => ({ status: 200, body });

type SessionDeps = Pick<RoutesDeps, "app" | "access" | "sessions" | "origin">;

export const mountSession = ({ app, access, sessions, origin }: SessionDeps): void => {
  route(app, {
    method: "get",
    path: "/api/session",
    summary: "Whether a login is asked for, and who is signed in",
    tags: ["session"],
    responses: { 200: "The session" },
    handler: ({ req }) => {
      const open = access.kind === "open";
      let operator: string | undefined;
      try {
        operator = open ? undefined : sessions.viewer(req);
      } catch {
        operator = undefined;
      }
      const session: Session = { open, origin, ...(operator === undefined ? {} : { operator }) };
      return json(session);
    },
  });
  if (access.kind === "open") return;
  route(app, {
    method: "post",
    path: "/api/login",
    summary: "An operator's token for a session's cookie",
    tags: ["session"],
    body: z.strictObject({ token: z.string().min(16).max(200) }),
    responses: { 204: "Signed in", 401: "Nobody's token" },
    handler: ({ body }) => {
      const begun = sessions.begin(body.token.trim());
      if (begun !== undefined) return { status: 204, headers: { "Set-Cookie": begun.cookie } };
      return problem({
        status: 401,
        code: "token-invalid",
        title: "This token is not known here",
        action: "It is in keys/<operator>/console.token of the operator's folder.",
      });
    },
  });
  route(app, {
    method: "post",
    path: "/api/logout",
    summary: "Ends the session",
    tags: ["session"],
    responses: { 204: "Signed out" },
    handler: ({ req }) => ({ status: 204, headers: { "Set-Cookie": sessions.end(req) } }),
  });
};

const mountLive = ({ app, sessions, pulse, stream }: RoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/api/overview",
    summary: "Everything at a glance, of this second",
    tags: ["live"],
    responses: { 200: "The overview" },
    handler: ({ req }) => {
      sessions.viewer(req);
      return json(pulse.overview());
    },
  });
  route(app, {
    method: "get",
    path: "/api/history",
    summary: "The last quarter of an hour, a sample for each second",
    tags: ["live"],
    responses: { 200: "The samples" },
    handler: ({ req }) => {
      sessions.viewer(req);
      return json(pulse.history());
    },
  });
  route(app, {
    method: "get",
    path: "/api/stream",
    summary: "Server-sent events: overview, entries",
    tags: ["live"],
    responses: { 200: "text/event-stream" },
    handler: ({ req, res }) => {
      sessions.viewer(req);
      stream.open(res);
      return undefined;
    },
  });
};

const placeSchema = z.object({
  state: z.enum(["ended", "reserved", "refused"]),
  seq: z.int().optional(),
  time: z.string().optional(),
});

const mountEntries = (deps: RoutesDeps): void => {
  const { app, sessions, book, ledger } = deps;
  const sealedSize = (): number => deps.sealed()?.size ?? 0;

  const entryAt = async (seq: number): Promise<OpenedEntry | undefined> => {
    if (seq >= Math.max(book.end() ?? 0, sealedSize())) return undefined;
    const [entry] = await readEntries(deps, seq, seq + 1);
    return entry;
  };

  /** In memory, else where the ledger says that it is. */
  const findTransfer = async (id: string): Promise<OpenedEntry | OpenTransfer | Problem> => {
    const known = book.byTransfer(id);
    if (known !== undefined) return known;
    const answer = asked(await ledger.get(`/v1/places/${id}`));
    if (!answer.ok) return unavailable("The ledger", answer.detail);
    const place = placeSchema.safeParse(jsonOf(answer.body)).data;
    if (answer.status === 404 || place === undefined) {
      return problem({
        status: 404,
        code: "transfer-unknown",
        title: "The ledger does not know this transfer",
        detail: "it may still arrive: this says nothing of its outcome",
      });
    }
    const { state, seq, time } = place;
    if (state === "ended") return (await entryAt(seq ?? -1)) ?? unknownEntry();
    return { transferId: id, state, ...(time === undefined ? {} : { time }) };
  };

  route(app, {
    method: "get",
    path: "/api/entries",
    summary: "Entries, newest first: transfers alone, or all",
    tags: ["log"],
    query: z.strictObject({
      text: z.string().max(100).default(""),
      outcome: z.enum(["committed", "rejected", "expired", "cancelled", "recorded"]).optional(),
      kinds: z.enum(["transfers", "all"]).default("transfers"),
      before: z.coerce.number().int().min(0).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    responses: { 200: "A page of rows" },
    handler: async ({ req, query }) => {
      sessions.viewer(req);
      const { outcome, before, ...rest } = query;
      return json(await searchEntries(deps, { ...rest, outcome, before }, sealedSize()));
    },
  });

  route(app, {
    method: "get",
    path: "/api/entries/:seq",
    summary: "One entry with all that can be said of it",
    tags: ["log"],
    params: z.object({
      seq: z
        .string()
        .regex(/^\d{1,15}$/)
        .transform(Number),
    }),
    responses: { 200: "The entry", 404: "No such entry", 503: "The log cannot be read" },
    handler: async ({ req, params }) => {
      sessions.viewer(req);
      const found = await reading(async () => {
        const entry = await entryAt(params.seq);
        return entry === undefined ? unknownEntry() : describeEntry(deps, entry);
      });
      return found instanceof Error ? found : json(found);
    },
  });

  route(app, {
    method: "get",
    path: "/api/transfers/:id",
    summary: "A transfer by its id: its entry, or that it is open",
    tags: ["log"],
    params: z.object({ id: transferIdSchema }),
    responses: { 200: "The transfer", 404: "Not known: no answer about its outcome" },
    handler: async ({ req, params }) => {
      sessions.viewer(req);
      const found = await reading(async (): Promise<TransferAnswer | Problem> => {
        const known = await findTransfer(params.id);
        if (known instanceof Error) return known;
        if ("state" in known) return { found: "open", transfer: known };
        return { found: "entry", entry: await describeEntry(deps, known) };
      });
      return found instanceof Error ? found : json(found);
    },
  });

  route(app, {
    method: "get",
    path: "/api/entries/:seq/receipt",
    summary: "The receipt of one entry: a C2SP tlog-proof, made from the published log",
    tags: ["log"],
    params: z.object({
      seq: z
        .string()
        .regex(/^\d{1,15}$/)
        .transform(Number),
    }),
    responses: { 200: "text/plain", 404: "No such entry", 409: "Not sealed yet" },
    handler: async ({ req, params: { seq } }) => {
      sessions.viewer(req);
      const checkpoint = deps.sealed();
      const made = await reading(async () => {
        const entry = await entryAt(seq);
        if (entry === undefined) return unknownEntry();
        if (checkpoint === undefined || seq >= checkpoint.size) {
          const title = "The entry is not sealed yet";
          return problem({ status: 409, code: "receipt-not-ready", title });
        }
        const text = await makeReceipt(deps.reader, checkpoint, seq, entry.note);
        return { text, name: `${entry.transferId ?? `entry-${seq}`}.tlog-proof` };
      });
      if (made instanceof Error) return made;
      return {
        status: 200,
        body: made.text,
        contentType: "text/plain; charset=utf-8",
        headers: {
          ...securityHeaders,
          "Content-Disposition": `attachment; filename="${made.name}"`,
        },
      };
    },
  });
};

const mountBooks = (deps: RoutesDeps): void => {
  const { app, sessions, reconciliation, keys, keysReader, policy, policyText, logUrl } = deps;
  const books = async <T>(path: string, schema: z.ZodType<T>): Promise<T | Problem> => {
    const answer = asked(await reconciliation.get(path));
    if (!answer.ok) return unavailable("Reconciliation", answer.detail);
    const read = schema.safeParse(jsonOf(answer.body));
    return read.success
      ? read.data
      : unavailable("Reconciliation", `${path} answered HTTP ${answer.status}`);
  };

  route(app, {
    method: "get",
    path: "/api/positions",
    summary: "Positions and headroom, by participant and currency",
    tags: ["books"],
    responses: { 200: "Positions", 503: "Reconciliation, or the key log, cannot be read" },
    handler: async ({ req }) => {
      sessions.viewer(req);
      const [balances, standings] = await Promise.all([
        books("/v1/balances", balancesSchema),
        books("/v1/positions", standingsSchema),
      ]);
      if (balances instanceof Error) return balances;
      if (standings instanceof Error) return standings;
      const state = keys.history()?.states.at(-1);
      if (state === undefined) return unavailable("The key log", "it has not been read yet");
      const positions: PositionsAnswer = positionsOf(balances, standings, state);
      return json(positions);
    },
  });
  route(app, {
    method: "get",
    path: "/api/log",
    summary: "Both checkpoints, the key log, and the policy that is pinned here",
    tags: ["log"],
    responses: { 200: "The log", 503: "It cannot be read" },
    handler: async ({ req }) => {
      sessions.viewer(req);
      const lane = deps.sealed();
      if (lane === undefined) return unavailable("The log", "no checkpoint has a quorum yet");
      const page = await reading(() => readLogPage(keysReader, policy, policyText, lane, logUrl));
      return page instanceof Error ? page : json(page);
    },
  });
};

/** Refuses other sites' requests first, whatever they ask for. */
export const mountGuard = ({ app, sessions }: Pick<RoutesDeps, "app" | "sessions">): void => {
  app.router.use((req, _res, next) => next(sessions.foreign(req)));
};

export const mountRoutes = (deps: RoutesDeps): void => {
  mountSession(deps);
  mountLive(deps);
  mountEntries(deps);
  mountBooks(deps);
};
