// The built pages: files from one folder, read once, and the headers that keep them what they are. No
// script or style but our own files, no other host, no frame around us.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { sendAnswer, type HttpApp } from "@sealane/http";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
};

export type PageFile = { readonly body: Buffer; readonly type: string; readonly cache: string };

/** Files by their URL's path. What the build names by its content is kept for ever. */
export const readPages = (folder: string): ReadonlyMap<string, PageFile> => {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    files
      .filter((file) => types[extname(file)] !== undefined && statSync(join(folder, file)).isFile())
      .map((file): [string, PageFile] => {
        const path = `/${file.replaceAll("\\", "/")}`;
        const cache = path.startsWith("/assets/")
          ? "public, max-age=31536000, immutable"
          : "no-cache";
        const type = types[extname(file)] ?? "";
        return [path, { body: readFileSync(join(folder, file)), type, cache }];
      }),
  );
};

const isPage = (path: string): boolean =>
  !path.startsWith("/api/") && !path.startsWith("/v1/") && !/\.[a-z0-9]+$/i.test(path);

/** Mount it last: every path that nobody else takes is a page, and the pages find their own way. */
export const mountPages = (app: HttpApp, pages: ReadonlyMap<string, PageFile>): void => {
  app.router.get("/{*path}", (req, res, next) => {
    const file = pages.get(req.path) ?? (isPage(req.path) ? pages.get("/index.html") : undefined);
    if (file === undefined) {
      next();
      return;
    }
    const { body, type, cache } = file;
    sendAnswer(res, {
      status: 200,
      body,
      contentType: type,
      headers: { ...securityHeaders, "Cache-Control": cache },
    });
  });
};
