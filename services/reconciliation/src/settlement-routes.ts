// Settlement over HTTP: participants, positions, windows, settlements, statements, alerts and the trail
// of who did what. Auditors read; operators and approvers also hand in notes that they have signed.
import {
  idempotencyKey,
  problem,
  route,
  type Answer,
  type HttpApp,
  type Problem,
} from "@sealane/http";
import {
  corridorNameSchema,
  formatTime,
  hashSchema,
  mostStatementParts,
  participantSchema,
} from "@sealane/protocol";
import { totalsOf, type AuditState, type KeyState } from "@sealane/rules";
import { z } from "zod";
import { bankFileLimits, type BankFiles } from "./bank-files.ts";
import type { Desk, DeskAnswer, Role } from "./desk.ts";
import { alertsOf, positionsOf, type AlertLevels, type Pending } from "./positions.ts";
import type { EntryRow, SettlementReader } from "./settlement-reader.ts";
import { timeCursorSchema, timeCursorText } from "./time-cursor.ts";

export type SettlementRoutesDeps = {
  readonly app: HttpApp;
  readonly reader: SettlementReader;
  readonly desk: Desk;
  readonly files: Pick<BankFiles, "find">;
  readonly books: () => AuditState | undefined;
  readonly keys: () => KeyState | undefined;
  /** From the ledger; undefined while it does not answer. */
  readonly pending: () => Promise<Pending | undefined>;
  readonly levels: AlertLevels;
  readonly clock: () => number;
};

const cursor = z
  .string()
  .regex(/^\d{1,15}$/, "give the `next` of the page before")
  .transform(Number)
  .optional();
const limit = z.coerce.number().int().min(1).max(200).default(50);
const page = z.strictObject({ after: cursor, limit });

const auth = "operator" as const;

const notRead = (): Problem =>
  problem({
    status: 503,
    code: "no-books",
    title: "The books are not read yet",
    action: "Ask again in a moment.",
    headers: { "Retry-After": "1" },
  });

/** The newest first; `next` is there while there may be more. */
const listOf = <T>(name: string, items: readonly T[], most: number, seqOf: (item: T) => number) => {
  const last = items.at(-1);
  const next = items.length < most || last === undefined ? undefined : String(seqOf(last));
  return { status: 200, body: { [name]: items, ...(next === undefined ? {} : { next }) } };
};

const mountPositions = (deps: SettlementRoutesDeps): void => {
  const { app, books, keys, pending, levels, clock } = deps;
  route(app, {
    method: "get",
    path: "/v1/participants",
    summary: "Who takes part, by the key log: roles, currencies, caps, accounts, suspension",
    tags: ["settlement"],
    auth,
    responses: { 200: "Participants and corridors", 503: "The books are not read yet" },
    handler: () => {
      const state = keys();
      if (state === undefined) return notRead();
      const participants = [...state.participants.values()].map(
        ({ participant, roles, currencies, exposure, caps, accounts = [], suspended }) => ({
          participant,
          roles,
          currencies,
          exposure,
          caps,
          accounts,
          suspended,
        }),
      );
      const corridors = [...state.corridors.values()].map((one) => ({
        ...one,
        schedulerKey: undefined,
      }));
      return { status: 200, body: { keysSize: state.size, participants, corridors } };
    },
  });
  const positions = async () => {
    const state = books();
    const known = keys();
    if (state === undefined || known === undefined) return undefined;
    const held = await pending();
    const rows = positionsOf(state, known, held ?? new Map());
    return { state, rows, asOf: state.next, pendingKnown: held !== undefined };
  };
  route(app, {
    method: "get",
    path: "/v1/positions",
    summary: "Per participant and currency: liquidity, cap, pending, exposure, headroom, unbacked",
    tags: ["settlement"],
    auth,
    query: z.strictObject({ participant: participantSchema.optional() }),
    responses: { 200: "Positions; `pendingKnown` is false while the ledger does not answer" },
    handler: async ({ query }) => {
      const at = await positions();
      if (at === undefined) return notRead();
      const { rows, asOf, pendingKnown } = at;
      const { participant } = query;
      const own = rows.filter(
        (row) => participant === undefined || row.participant === participant,
      );
      return { status: 200, body: { asOf, pendingKnown, positions: own } };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/alerts",
    summary:
      "What somebody should look at: headroom, overdue and held nets, legs paid alone, shortfalls",
    tags: ["settlement"],
    auth,
    responses: { 200: "Alerts", 503: "The books are not read yet" },
    handler: async () => {
      const at = await positions();
      if (at === undefined) return notRead();
      return { status: 200, body: { alerts: alertsOf(at.state, at.rows, levels, clock()) } };
    },
  });
};

const mountWindows = ({ app, reader, books }: SettlementRoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/windows",
    summary:
      "Open windows with what they come to so far, and cut ones with their nets, newest first",
    tags: ["settlement"],
    auth,
    query: page,
    responses: { 200: "Windows", 503: "The books are not read yet" },
    handler: async ({ query }) => {
      const state = books();
      if (state === undefined) return notRead();
      const open = [...state.settlement.open.values()].map(
        ({ corridor, number, from, transfers, flows }) => {
          const nets = totalsOf(flows);
          return { corridor, number, from, transfers, nets };
        },
      );
      const cut = await reader.windows(query as { after: number | undefined; limit: number });
      const listed = listOf("windows", cut, query.limit, ({ cutSeq }) => cutSeq);
      return { ...listed, body: { asOf: state.next, open, ...listed.body } };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/windows/:corridor/:number",
    summary: "One cut window: interval, nets, legs, how far each is settled, sums, bank statements",
    tags: ["settlement"],
    auth,
    params: z.object({ corridor: corridorNameSchema, number: z.coerce.number().int().min(0) }),
    responses: { 200: "The window", 404: "Not cut yet, or not known" },
    handler: async ({ params }) => {
      const found = await reader.window(params);
      if (found !== undefined) {
        const statements = await reader.statementsOf(params);
        return { status: 200, body: { asOf: books()?.next, ...found, statements } };
      }
      return problem({
        status: 404,
        code: "window-unknown",
        title: "No such window has been cut",
        action: "See GET /v1/windows.",
      });
    },
  });
};

const mountEntries = ({ app, reader }: SettlementRoutesDeps): void => {
  const list = (path: string, name: string, kinds: readonly string[], summary: string): void => {
    route(app, {
      method: "get",
      path,
      summary,
      tags: ["settlement"],
      auth,
      query: page.extend({ participant: participantSchema.optional() }),
      responses: { 200: "Entries of the log, the newest first" },
      handler: async ({ query }) => {
        const { after, limit: most, participant } = query;
        const rows: EntryRow[] = await reader.entries(kinds, { after, limit: most }, participant);
        return listOf(name, rows, most, ({ seq }) => seq);
      },
    });
  };
  const results = ["settlement", "window-default", "settlement-abort"];
  list("/v1/settlements", "settlements", results, "What was settled, held, defaulted, taken back");
  list("/v1/statements", "statements", ["bank-statement"], "Banks' statements that were taken");
  list(
    "/v1/liquidity",
    "liquidity",
    ["liquidity"],
    "Deposits and withdrawals by banks' statements",
  );
};

const titles: Readonly<Record<number, string>> = {
  400: "This is no signed note",
  403: "This role may not do this",
  422: "The statement cannot stand",
  503: "The books are not read yet",
};

/** A principal is `role/name`. */
const roleOf = (principal: string): Role => {
  const role = principal.split("/")[0];
  return role === "operator" || role === "approver" ? role : "auditor";
};

const askerOf = (principal: string, req: Parameters<typeof idempotencyKey>[0]) => ({
  principal,
  role: roleOf(principal),
  idempotencyKey: idempotencyKey(req),
});

const deskAnswer = ({ status, body }: DeskAnswer): Answer | Problem => {
  if (status < 300) return { status, body };
  const { code, detail } = body as { code: string; detail: string };
  return problem({
    status,
    code,
    title: titles[status] ?? "It was not taken",
    detail,
    action: "Look at the window and the positions, make the statement anew, sign and send it.",
  });
};

/** The file, base64, and the notes, with their quotes escaped. */
const mostStatementBody = Math.ceil((bankFileLimits.bytes * 4) / 3) + mostStatementParts * 40_960;

const mountDesk = ({ app, desk, files }: SettlementRoutesDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/me",
    summary: "Whose token this is, and what its role is here",
    tags: ["settlement"],
    auth,
    responses: { 200: "Principal and role" },
    handler: ({ principal }) => ({ status: 200, body: { principal, role: roleOf(principal) } }),
  });
  route(app, {
    method: "post",
    idempotent: true,
    path: "/v1/statements",
    summary: "Hand in a signed note: a cut, a bank's statement, an advance, a default, an abort",
    tags: ["settlement"],
    auth,
    bodyAs: "text",
    body: z.string().min(1).max(32_768),
    responses: {
      200: "It says what was said before",
      202: "The lane has it, and decides",
      403: "Not for this role",
      422: "Why it cannot stand",
    },
    handler: async ({ body, principal, req }) => {
      const answer = await desk.handIn({ ...askerOf(principal, req), note: body });
      return deskAnswer(answer);
    },
  });
  route(app, {
    method: "post",
    idempotent: true,
    path: "/v1/bank-statements",
    summary: "Hand in a bank's signed statement, in up to 100 parts, with the camt file it is of",
    tags: ["settlement"],
    auth,
    bodyLimit: mostStatementBody,
    body: z.strictObject({
      notes: z.array(z.string().min(1).max(32_768)).min(1).max(mostStatementParts),
      /** The camt.053 or camt.054, base64: must be the signed file, and say what is signed. */
      file: z.base64().min(1).optional(),
    }),
    responses: {
      200: "It says what was said before",
      202: "The lane has it, and decides",
      403: "Not for this role",
      422: "Why it cannot stand, or why the file is not what was signed",
    },
    handler: async ({ body: { notes, file }, principal, req }) => {
      const [note = "", ...more] = notes;
      const answer = await desk.handIn({
        ...askerOf(principal, req),
        note,
        ...(more.length === 0 ? {} : { more }),
        ...(file === undefined ? {} : { file: Buffer.from(file, "base64") }),
      });
      return deskAnswer(answer);
    },
  });
  route(app, {
    method: "get",
    path: "/v1/bank-files",
    summary: "A bank's camt file that was handed in with its statement, by the statement's digest",
    tags: ["settlement"],
    auth,
    query: z.strictObject({ digest: hashSchema }),
    responses: { 200: "The file as it came, application/xml", 404: "It was not handed in" },
    handler: async ({ query }) => {
      const found = await files.find(query.digest);
      if (found === undefined) {
        const title = "No file of this digest was handed in";
        return problem({ status: 404, code: "file-unknown", title });
      }
      const contentType = "application/xml; charset=utf-8";
      return { status: 200, body: found.toString("utf8"), contentType };
    },
  });
  route(app, {
    method: "get",
    path: "/v1/audit-trail",
    summary: "Who handed in what, and the answer, the newest first",
    tags: ["settlement"],
    auth,
    query: z.strictObject({ after: timeCursorSchema, limit }),
    responses: { 200: "Actions" },
    handler: async ({ query }) => {
      const rows = await desk.trail(query.after, query.limit);
      const actions = rows.map(({ at_ms, answer, idempotency_key: _own, ...one }) => ({
        at: formatTime(Number(at_ms)),
        ...one,
        answer: JSON.parse(answer) as unknown,
      }));
      const last = rows.at(-1);
      const next =
        rows.length < query.limit || last === undefined
          ? {}
          : { next: timeCursorText([Number(last.at_ms), last.principal, last.idempotency_key]) };
      return { status: 200, body: { actions, ...next } };
    },
  });
};

export const mountSettlement = (deps: SettlementRoutesDeps): void => {
  mountPositions(deps);
  mountWindows(deps);
  mountEntries(deps);
  mountDesk(deps);
};
