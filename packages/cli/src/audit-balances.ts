// Holds the balances that reconciliation shows against those recomputed from the log (promise 7): the
// sums of its postings up to the audited position, and its running balances when they are at it.
import { setTimeout as pause } from "node:timers/promises";
import { LogReadError } from "@sealane/client";
import { parseAmount, parseCurrency } from "@sealane/money";
import { parseStrictJson } from "@sealane/protocol";
import { amountOf, type AuditedBalance } from "@sealane/rules";

export type BalancesResult =
  | { readonly ok: true; readonly compared: number }
  | { readonly ok: false; readonly code: string; readonly detail: string };

type Row = Readonly<Record<string, unknown>>;
type Shown = { readonly asOf: unknown; readonly balances: unknown };

/** Reconciliation may be a moment behind the seal: 409 until it has applied that many entries. */
const behind = { status: 409, tries: 20, pauseMs: 500 };

const no = (code: string, detail: string): BalancesResult => ({ ok: false, code, detail });

type Asked = { readonly url: string; readonly token: string | undefined };

const ask = async ({ url, token }: Asked) => {
  try {
    const response = await fetch(url, {
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
      redirect: "error",
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new LogReadError("log-unreachable", `${url} cannot be read`, cause);
  }
};

const askBalances = async (url: string, token: string | undefined): Promise<Shown> => {
  let answer = await ask({ url, token });
  for (let left = behind.tries; answer.status === behind.status && left > 0; left -= 1) {
    await pause(behind.pauseMs);
    answer = await ask({ url, token });
  }
  const { status, text } = answer;
  if (status !== 200) throw new LogReadError("log-refused", `${url} answered ${status}`);
  const json = parseStrictJson(text);
  if (!json.ok) throw new LogReadError("log-refused", `${url}: ${json.detail}`);
  const { asOf, balances } = (json.value ?? {}) as Partial<Shown>;
  return { asOf, balances };
};

const minorFrom = (value: unknown, currency: string): bigint | undefined => {
  const known = parseCurrency(currency);
  if (typeof value !== "string" || known === undefined) return undefined;
  const parsed = parseAmount(value, known, { allowZero: true });
  return parsed.ok ? parsed.minor : undefined;
};

const readRows = (rows: readonly Row[]): Map<string, AuditedBalance> | undefined => {
  const balances = new Map<string, AuditedBalance>();
  for (const row of rows) {
    const { account, currency } = row;
    if (typeof account !== "string" || typeof currency !== "string") return undefined;
    const debits = minorFrom(row["debits"], currency);
    const credits = minorFrom(row["credits"], currency);
    const id = `${account} ${currency}`;
    if (debits === undefined || credits === undefined || balances.has(id)) return undefined;
    if (debits === 0n && credits === 0n) continue;
    balances.set(id, { account, currency, debits, credits });
  }
  return balances;
};

const showBalance = (balance: AuditedBalance | undefined): string => {
  if (balance === undefined) return "nothing";
  const { debits, credits, currency } = balance;
  return `${amountOf(debits, currency)} debited, ${amountOf(credits, currency)} credited`;
};

/** Every account on either side must be on both, with the same two sums. */
const compare = ({ balances }: Shown, recomputed: readonly AuditedBalance[]): BalancesResult => {
  const shown = Array.isArray(balances) ? readRows(balances as Row[]) : undefined;
  if (shown === undefined) {
    return no("balances-malformed", "reconciliation's balances are unreadable");
  }
  const own = new Map(recomputed.map((one) => [`${one.account} ${one.currency}`, one]));
  for (const id of new Set([...own.keys(), ...shown.keys()])) {
    const [ours, theirs] = [own.get(id), shown.get(id)];
    if (ours?.debits === theirs?.debits && ours?.credits === theirs?.credits) continue;
    const detail = `${id}: the log gives ${showBalance(ours)}, reconciliation ${showBalance(theirs)}`;
    return no("balance-mismatch", detail);
  }
  return { ok: true, compared: own.size };
};

/**
 * Asks for the balances after `size` entries and compares them.
 * @param url reconciliation, e.g. `http://127.0.0.1:8084`
 * @param token of the desk's staff, where balances are not open
 * @throws LogReadError when it cannot be asked, or does not have them
 */
export const compareBalances = async (
  url: string,
  size: number,
  recomputed: readonly AuditedBalance[],
  token?: string,
): Promise<BalancesResult> => {
  const endpoint = `${url.replace(/\/+$/, "")}/v1/balances`;
  const past = await askBalances(`${endpoint}?asOf=${size}`, token);
  if (past.asOf !== size) {
    const detail = `reconciliation answers for ${String(past.asOf)}, not ${size}`;
    return no("balances-other-position", detail);
  }
  const result = compare(past, recomputed);
  if (!result.ok) return result;
  const running = await askBalances(endpoint, token);
  return running.asOf === size ? compare(running, recomputed) : result;
};
