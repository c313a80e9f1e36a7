// `Prefer: wait=N` (RFC 7240 §4.3): how long a client would wait for the final answer before a 202.
import type { IncomingMessage, ServerResponse } from "node:http";

const MAX_WAIT_SECONDS = 30;

/**
 * The wait that the client prefers, in milliseconds, at most 30 s; sets `Preference-Applied`. What
 * cannot be understood is ignored, as the RFC demands; of several the first counts.
 */
export function parsePrefer(req: IncomingMessage & { res?: ServerResponse | undefined }): {
  waitMs?: number;
} {
  const header = req.headers.prefer;
  if (header === undefined) return {};
  const text = Array.isArray(header) ? header.join(",") : header;
  for (const preference of text.split(",")) {
    const found = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;.*)?$/i.exec(preference);
    if (found === null) continue;
    const seconds = Math.min(Number(found[1]), MAX_WAIT_SECONDS);
    if (req.res?.headersSent === false) req.res.setHeader("Preference-Applied", `wait=${seconds}`);
    return { waitMs: seconds * 1_000 };
  }
  return {};
}
