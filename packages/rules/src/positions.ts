// Positions: four unsigned counters per account and currency, and the headroom rule that no
// reservation may break (`decisions.md`, Rate sheets and risk). Amounts are minor units.
import { formatAmount, parseAmount, parseCurrency, type Currency } from "@sealane/money";
import { liquidityAccount, positionAccount, settledAccount, type Posting } from "@sealane/protocol";
import type { Participant } from "./key-state.ts";
import { isFinal, type SettlementState } from "./settlement/state.ts";

export type Balance = {
  readonly account: string;
  readonly currency: string;
  pendingDebit: bigint;
  postedDebit: bigint;
  pendingCredit: bigint;
  postedCredit: bigint;
};

/** By `account currency`. Mutated by the fold; a failed save throws the whole state away. */
export type Balances = Map<string, Balance>;

export const balanceKey = (account: string, currency: string): string => `${account} ${currency}`;

export const balanceOf = (balances: Balances, account: string, currency: string): Balance => {
  const key = balanceKey(account, currency);
  const found = balances.get(key);
  if (found !== undefined) return found;
  const fresh: Balance = {
    account,
    currency,
    pendingDebit: 0n,
    postedDebit: 0n,
    pendingCredit: 0n,
    postedCredit: 0n,
  };
  balances.set(key, fresh);
  return fresh;
};

const invariant = (condition: boolean, message: string): void => {
  if (!condition) throw new Error(`broken invariant: ${message}`);
};

/** Minor units of an amount that the schema and the rules have accepted before. */
export const minorOf = (amount: string, currency: string): bigint => {
  const known = parseCurrency(currency);
  const parsed = known === undefined ? undefined : parseAmount(amount, known, { allowZero: true });
  if (parsed === undefined || !parsed.ok) {
    throw new Error(`broken invariant: ${amount} ${currency} is not an amount`);
  }
  return parsed.minor;
};

/** Whether a text is an exact amount of this currency: to be asked before `minorOf`. */
export const isAmount = (amount: string, currency: string): boolean => {
  const known = parseCurrency(currency);
  return known !== undefined && parseAmount(amount, known).ok;
};

/** The same for texts that may say zero. */
export const isAmountOrZero = (amount: string, currency: string): boolean => {
  const known = parseCurrency(currency);
  return known !== undefined && parseAmount(amount, known, { allowZero: true }).ok;
};

export const amountOf = (minor: bigint, currency: string): string =>
  formatAmount(minor, parseCurrency(currency) as Currency);

export type Phase = "reserve" | "commit" | "release" | "post";

/** Moves the counters of both sides of each posting; sums of debits and credits stay equal. */
export const applyPostings = (
  balances: Balances,
  postings: readonly Posting[],
  phase: Phase,
): void => {
  for (const posting of postings) {
    const amount = minorOf(posting.amount, posting.currency);
    const debit = balanceOf(balances, posting.debit, posting.currency);
    const credit = balanceOf(balances, posting.credit, posting.currency);
    if (phase === "reserve") {
      debit.pendingDebit += amount;
      credit.pendingCredit += amount;
      continue;
    }
    if (phase !== "post") {
      debit.pendingDebit -= amount;
      credit.pendingCredit -= amount;
      invariant(debit.pendingDebit >= 0n, `pending debit of ${posting.debit} below zero`);
      invariant(credit.pendingCredit >= 0n, `pending credit of ${posting.credit} below zero`);
    }
    if (phase !== "release") {
      debit.postedDebit += amount;
      credit.postedCredit += amount;
    }
  }
};

export type Standing = {
  /** Cover that is there: advances and deposits, less what was taken out. */
  readonly liquidity: bigint;
  /** Most that may be unsettled; undefined: liquidity alone decides. */
  readonly cap: bigint | undefined;
  readonly pending: bigint;
  readonly exposure: bigint;
  /** May be negative after a cap was lowered. */
  readonly headroom: bigint;
};

/** What cut windows still owe or are owed, where they are not final: each offsets only itself. */
const cutNets = (
  settlement: SettlementState | undefined,
  participant: string,
  currency: string,
): { readonly owed: bigint; readonly all: bigint } => {
  let owed = 0n;
  let all = 0n;
  for (const { nets } of settlement?.closed.values() ?? []) {
    const net = nets.get(participant);
    if (net === undefined || isFinal(net)) continue;
    for (const total of net.totals) {
      if (total.currency !== currency) continue;
      const less = minorOf(total.debits, currency) - minorOf(total.credits, currency);
      all += less;
      if (less > 0n) owed += less;
    }
  }
  return { owed, all };
};

const exposureOf = (
  balances: Balances,
  { participant, exposure }: Pick<Participant, "participant" | "exposure">,
  currency: string,
  settlement: SettlementState | undefined,
): bigint => {
  const position = balanceOf(balances, positionAccount(participant), currency);
  const settled = balanceOf(balances, settledAccount(participant), currency);
  const debits = position.postedDebit - settled.postedCredit;
  if (exposure === "gross") return position.pendingDebit + debits;
  const credits = position.postedCredit - settled.postedDebit;
  const { owed, all } = cutNets(settlement, participant, currency);
  // Credits of a cut window will be paid out: they cover what it owes, and nothing after it.
  const open = position.pendingDebit + debits - credits - all;
  return (open < 0n ? 0n : open) + owed;
};

/**
 * A participant's cover in one currency of one lane (`decisions.md`, Rate sheets and risk):
 * exposure is what is pending and what is posted in windows that are not settled, less unsettled
 * credits of the same window where the participant's policy is `net`, never below zero.
 */
export const standingOf = (
  balances: Balances,
  participant: Pick<Participant, "participant" | "exposure" | "caps">,
  currency: string,
  settlement: SettlementState | undefined,
): Standing => {
  const cover = balanceOf(balances, liquidityAccount(participant.participant), currency);
  const liquidity = cover.postedCredit - cover.postedDebit;
  const limit = participant.caps.find((candidate) => candidate.currency === currency);
  const cap = limit === undefined ? undefined : minorOf(limit.amount, currency);
  const exposure = exposureOf(balances, participant, currency, settlement);
  const most = cap !== undefined && cap < liquidity ? cap : liquidity;
  const pending = balanceOf(
    balances,
    positionAccount(participant.participant),
    currency,
  ).pendingDebit;
  return { liquidity, cap, pending, exposure, headroom: most - exposure };
};
