// Bearer tokens (RFC 6750). A process holds only SHA-256 digests of them; comparing digests in
// constant time, and always with every one, tells a guesser nothing.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { problem, type Problem } from "./problem.ts";

/** Who may call a route. `none` is open. */
export type AuthKind = "core" | "participant" | "operator" | "auditor" | "none";

/** Answers the principal that a request proves to be, or undefined. */
export type Authenticator = (req: IncomingMessage) => string | undefined;

/** One authenticator for each kind that the app's routes name. */
export type Authenticators = Readonly<Partial<Record<Exclude<AuthKind, "none">, Authenticator>>>;

/** A signed token of an auditor is a note in base64: some 400 characters. */
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]{16,2048}=*)$/i;

/** The bearer token of a request, as it came. */
export function bearerToken(req: IncomingMessage): string | undefined {
  return BEARER.exec(req.headers.authorization ?? "")?.[1];
}

/** The digest under which a token is kept. */
export function tokenDigest(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

/**
 * An authenticator over principals and the SHA-256 digests of their tokens.
 * @example createHttpApp({ name, auth: { core: bearerAuth(new Map([["core", digest]])) } });
 */
export function bearerAuth(tokens: ReadonlyMap<string, Uint8Array>): Authenticator {
  const known = [...tokens].map(([principal, digest]) => ({ principal, digest }));
  return (req) => {
    const token = bearerToken(req);
    if (token === undefined) return undefined;
    const given = tokenDigest(token);
    let found: string | undefined;
    for (const one of known) {
      if (timingSafeEqual(one.digest, given)) found = one.principal;
    }
    return found;
  };
}

/** The principal of a request; throws a Problem: 401 not proven, 403 proven for something else. */
export function authenticate(
  req: IncomingMessage,
  kind: Exclude<AuthKind, "none">,
  authenticators: Authenticators,
): string {
  const principal = authenticators[kind]?.(req);
  if (principal !== undefined) return principal;
  for (const other of Object.values(authenticators)) {
    if (other(req) !== undefined) throw forbidden();
  }
  throw unauthorized(req.headers.authorization !== undefined);
}

function unauthorized(presented: boolean): Problem {
  const challenge = presented
    ? 'Bearer realm="sealane", error="invalid_token"'
    : 'Bearer realm="sealane"';
  return problem({
    status: 401,
    code: presented ? "token-invalid" : "token-missing",
    title: "Who is calling is not known",
    detail: presented ? "the bearer token is not known here" : "the request has no bearer token",
    pointer: "#/header/authorization",
    action: "Send Authorization: Bearer with the token that was given to you for this service.",
    headers: { "WWW-Authenticate": challenge },
  });
}

function forbidden(): Problem {
  return problem({
    status: 403,
    code: "not-allowed",
    title: "This caller may not do this",
    detail: "the token is known, but not for this resource",
    action: "Use a token of the kind that this resource asks for.",
    headers: { "WWW-Authenticate": 'Bearer realm="sealane", error="insufficient_scope"' },
  });
}
