// Holds the balances that reconciliation shows against those recomputed from the log (promise 7).
import { LogReadError } from "@sealane/client";
import { parseAmount, parseCurrency } from "@sealane/money";
import { parseStrictJson } from "@sealane/protocol";
import { amountOf, type AuditedBalance } from "@sealane/rules";

export type BalancesResult =
  | { readonly ok: true; readonly compared: number }
  | { readonly ok: false; readonly code: string; readonly detail: string };

type Row = Readonly<Record<string, unknown>>;

const no = (code: string, detail: string): BalancesResult => ({ ok: false, code, detail });

const ask = async (url: string): Promise<unknown> => {
  let text: string;
  let status: number;
  try {
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(url, { signal, redirect: "error" });
    ({ status } = response);
    text = await response.text();
  } catch (cause) {
    throw new LogReadError("log-unreachable", `${url} cannot be read`, cause);
  }
  if (status !== 200) throw new LogReadError("log-refused", `${url} answered ${status}`);
  const json = parseStrictJson(text);
  if (!json.ok) throw new LogReadError("log-refused", `${url}: ${json.detail}`);
  return json.value;
};

/** Minor units: decimal text in major units has a point wherever the currency has decimals. */
const minorFrom = (value: unknown, currency: string): bigint | undefined => {
  if (typeof value !== "string") return undefined;
  if (/^\d{1,30}$/.test(value)) return BigInt(value);
  const known = parseCurrency(currency);
  const parsed = known === undefined ? undefined : parseAmount(value, known, { allowZero: true });
  return parsed?.ok === true ? parsed.minor : undefined;
};

/** `participant:kind`, whether it comes in one field or in two. */
const accountOf = ({ account, participant }: Row): string | undefined => {
  if (typeof account !== "string") return undefined;
  return account.includes(":") || typeof participant !== "string"
    ? account
    : `${participant}:${account}`;
};

const readRows = (rows: readonly Row[]): Map<string, AuditedBalance> | undefined => {
  const balances = new Map<string, AuditedBalance>();
  for (const row of rows) {
    const account = accountOf(row);
    const { currency } = row;
    if (account === undefined || typeof currency !== "string") return undefined;
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
const compare = (
  shown: ReadonlyMap<string, AuditedBalance>,
  recomputed: readonly AuditedBalance[],
): BalancesResult => {
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
 * @throws LogReadError when it cannot be asked, or does not have them
 */
export const compareBalances = async (
  url: string,
  size: number,
  recomputed: readonly AuditedBalance[],
): Promise<BalancesResult> => {
  const answer = await ask(`${url.replace(/\/+$/, "")}/v1/balances?asOf=${size}`);
  const { asOf, balances } = (answer ?? {}) as { asOf?: unknown; balances?: unknown };
  if (asOf !== size && asOf !== String(size)) {
    return no("balances-other-position", `reconciliation answers for ${String(asOf)}, not ${size}`);
  }
  const shown = Array.isArray(balances) ? readRows(balances as Row[]) : undefined;
  if (shown === undefined)
    return no("balances-malformed", "reconciliation's balances are unreadable");
  return compare(shown, recomputed);
};
