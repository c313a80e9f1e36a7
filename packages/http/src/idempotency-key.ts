// `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): a structured-field string in
// quotes, or, as most clients send it, bare. Both forms of the same characters are the same key.
import type { IncomingMessage } from "node:http";
import { problem, type Problem } from "./problem.ts";

const VISIBLE = /^[\x21-\x7e]{1,255}$/;
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** The key; throws a Problem (400): `idempotency-key-missing` or `idempotency-key-invalid`. */
export function idempotencyKey(req: IncomingMessage): string {
  const header = req.headers["idempotency-key"];
  if (header === undefined || header === "") {
    throw refused("idempotency-key-missing", "the header Idempotency-Key is missing");
  }
  const text = Array.isArray(header) ? header.join(", ") : header;
  const quoted = QUOTED.exec(text)?.[1]?.replaceAll(/\\(["\\])/g, "$1");
  const key = quoted ?? (text.startsWith('"') ? "" : text);
  if (VISIBLE.test(key)) return key;
  throw refused("idempotency-key-invalid", "the key is not 1 to 255 visible ASCII characters");
}

function refused(code: string, detail: string): Problem {
  return problem({
    status: 400,
    code,
    title: "An Idempotency-Key is needed",
    detail,
    pointer: "#/header/idempotency-key",
    action:
      "Send one new key, such as a UUID, for each thing to do, and the same key when repeating.",
  });
}
