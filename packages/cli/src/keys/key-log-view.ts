// The key log for `sealane keys`: always checked against the pinned policy, whether it comes from the
// ledger or from a copy beside the policy. And the one call that writes: a signed statement, sent.
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { dirname, join } from "node:path";
import { fetchKeyLog, LogReadError, makeLogReader } from "@sealane/client";
import { keyLogKeyOf, verifyKeyLog, wasSaid, type KeyHistory, type KeyState } from "@sealane/rules";
import { fromUtf8, type TlogPolicy } from "@sealane/tlog";
import { CliError } from "../cli-error.ts";
import { loadPolicy, readBytes, readDefaults, type Defaults } from "../defaults.ts";
import { parseKeysCopy } from "../read-keys.ts";
import { actionOf, formatProposal, type Proposal } from "./proposal.ts";

export type KeyLogFlags = {
  readonly policy?: string;
  /** A copy of the key log instead of the ledger's. */
  readonly keys?: string;
  /** The lane's log; the key log is below it, and the ledger's API beside it. */
  readonly url?: string;
};

export type KeyLogPlace = {
  readonly policy: TlogPolicy;
  readonly origin: string;
  readonly url: string | undefined;
  readonly copy: string | undefined;
};

/** Where the key log is; reads the policy only. @throws CliError */
export const findKeyLog = (
  flags: KeyLogFlags,
  defaults: Defaults = readDefaults(),
): KeyLogPlace => {
  const { policy, path } = loadPolicy(flags.policy, defaults);
  const origin = keyLogKeyOf(policy)?.name;
  if (origin === undefined) {
    const action = "Pin a policy with a `log` line whose name ends in /keys.";
    throw new CliError("policy-malformed", `${path} names no key log`, action);
  }
  const url =
    flags.keys === undefined ? (flags.url ?? defaults.log)?.replace(/\/+$/, "") : undefined;
  const beside = defaults.keylog ?? join(dirname(path), "keylog");
  const copy = flags.keys ?? (existsSync(beside) ? beside : undefined);
  return { policy, origin, url, copy };
};

const refused = (code: string, detail: string): CliError =>
  new CliError(
    code,
    `the key log is refused: ${detail}`,
    "Do not trust it: compare with another's copy.",
  );

/** A checked key log: its history, and its entries as they are published. */
export type ReadLog = { readonly history: KeyHistory; readonly entries: readonly string[] };

const readCopy = (policy: TlogPolicy, path: string): ReadLog => {
  const { checkpoint, entries } = parseKeysCopy(fromUtf8(readBytes(path, "the copy")));
  const read = verifyKeyLog(policy, checkpoint, entries);
  if (!read.ok) throw refused(read.code, read.detail);
  return { history: read.history, entries };
};

/** The whole key log, checked. @throws CliError, LogReadError */
export const readHistory = async ({ policy, url, copy }: KeyLogPlace): Promise<ReadLog> => {
  if (url !== undefined) {
    const { checkpoint, entries } = await fetchKeyLog(makeLogReader(`${url}/keys`));
    const read = verifyKeyLog(policy, checkpoint, entries);
    if (!read.ok) throw refused(read.code, read.detail);
    return { history: read.history, entries };
  }
  if (copy === undefined) {
    throw new CliError("log-missing", "which key log?", "Give --url URL, or --keys FILE.");
  }
  return readCopy(policy, copy);
};

export const newestState = (history: KeyHistory): KeyState => history.states.at(-1) as KeyState;

/** The newest state at hand, to judge a proposal by; undefined where there is none offline. */
export const stateAtHand = async (place: KeyLogPlace): Promise<KeyState | undefined> => {
  try {
    return newestState((await readHistory(place)).history);
  } catch (error) {
    const away = error instanceof LogReadError && error.retryable;
    if (away && place.copy !== undefined)
      return newestState(readCopy(place.policy, place.copy).history);
    if (away || (error instanceof CliError && error.code === "log-missing")) return undefined;
    throw error;
  }
};

/** The newest state, for what changes something that is in force. @throws CliError */
export const needState = async (flags: KeyLogFlags): Promise<KeyState> => {
  const state = await stateAtHand(findKeyLog(flags));
  if (state !== undefined) return state;
  const message = "what is in force is in the key log, and there is none";
  const action = "Give --url URL of the log, or --keys FILE, a copy of the key log.";
  throw new CliError("log-missing", message, action);
};

export type Logged = { readonly seq: number; readonly time: string };

const inForceMs = 15_000;

/** Where the statement stands, once a quorum has cosigned it: told by the log, not by the ledger. */
const waitForSeal = async (place: KeyLogPlace, { text }: Proposal): Promise<Logged> => {
  const until = Date.now() + inForceMs;
  for (;;) {
    const { states, times } = (await readHistory(place)).history;
    const seq = states.findIndex((state) => wasSaid(state, text)) - 1;
    if (seq >= 0) return { seq, time: new Date(times[seq] ?? 0).toISOString() };
    if (Date.now() > until) {
      const message = "the ledger took it, and no quorum has cosigned it yet";
      throw new CliError("not-cosigned", message, "Look again: sealane keys list.");
    }
    await delay(50);
  }
};

/** The ledger's API is beside its log. */
const apiOf = (url: string): string => url.replace(/\/log$/, "");

const post = async (url: string, proposal: Proposal): Promise<Response | undefined> => {
  try {
    return await fetch(`${apiOf(url)}/v1/key-log`, {
      method: "POST",
      body: formatProposal(proposal),
      headers: { "Content-Type": "text/plain; charset=utf-8" },
      redirect: "error",
      signal: AbortSignal.timeout(10_000),
    });
  } catch {
    return undefined; // it may have arrived all the same
  }
};

type ProblemBody = { readonly code?: string; readonly detail?: string };

/**
 * Sends a statement and waits until it is in force. Sending twice is harmless: a text counts once.
 * @throws CliError with the key log's own reason
 */
export const sendStatement = async (place: KeyLogPlace, proposal: Proposal): Promise<Logged> => {
  const { url } = place;
  if (url === undefined) {
    throw new CliError("log-missing", "which ledger?", "Give the URL of its log: --url URL.");
  }
  const answer = await post(url, proposal);
  if (answer === undefined) {
    const { history } = await readHistory(place);
    if (wasSaid(newestState(history), proposal.text)) return waitForSeal(place, proposal);
    const message = `${apiOf(url)} did not answer`;
    throw new CliError(
      "ledger-unreachable",
      message,
      "Run the same command again: it counts once.",
    );
  }
  if (answer.ok) return waitForSeal(place, proposal);
  const { code = "refused", detail = "" } = (await answer.json().catch(() => ({}))) as ProblemBody;
  if (code === "replayed") return waitForSeal(place, proposal);
  const message = `the key log refuses it: ${detail} (${code})`;
  const action =
    code === "signature-missing"
      ? "Have it signed: write it with --out FILE, then sealane keys cosign FILE --key KEY --send."
      : actionOf(code);
  throw new CliError(code, message, action);
};
