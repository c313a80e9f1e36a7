import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpApp, route, startHttp, tokenDigest, type HttpServer } from "@sealane/http";
import { afterEach, describe, expect, it } from "vitest";
import { mountPages, readPages } from "./pages.ts";
import { mountGuard, mountSession } from "./routes.ts";
import { makeSessions, refuseOpenConsole, type Access } from "./sessions.ts";

const token = "a-token-of-alice-0123456789";
const operators: Access = { kind: "operators", digests: new Map([["alice", tokenDigest(token)]]) };
const started: HttpServer[] = [];
const folders: string[] = [];
let nowMs = 0;

const start = async (access: Access): Promise<HttpServer> => {
  const folder = mkdtempSync(join(tmpdir(), "sealane-pages-"));
  folders.push(folder);
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html>");
  writeFileSync(join(folder, "assets", "index-abc.js"), "export {};");
  writeFileSync(join(folder, "stamp"), "secret");
  const app = createHttpApp({ name: "test" });
  const sessions = makeSessions(access, () => nowMs);
  mountGuard({ app, sessions });
  mountSession({ app, access, sessions, origin: "sealane.example/2026/0" });
  route(app, {
    method: "get",
    path: "/api/secret",
    summary: "Only for viewers",
    responses: { 200: "The viewer" },
    handler: ({ req }) => ({ status: 200, body: { viewer: sessions.viewer(req) } }),
  });
  mountPages(app, readPages(folder));
  const http = await startHttp({ app, port: 0 });
  started.push(http);
  return http;
};

afterEach(async () => {
  for (const http of started.splice(0)) await http.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

type Got = { readonly status: number; readonly headers: Headers; readonly text: string };
const get = async (http: HttpServer, path: string, init: RequestInit = {}): Promise<Got> => {
  const answer = await fetch(http.url + path, { ...init, signal: AbortSignal.timeout(5_000) });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

/** With headers that fetch keeps to itself. */
const statusWith = (http: HttpServer, path: string, headers: Record<string, string>) =>
  new Promise<number>((resolve, reject) => {
    const out = request({ port: http.port, path, headers });
    out.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    out.on("error", reject);
    out.end();
  });
const statusByName = (http: HttpServer, host: string): Promise<number> =>
  statusWith(http, "/api/session", { Host: host });

const login = (http: HttpServer, given: string): Promise<Got> =>
  get(http, "/api/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token: given }),
  });

describe("an open console", () => {
  it("asks nobody who they are, and has no login to try tokens at", async () => {
    const http = await start({ kind: "open" });
    expect(JSON.parse((await get(http, "/api/session")).text)).toMatchObject({ open: true });
    expect((await get(http, "/api/secret")).status).toBe(200);
    expect((await login(http, token)).status).not.toBe(204);
  });

  it("answers by this machine's names alone, whatever a foreign DNS says", async () => {
    const http = await start({ kind: "open" });
    expect(await statusByName(http, `localhost:${http.port}`)).toBe(200);
    expect(await statusByName(http, `[::1]:${http.port}`)).toBe(200);
    expect(await statusByName(http, "rebound.attacker.example")).toBe(403);
    expect(await statusByName(http, "127.0.0.1.attacker.example")).toBe(403);
  });

  it("does not answer other sites' scripts, but may be opened from a link", async () => {
    const http = await start({ kind: "open" });
    const from = (site: string, mode: string): Promise<number> =>
      statusWith(http, "/api/secret", { "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode });
    expect(await from("cross-site", "no-cors")).toBe(403);
    expect(await from("same-site", "cors")).toBe(403);
    expect(await from("cross-site", "navigate")).toBe(200);
    expect(await from("same-origin", "cors")).toBe(200);
  });

  it("is refused anywhere but on loopback, and a closed one without tokens anywhere", () => {
    expect(() => refuseOpenConsole("yes", "0.0.0.0", undefined)).toThrow(/127\.0\.0\.1 alone/);
    expect(() => refuseOpenConsole("yes", "127.0.0.1", undefined)).not.toThrow();
    expect(() => refuseOpenConsole("no", "127.0.0.1", undefined)).toThrow(/TOKENS_FILE/);
    expect(() => refuseOpenConsole("no", "0.0.0.0", "/tokens.json")).not.toThrow();
  });
});

describe("a console with a login", () => {
  it("shows nothing without a session, and a session begins with an operator's token alone", async () => {
    const http = await start(operators);
    expect((await get(http, "/api/secret")).status).toBe(401);
    expect((await login(http, "somebody-elses-token-01234")).status).toBe(401);
    const begun = await login(http, token);
    expect(begun.status).toBe(204);
    const cookie = begun.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(cookie).not.toContain(token);
    const seen = await get(http, "/api/secret", { headers: { Cookie: cookie.split(";")[0]! } });
    expect(JSON.parse(seen.text)).toEqual({ viewer: "alice" });
  });

  it("ends a session when it is left, and after twelve hours", async () => {
    const http = await start(operators);
    const begin = async () => (await login(http, token)).headers.get("set-cookie")!.split(";")[0]!;
    const left = await begin();
    await get(http, "/api/logout", { method: "POST", headers: { Cookie: left } });
    expect((await get(http, "/api/secret", { headers: { Cookie: left } })).status).toBe(401);
    const old = await begin();
    nowMs += 12 * 3_600_000 + 1;
    expect((await get(http, "/api/secret", { headers: { Cookie: old } })).status).toBe(401);
  });
});

describe("the pages", () => {
  it("run no script but our files, load from no other host, and stand in no frame", async () => {
    const http = await start({ kind: "open" });
    const { headers } = await get(http, "/");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  it("find their own way at any address, but no file is made up", async () => {
    const http = await start({ kind: "open" });
    const page = await get(http, "/transfers/5137dbb5-feab-4322-97f0-44a8b18cfb11");
    expect([page.status, page.text]).toEqual([200, "<!doctype html>"]);
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const script = await get(http, "/assets/index-abc.js");
    expect(script.headers.get("cache-control")).toContain("immutable");
    for (const path of ["/assets/index-old.js", "/stamp.txt", "/api/nothing"]) {
      const answer = await get(http, path);
      expect([path, answer.status, answer.text.includes("secret")]).toEqual([path, 404, false]);
    }
    // A folder above is no place: it is a page's address like any other.
    expect((await get(http, "/..%2fstamp")).text).toBe("<!doctype html>");
  });
});
