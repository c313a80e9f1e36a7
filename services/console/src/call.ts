// Calls to other services, each with a deadline, and their three outcomes in words for a screen.
import type { CallOutcome } from "@sealane/http";

export type Asked =
  | { readonly ok: true; readonly status: number; readonly body: string }
  | { readonly ok: false; readonly detail: string };

export const asked = (outcome: CallOutcome): Asked => {
  if (outcome.outcome === "ok") return { ok: true, status: outcome.status, body: outcome.body };
  const { code } = outcome.error as { code?: string };
  const reason = code === "ECONNREFUSED" ? "nobody listens there" : outcome.error.message;
  return {
    ok: false,
    detail: outcome.outcome === "failed" ? reason : `no whole answer: ${reason}`,
  };
};

/** What a JSON text holds, or undefined. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
