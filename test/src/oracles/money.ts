// Promises 6, 8 and 9, each computed a second time with nothing of the rules: plain sums, plain counters at
// every position, and conversions on big integers.
import { currencyExponent, parseCurrency } from "@sealane/money";
import { noteHash, type RateSheet } from "@sealane/protocol";
import type { VerifiedEntry } from "@sealane/rules";
import type { Evidence } from "./evidence.ts";
import { judge, type Verdict } from "./oracle.ts";

/** A decimal as an integer and its number of decimals. */
const exact = (text: string): { readonly value: bigint; readonly decimals: number } => {
  const [whole = "0", fraction = ""] = text.split(".");
  return { value: BigInt(whole + fraction), decimals: fraction.length };
};

const decimalsOf = (currency: string): number => {
  const known = parseCurrency(currency);
  return known === undefined ? 0 : currencyExponent(known);
};

const minor = (amount: string, currency: string): bigint => {
  const { value, decimals } = exact(amount);
  return value * 10n ** BigInt(Math.max(0, decimalsOf(currency) - decimals));
};

const sumsToZero = ({ audit, sums, accounts }: Evidence): Verdict => {
  const findings: string[] = [];
  const rest = new Map<string, bigint>();
  for (const { context } of audit.verified) {
    for (const { debit, credit, currency, amount } of context.postings) {
      const by = minor(amount, currency);
      if (debit === credit) findings.push(`entry ${context.seq} posts ${debit} to itself`);
      rest.set(`${debit} ${currency}`, (rest.get(`${debit} ${currency}`) ?? 0n) + by);
      rest.set(`${credit} ${currency}`, (rest.get(`${credit} ${currency}`) ?? 0n) - by);
    }
  }
  const totals = new Map<string, bigint>();
  for (const [key, by] of rest) {
    const currency = key.split(" ")[1] ?? "";
    totals.set(currency, (totals.get(currency) ?? 0n) + by);
  }
  for (const [currency, by] of totals) if (by !== 0n) findings.push(`the log: ${by} ${currency}`);
  for (const { place, rest: by, pending } of sums) {
    if (by !== 0n || pending !== 0n) findings.push(`${place}: posted ${by}, pending ${pending}`);
  }
  for (const { account, currency, pendingDebit, pendingCredit } of accounts) {
    if (pendingDebit !== 0n || pendingCredit !== 0n) {
      findings.push(`${account} ${currency} holds ${pendingDebit} and ${pendingCredit} for nobody`);
    }
  }
  return judge(6, `${audit.entries} entries, ${sums.length} sums in Postgres`, findings);
};

/** Gross exposure against prefunded cover, as counters: no netting, no caps, none of the rules' code. */
const withinCover = ({ audit, accounts }: Evidence): Verdict => {
  const findings: string[] = [];
  const cover = new Map<string, bigint>();
  const spent = new Map<string, bigint>();
  const add = (to: Map<string, bigint>, key: string, by: bigint): bigint => {
    const next = (to.get(key) ?? 0n) + by;
    to.set(key, next);
    return next;
  };
  for (const { context } of audit.verified) {
    for (const { debit, credit, currency, amount } of context.postings) {
      const by = minor(amount, currency);
      if (credit.endsWith(":liquidity")) add(cover, `${credit.slice(0, -10)} ${currency}`, by);
      if (!debit.endsWith(":position")) continue;
      const key = `${debit.slice(0, -9)} ${currency}`;
      const now = add(spent, key, by);
      if (now > (cover.get(key) ?? 0n)) findings.push(`${key} is overspent at ${context.seq}`);
    }
  }
  for (const { account, currency, pendingDebit, postedDebit } of accounts) {
    if (!account.endsWith(":position")) continue;
    const most = cover.get(`${account.slice(0, -9)} ${currency}`) ?? 0n;
    if (pendingDebit + postedDebit > most) findings.push(`${account} ${currency} holds too much`);
  }
  return judge(8, `${spent.size} positions at ${audit.entries} places`, findings);
};

const scaledTo = (value: bigint, from: number, to: number): bigint =>
  value * 10n ** BigInt(to - from);

/** converted × rate = receive + residue, exactly; fee = ceil(send × bp); the residue below one unit. */
const conversionFault = (
  { terms, context }: VerifiedEntry,
  sheets: ReadonlyMap<string, RateSheet>,
  basisPoints: string | undefined,
): string | undefined => {
  if (terms === undefined || context.outcome !== "committed") return undefined;
  const sheet = sheets.get(terms.sheet.hash);
  if (sheet === undefined) return `${terms.id} cites a sheet that is not logged before it`;
  if (sheet.rate !== terms.rate) return `${terms.id} has another rate than its sheet`;
  const { send, receive, converted, fees, residue } = terms;
  const fee = fees.reduce((sum, one) => sum + minor(one.amount, one.currency), 0n);
  const sent = minor(send.amount, send.currency);
  if (sent !== fee + minor(converted, send.currency)) return `${terms.id} does not add up`;
  if (basisPoints !== undefined) {
    const bp = exact(basisPoints);
    const scale = 10_000n * 10n ** BigInt(bp.decimals);
    const due = (sent * bp.value + scale - 1n) / scale;
    if (fee !== due) return `${terms.id} pays a fee of ${fee}, due are ${due}`;
  }
  const parts = [exact(converted), exact(terms.rate)] as const;
  const product = parts[0].value * parts[1].value;
  const decimals = parts[0].decimals + parts[1].decimals;
  const got = exact(receive.amount);
  const rest = exact(residue);
  const most = Math.max(decimals, got.decimals, rest.decimals);
  const left =
    scaledTo(product, decimals, most) -
    scaledTo(got.value, got.decimals, most) -
    scaledTo(rest.value, rest.decimals, most);
  if (left !== 0n) return `${terms.id} converts to something else`;
  const unit = decimalsOf(receive.currency);
  const below = scaledTo(rest.value, rest.decimals, most) < 10n ** BigInt(most - unit);
  // A fixed received amount may leave more than one unit: the smallest amount to send is rounded up.
  return below || terms.fixed === "receive" ? undefined : `${terms.id} keeps a whole minor unit`;
};

const conversions = ({ audit }: Evidence): Verdict => {
  const sheets = new Map<string, RateSheet>();
  const schedules = audit.keys.states.at(-1)?.schedules;
  const findings: string[] = [];
  let looked = 0;
  for (const entry of audit.verified) {
    if (entry.sheet !== undefined) sheets.set(noteHash(entry.inner), entry.sheet);
    const schedule = entry.terms?.fees[0]?.schedule;
    const points = schedule === undefined ? undefined : schedules?.get(schedule)?.basisPoints;
    const fault = conversionFault(entry, sheets, points);
    if (entry.terms !== undefined && entry.context.outcome === "committed") looked += 1;
    if (fault !== undefined) findings.push(fault);
  }
  return judge(9, `${looked} conversions under ${sheets.size} sheets`, findings);
};

export const moneyVerdicts = (evidence: Evidence): Verdict[] => [
  sumsToZero(evidence),
  withinCover(evidence),
  conversions(evidence),
];
