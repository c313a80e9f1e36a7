// Reconciliation's desk for operators, approvers and auditors: what it shows, and handing in a note that
// people have signed with keys of their own. A desk that is busy, or whose answer is lost, is asked again under
// the same key, which does nothing twice.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../cli-error.ts";
import { readBytes, readDefaults } from "../defaults.ts";

export type DeskFlags = {
  readonly desk?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
};

type Leg = {
  readonly reference: string;
  readonly currency: string;
  readonly side: "pay" | "receive";
  readonly counterparty: string;
  readonly amount: string;
  readonly booked: boolean;
};

export type WindowView = {
  readonly corridor: string;
  readonly number: number;
  readonly from?: number;
  readonly to?: number;
  readonly cutTime: string;
  readonly payBy?: string;
  readonly netting?: string;
  readonly attempt: number;
  readonly status: "settled" | "unsettled";
  readonly nets: readonly {
    readonly participant: string;
    readonly status: "open" | "held" | "settled" | "defaulted";
    readonly why?: string;
    readonly reason?: string;
    readonly totals: readonly {
      readonly currency: string;
      readonly debits: string;
      readonly credits: string;
      readonly fees: string;
    }[];
    readonly legs: readonly Leg[];
  }[];
};

export type WindowList = {
  readonly asOf: number;
  readonly open: readonly {
    readonly corridor: string;
    readonly number: number;
    readonly from: number;
    readonly transfers: number;
  }[];
  readonly windows: readonly WindowView[];
};

export type Position = Readonly<
  Record<
    "participant" | "currency" | "liquidity" | "unbacked" | "pending" | "exposure" | "headroom",
    string
  >
> & { readonly cap?: string; readonly usedPercent: number; readonly shortfall: string };

const timeoutMs = 15_000;
/** Tries of a request, and the pause between two of them where the desk names none. */
const mostTries = 8;
const pauseMs = 1_000;
const longestPauseMs = 5_000;

const doorOf = ({ desk, tokenFile }: DeskFlags) => {
  const defaults = readDefaults();
  const url = desk ?? defaults.reconciliation;
  const file = tokenFile ?? defaults.staffToken;
  if (url === undefined) {
    throw new CliError("desk-missing", "which reconciliation?", "Give its URL: --desk URL.");
  }
  if (file === undefined) {
    throw new CliError("token-missing", "who are you?", "Give your token: --token-file FILE.");
  }
  const token = Buffer.from(readBytes(file, "the token")).toString("utf8").trim();
  return { url, token };
};

/** One try: what the desk answers, or that nothing came. */
const attempt = async (url: string, init: RequestInit): Promise<Response | CliError> => {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    return await fetch(url, { ...init, signal, redirect: "error" });
  } catch (cause) {
    const action = "Is reconciliation up? Asking again does no harm.";
    return new CliError("desk-unreachable", `${url} cannot be reached`, action, cause);
  }
};

/** How long until the next try, or undefined where the answer is one. Who is not there is not waited for. */
const pauseBefore = (answer: Response | CliError): number | undefined => {
  if (answer instanceof CliError) {
    const slow = answer.cause instanceof DOMException && answer.cause.name === "TimeoutError";
    return slow ? pauseMs : undefined;
  }
  if (answer.status !== 503) return undefined;
  const said = Number(answer.headers.get("Retry-After") ?? Number.NaN) * 1_000;
  return said >= 0 && said <= longestPauseMs ? said : pauseMs;
};

const asked = async (url: string, init: RequestInit): Promise<Response | CliError> => {
  for (let tries = 1; ; tries += 1) {
    const answer = await attempt(url, init);
    const pause = tries < mostTries ? pauseBefore(answer) : undefined;
    if (pause === undefined) return answer;
    await sleep(pause);
  }
};

const knock = async (flags: DeskFlags, path: string, init: RequestInit = {}): Promise<Response> => {
  const { url, token } = doorOf(flags);
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${token}`);
  const response = await asked(`${url}${path}`, { ...init, headers });
  if (response instanceof CliError) throw response;
  if (response.ok) return response;
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const { code, action } = body;
  const why = [body["detail"], body["title"]].find((one) => typeof one === "string");
  throw new CliError(
    typeof code === "string" ? code : `http-${response.status}`,
    why ?? `it answers ${response.status}`,
    typeof action === "string" ? action : "See `sealane window list`.",
  );
};

const call = async (flags: DeskFlags, path: string, init: RequestInit = {}): Promise<unknown> => {
  const response = await knock(flags, path, init);
  return response.json().catch(() => ({}));
};

export type DeskDocument = {
  readonly bytes: Uint8Array;
  /** Entries that the books had, where it is said. */
  readonly asOf: string | undefined;
};

/** A document as it is. */
export const askDocument = async (flags: DeskFlags, path: string): Promise<DeskDocument> => {
  const response = await knock(flags, path);
  const asOf = response.headers.get("Sealane-As-Of") ?? undefined;
  return { bytes: await response.bytes(), asOf };
};

export const askDesk = async <T>(flags: DeskFlags, path: string): Promise<T> =>
  (await call(flags, path)) as T;

/** Tells the desk something in JSON, under a key of its own. @throws CliError with the desk's code */
export const tellDesk = async <T>(flags: DeskFlags, path: string, body: object): Promise<T> => {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": randomUUID() };
  const init = { method: "POST", body: JSON.stringify(body), headers };
  return (await call(flags, path, init)) as T;
};

type HandedIn = { readonly kind: string; readonly subject: string; readonly already?: boolean };

/** Hands a bank's statement in, all of its parts, with its file. @throws CliError with the desk's code */
export const handInStatement = async (
  flags: DeskFlags,
  notes: readonly string[],
  file: Uint8Array | undefined,
): Promise<HandedIn> => {
  const camt = file === undefined ? {} : { file: Buffer.from(file).toString("base64") };
  return tellDesk<HandedIn>(flags, "/v1/bank-statements", { notes, ...camt });
};

/** Hands a signed note in. @throws CliError with the desk's own code when it cannot stand */
export const handIn = async (flags: DeskFlags, note: string): Promise<HandedIn> => {
  const headers = {
    "Content-Type": "text/plain; charset=utf-8",
    "Idempotency-Key": randomUUID(),
  };
  const init = { method: "POST", body: note, headers };
  return (await call(flags, "/v1/statements", init)) as HandedIn;
};
