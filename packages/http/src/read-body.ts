// Reads a request's body into one buffer, within a limit that is enforced while reading, whatever the
// headers say. What is over the limit is drained (up to a bound) so that the 413 reaches the client.
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { parseJsonStrictly } from "./json-text.ts";
import { problem, type Problem } from "./problem.ts";

const DRAIN_BYTES = 1_048_576;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;\s*charset=(?:"utf-8"|utf-8)\s*)?$/i;

/** The body's bytes. Throws a Problem: 413 over the limit, 415 when compressed, 400 when cut off. */
export async function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  refuseCompressed(req);
  if (Number(req.headers["content-length"] ?? 0) > limit) {
    drain(req);
    throw tooLarge(limit);
  }
  return await collect(req, limit);
}

/** Refuses (415) a body with a Content-Encoding. */
export function refuseCompressed(req: IncomingMessage): void {
  const encoding = req.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") throw compressed();
}

/** Whether the request has a body at all, be it an empty one in chunks. */
export function hasBody(req: IncomingMessage): boolean {
  if (req.headers["transfer-encoding"] !== undefined) return true;
  return Number(req.headers["content-length"] ?? 0) > 0;
}

/** Refuses (415) any type but JSON in UTF-8. */
export function requireJson(req: IncomingMessage): void {
  const type = req.headers["content-type"];
  if (type !== undefined && (type === "application/json" || JSON_TYPE.test(type))) return;
  throw problem({
    status: 415,
    code: "content-type-unsupported",
    title: "The content type is not accepted here",
    detail: "this resource takes JSON in UTF-8",
    pointer: "#/header/content-type",
    action: "Send the body as JSON with Content-Type: application/json.",
    headers: { Accept: "application/json" },
  });
}

/** Decodes UTF-8 strictly; throws a Problem (400) otherwise. */
export function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw problem({
    status: 400,
    code: "utf8-malformed",
    title: "The body is not UTF-8",
    detail: "the bytes of the body are not well-formed UTF-8",
    pointer: "",
    action: "Encode the body as UTF-8.",
  });
}

/** Decodes and parses; an empty body is a problem of its own. */
export function jsonOf(bytes: Buffer, maxDepth: number): unknown {
  if (bytes.length === 0) {
    throw problem({
      status: 400,
      code: "body-missing",
      title: "A body is needed",
      pointer: "",
      detail: "the request has no body",
      action: "Send a JSON object.",
    });
  }
  return parseJsonStrictly(textOf(bytes), maxDepth);
}

function collect(req: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      req.off("data", onData).off("end", onEnd).off("aborted", onCut).off("error", onCut);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        stop();
        drain(req);
        reject(tooLarge(limit));
      } else {
        chunks.push(chunk);
      }
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    };
    const onCut = (): void => {
      stop();
      reject(cutOff());
    };
    req.on("data", onData).on("end", onEnd).on("aborted", onCut).on("error", onCut);
  });
}

function drain(req: IncomingMessage): void {
  let drained = 0;
  req.on("error", () => undefined);
  req.on("data", (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > DRAIN_BYTES) req.destroy();
  });
}

function tooLarge(limit: number): Problem {
  return problem({
    status: 413,
    code: "body-too-large",
    title: "The body is too large",
    detail: `this resource takes at most ${limit} bytes`,
    pointer: "",
    action: "Send less at once, or use the resource for many items.",
    extra: { limit },
    headers: { Connection: "close" },
  });
}

function compressed(): Problem {
  return problem({
    status: 415,
    code: "content-encoding-unsupported",
    title: "Compressed bodies are not accepted",
    detail: "the body has a Content-Encoding",
    pointer: "#/header/content-encoding",
    action: "Send the body as it is, without Content-Encoding.",
    headers: { "Accept-Encoding": "identity" },
  });
}

function cutOff(): Problem {
  return problem({
    status: 400,
    code: "body-cut-off",
    title: "The body ended too early",
    pointer: "",
    action: "Send the whole body.",
  });
}
