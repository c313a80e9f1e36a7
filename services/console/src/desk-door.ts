// Who acts at reconciliation's desk: a person gives the token that the desk knows them by, once; it stays in
// this process's memory for a session, behind a cookie that no script can read, and goes nowhere else. It
// is no signing key: where money moves, the desk asks for signatures that are made elsewhere.
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { problem, type HttpClient, type Problem } from "@sealane/http";
import { asked, jsonOf } from "./call.ts";
import { meSchema, type DeskSession } from "./desk-shapes.ts";
import type { Access } from "./sessions.ts";

export type DeskIdentity = {
  readonly principal: string;
  readonly role: "operator" | "approver" | "auditor";
  readonly token: string;
};

export type DeskDoor = {
  /** Asks the desk whose token it is. @returns the cookie, or why not */
  begin(req: IncomingMessage, viewer: string, token: string): Promise<string | Problem>;
  /** Who acts, or undefined. A session of the console that is another person's has none. */
  who(req: IncomingMessage, viewer: string): DeskIdentity | undefined;
  /** @returns the cookie that takes the other one back */
  end(req: IncomingMessage): string;
};

const cookieName = "sealane-desk";
const lifeMs = 8 * 3_600_000;
const mostSessions = 1_000;

const cookieOf = (req: IncomingMessage): string | undefined =>
  (req.headers.cookie ?? "")
    .split(";")
    .map((part) => part.trim().split("="))
    .find(([name]) => name === cookieName)?.[1];

const cookieText = (value: string, maxAgeS: number): string =>
  `${cookieName}=${value}; Path=/api; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}`;

/** `approver/maria` is maria. */
export const personOf = (principal: string): string => principal.slice(principal.indexOf("/") + 1);

export const deskSilent = (detail: string): Problem =>
  problem({
    status: 503,
    code: "source-down",
    title: "Reconciliation does not answer",
    detail,
    action: "Nothing is lost; ask again in a moment.",
    headers: { "Retry-After": "2" },
  });

const refused = (status: number, code: string, title: string, action: string): Problem =>
  problem({ status, code, title, action });

export const sessionOf = (who: DeskIdentity | undefined): DeskSession =>
  who === undefined ? {} : { principal: who.principal, role: who.role };

type Session = { readonly who: DeskIdentity; readonly viewer: string; readonly untilMs: number };

/** @param desk a client of reconciliation that has no token of its own */
export const makeDeskDoor = (desk: HttpClient, access: Access, clock: () => number): DeskDoor => {
  const sessions = new Map<string, Session>();

  const keep = (viewer: string, who: DeskIdentity): string => {
    for (const [id, { untilMs }] of sessions) if (untilMs < clock()) sessions.delete(id);
    const [oldest] = sessions.keys();
    if (sessions.size >= mostSessions && oldest !== undefined) sessions.delete(oldest);
    const id = randomBytes(32).toString("base64url");
    sessions.set(id, { who, viewer, untilMs: clock() + lifeMs });
    return cookieText(id, lifeMs / 1_000);
  };

  return {
    begin: async (req, viewer, token) => {
      const headers = { Authorization: `Bearer ${token}` };
      const answer = asked(await desk.get("/v1/me", { headers }));
      if (!answer.ok) return deskSilent(answer.detail);
      const me = meSchema.safeParse(answer.status === 200 ? jsonOf(answer.body) : undefined).data;
      if (me === undefined) {
        const action = "It is in keys/<your name>/staff.token of the operator's folder.";
        return refused(401, "token-invalid", "The desk does not know this token", action);
      }
      if (access.kind === "operators" && personOf(me.principal) !== viewer) {
        const title = `This token is ${personOf(me.principal)}'s, and ${viewer} is signed in`;
        return refused(403, "other-person", title, "Everybody acts in their own name.");
      }
      sessions.delete(cookieOf(req) ?? "");
      return keep(viewer, { ...me, token });
    },
    who: (req, viewer) => {
      const session = sessions.get(cookieOf(req) ?? "");
      if (session === undefined || session.untilMs < clock()) return undefined;
      return session.viewer === viewer ? session.who : undefined;
    },
    end: (req) => {
      sessions.delete(cookieOf(req) ?? "");
      return cookieText("", 0);
    },
  };
};
