// Promise 11: every operation of every service, from its own OpenAPI document, without a token, with a
// made-up one and with another service's: nobody gets in.
import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import type { AuditedSystem } from "../audited-log.ts";
import { judge, type Verdict } from "./oracle.ts";

type Operation = { readonly security?: readonly object[] };
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

const services = ["hk-wallet", "ph-wallet", "ledger", "reconciliation", "fx-desk"] as const;
const methods = new Set(["get", "post", "put", "patch", "delete"]);

/** Tokens that are good somewhere else. */
const strangers = {
  "hk-wallet": ["ph-wallet", "api.token"],
  "ph-wallet": ["hk-wallet", "api.token"],
  ledger: ["hk-wallet", "api.token"],
  reconciliation: ["hk-wallet", "ledger.token"],
  "fx-desk": ["hk-wallet", "api.token"],
} as const;

const guarded = async (url: string): Promise<{ method: string; path: string }[]> => {
  const response = await fetch(`${url}/v1/openapi.json`, { signal: AbortSignal.timeout(5_000) });
  const { paths } = (await response.json()) as Document;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { security = [] }]) =>
      methods.has(method) && security.length > 0 ? [{ method, path }] : [],
    ),
  );
};

const knock = async (url: string, method: string, token: string | undefined): Promise<number> => {
  const response = await fetch(url, {
    method: method.toUpperCase(),
    headers: {
      "Content-Type": "application/json",
      "Idempotency-Key": randomUUID(),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    ...(method === "get" ? {} : { body: "{}" }),
    signal: AbortSignal.timeout(5_000),
  });
  await response.body?.cancel();
  return response.status;
};

/** Every guarded door of one service, with each wrong token. @returns what each answered */
const knockAtAll = async (url: string, stranger: string) => {
  const answers: { readonly door: string; readonly status: number }[] = [];
  for (const { method, path } of await guarded(url)) {
    const place = `${url}${path.replaceAll(/\{[^}]+\}/g, randomUUID())}`;
    for (const token of [undefined, "made-up", stranger]) {
      answers.push({ door: `${method} ${path}`, status: await knock(place, method, token) });
    }
  }
  return answers;
};

export const accessVerdict = async ({ stack }: AuditedSystem): Promise<Verdict> => {
  const findings: string[] = [];
  let tried = 0;
  for (const name of services) {
    const [owner, file] = strangers[name];
    const stranger = readFileSync(stack.home.keys(owner, file), "utf8").trim();
    const answers = await knockAtAll(stack.urls[name] ?? "", stranger);
    tried += answers.length;
    for (const { door, status } of answers) {
      if (status !== 401 && status !== 403) findings.push(`${name} ${door}: ${status}`);
    }
  }
  return judge(11, `${tried} knocks at guarded doors`, tried === 0 ? ["no door found"] : findings);
};
