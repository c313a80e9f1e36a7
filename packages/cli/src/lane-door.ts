// The ledger's door for operators: where the lane stops, and handing in a decision.
import { CliError } from "./cli-error.ts";

export type LaneStatus = {
  readonly lane: number;
  readonly origin: string;
  readonly size: number;
  readonly stopped?: {
    readonly offset: string;
    readonly hash: string;
    readonly size: number;
    readonly detail: string;
  };
};

const timeoutMs = 10_000;

const call = async (url: string, init: RequestInit): Promise<Response> => {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    return await fetch(url, { ...init, signal, redirect: "error" });
  } catch (cause) {
    throw new CliError(
      "ledger-unreachable",
      `${url} cannot be reached`,
      "Is the ledger up?",
      cause,
    );
  }
};

/** @throws CliError `ledger-unreachable`, `answer-invalid` */
export const askLane = async (ledger: string): Promise<LaneStatus> => {
  const response = await call(`${ledger}/v1/lane`, {});
  const body = response.ok ? ((await response.json()) as Partial<LaneStatus>) : {};
  const { lane, origin, size, stopped } = body;
  if (typeof lane === "number" && typeof origin === "string" && typeof size === "number") {
    return { lane, origin, size, ...(stopped === undefined ? {} : { stopped }) };
  }
  const message = `${ledger} does not say how its lane is (${response.status})`;
  throw new CliError("answer-invalid", message, "Give the ledger's URL: --ledger URL.");
};

/** Hands a signed decision in. @throws CliError with the ledger's own code when it does not count */
export const sendDecision = async (ledger: string, note: string): Promise<void> => {
  const headers = { "Content-Type": "text/plain; charset=utf-8" };
  const response = await call(`${ledger}/v1/lane/set-aside`, {
    method: "POST",
    body: note,
    headers,
  });
  if (response.ok) return;
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const { code, detail, action } = problem;
  throw new CliError(
    typeof code === "string" ? code : `http-${response.status}`,
    `the ledger does not take it: ${typeof detail === "string" ? detail : response.status}`,
    typeof action === "string" ? action : "See `sealane lane status`.",
  );
};
