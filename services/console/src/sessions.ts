// Who looks: nobody is asked on the local stack (127.0.0.1, and by that name); anywhere else an operator
// gives a token once, and gets a cookie that no script can read and no other site can send.
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { problem, tokenDigest, type Problem } from "@sealane/http";
import { ConfigError } from "@sealane/runtime";

export type Access =
  | { readonly kind: "open" }
  | { readonly kind: "operators"; readonly digests: ReadonlyMap<string, Uint8Array> };

export type Sessions = {
  /** Who calls; throws a Problem when it is nobody. */
  readonly viewer: (req: IncomingMessage) => string;
  /** A cookie for a token, or undefined when it is nobody's. */
  readonly begin: (token: string) => { operator: string; cookie: string } | undefined;
  readonly end: (req: IncomingMessage) => string;
  /** A Problem for a request that another site's page may have made. */
  readonly foreign: (req: IncomingMessage) => Problem | undefined;
};

const loopback = /^(?:127(?:\.\d{1,3}){3}|::1)$/;
const localHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;
const cookieName = "sealane-console";
const lifeMs = 12 * 3_600_000;
const mostSessions = 1_000;

/** @throws ConfigError for an open console that others could reach, or one with neither way in */
export const refuseOpenConsole = (
  open: "yes" | "no",
  host: string,
  tokensFile: string | undefined,
): void => {
  const wrong = (variable: string, text: string): never => {
    throw new ConfigError([{ variable, problem: text }]);
  };
  if (open === "yes" && !loopback.test(host)) {
    wrong(
      "SEALANE_CONSOLE_OPEN",
      `"yes" is for a console on 127.0.0.1 alone: give operators tokens`,
    );
  }
  if (open === "no" && tokensFile === undefined) {
    wrong("SEALANE_CONSOLE_TOKENS_FILE", "is not set, and without a login nobody could look");
  }
};

const cookieOf = (req: IncomingMessage): string | undefined =>
  (req.headers.cookie ?? "")
    .split(";")
    .map((part) => part.trim().split("="))
    .find(([name]) => name === cookieName)?.[1];

const cookieText = (value: string, maxAgeS: number): string =>
  `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}`;

const loginNeeded = (): Problem =>
  problem({
    status: 401,
    code: "login-needed",
    title: "Sign in first",
    action: "Give an operator's token on the console's first page.",
  });

const wrongSite = (): Problem =>
  problem({
    status: 403,
    code: "other-site",
    title: "This request came by another name or from another site",
    action: "Open the console by its own address, such as http://127.0.0.1:8080.",
  });

export const makeSessions = (access: Access, clock: () => number): Sessions => {
  const sessions = new Map<string, { readonly operator: string; readonly untilMs: number }>();

  const operatorOf = (token: string): string | undefined => {
    if (access.kind === "open") return undefined;
    const given = tokenDigest(token);
    let found: string | undefined;
    for (const [operator, digest] of access.digests) {
      if (timingSafeEqual(digest, given)) found = operator;
    }
    return found;
  };

  return {
    viewer: (req) => {
      if (access.kind === "open") return "anybody on this machine";
      const session = sessions.get(cookieOf(req) ?? "");
      if (session === undefined || session.untilMs < clock()) throw loginNeeded();
      return session.operator;
    },
    begin: (token) => {
      const operator = operatorOf(token);
      if (operator === undefined) return undefined;
      for (const [id, { untilMs }] of sessions) if (untilMs < clock()) sessions.delete(id);
      const [oldest] = sessions.keys();
      if (sessions.size >= mostSessions && oldest !== undefined) sessions.delete(oldest);
      const id = randomBytes(32).toString("base64url");
      sessions.set(id, { operator, untilMs: clock() + lifeMs });
      return { operator, cookie: cookieText(id, lifeMs / 1_000) };
    },
    end: (req) => {
      sessions.delete(cookieOf(req) ?? "");
      return cookieText("", 0);
    },
    foreign: (req) => {
      // A name that somebody else's DNS points at this machine is not ours.
      const host = req.headers.host ?? "";
      if (access.kind === "open" && !localHost.test(host)) return wrongSite();
      const site = req.headers["sec-fetch-site"];
      const isForeign = site === "cross-site" || site === "same-site";
      const navigates = req.headers["sec-fetch-mode"] === "navigate" && req.method === "GET";
      return isForeign && !navigates ? wrongSite() : undefined;
    },
  };
};
