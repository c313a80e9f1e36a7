// Positions: four unsigned counters per account and currency, and the headroom rule that no
// reservation may break (`decisions.md`, Rate sheets and risk). Amounts are minor units.
import { formatAmount, parseAmount, parseCurrency, type Currency } from "@sealane/money";
import { liquidityAccount, positionAccount, type Posting } from "@sealane/protocol";
import type { Participant } from "./key-state.ts";

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

/**
 * What a participant may still owe in one currency of one lane:
 * `min(liquidity, cap) − exposure`, where exposure is what is pending and posted but not settled,
 * less unsettled credits where the participant's policy is `net`, never below zero.
 * @returns minor units; may be negative after a cap was lowered
 */
export const headroom = (
  balances: Balances,
  participant: Participant,
  currency: string,
): bigint => {
  const position = balanceOf(balances, positionAccount(participant.participant), currency);
  const cover = balanceOf(balances, liquidityAccount(participant.participant), currency);
  let exposure = position.pendingDebit + position.postedDebit;
  if (participant.exposure === "net") {
    exposure -= position.postedCredit;
    if (exposure < 0n) exposure = 0n;
  }
  const liquidity = cover.postedCredit - cover.postedDebit;
  const cap = participant.caps.find((candidate) => candidate.currency === currency);
  const capMinor = cap === undefined ? liquidity : minorOf(cap.amount, currency);
  return (capMinor < liquidity ? capMinor : liquidity) - exposure;
};
