// Zod fields for settings that several services share. Each turns the text of one environment
// variable into a checked value, and its message says what to write instead.
import { resolve } from "node:path";
import { z } from "zod";

const PORT_MAX = 65_535;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** A path, made absolute against the working directory. Whether it exists is found when it is read. */
export const filePath = z
  .string("set it to the path of a file")
  .min(1, "set it to the path of a file")
  .refine((path) => !path.includes("\0"), "a path holds no NUL character")
  .transform((path) => resolve(path));

/** A TCP port; 0 lets the system choose one. Takes text or a number, so that defaults can be numbers. */
export const port = z
  .union([z.string().regex(/^\d{1,5}$/), z.number()], "write a port number from 0 to 65535")
  .transform(Number)
  .refine((value) => Number.isInteger(value) && value >= 0 && value <= PORT_MAX, {
    message: "write a port number from 0 to 65535",
  });

/** A base URL without a trailing slash: https anywhere, plain http on this machine only. */
export const urlLoopbackOrHttps = z
  .string("write a URL, such as https://ledger.example or http://127.0.0.1:8083")
  .refine((text) => urlFault(text) === undefined, { error: (issue) => urlFault(issue.input) ?? "" })
  .transform((text) => text.replace(/\/+$/, ""));

/** Base URLs, separated by commas: one for each lane, in their order. */
export const urlsLoopbackOrHttps = z
  .string("write a URL, such as https://ledger.example or http://127.0.0.1:8083")
  .transform((text) => text.split(","))
  .pipe(z.array(urlLoopbackOrHttps).min(1));

/** A duration in milliseconds: `250`, `250ms`, `5s`, `2m` or `1h`. */
export const durationMs = z
  .union([z.string().regex(/^\d{1,9}(ms|s|m|h)?$/), z.number().int().nonnegative()], {
    error: "write a duration such as 250ms, 5s or 2m",
  })
  .transform((value) => (typeof value === "number" ? value : textToMs(value)));

/** A switch: `1`, `true`, `yes`, `on`, or the opposite words. */
export const flag = z
  .union([z.boolean(), z.enum(["1", "true", "yes", "on", "0", "false", "no", "off"])], {
    error: "write true or false",
  })
  .transform((value) => value === true || ["1", "true", "yes", "on"].includes(String(value)));

function textToMs(text: string): number {
  const digits = Number.parseInt(text, 10);
  const unit = text.replace(/^\d+/, "");
  return digits * (unit === "" ? 1 : (UNIT_MS[unit] ?? 1));
}

function urlFault(text: unknown): string | undefined {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined)
    return "write a URL, such as https://ledger.example or http://127.0.0.1:8083";
  if (url.username !== "" || url.password !== "") return "a URL here carries no user or password";
  if (url.search !== "" || url.hash !== "") return "a URL here carries no query and no fragment";
  if (url.protocol === "https:") return undefined;
  if (url.protocol === "http:" && LOOPBACK.test(url.hostname)) return undefined;
  return "use https, or http on 127.0.0.1 only";
}
