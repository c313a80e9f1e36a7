// What derived statements and defaults post: pure functions of their text, so that whoever has one
// entry can check it alone. A position is closed by its contra `settled`, not by turning counters back.
import {
  adjustmentsAccount,
  advancesAccount,
  cashAccount,
  clearingAccount,
  feesAccount,
  guaranteeAccount,
  liquidityAccount,
  roundingAccount,
  settledAccount,
  shortfallAccount,
  type Adjustment,
  type DerivedStatement,
  type Liquidity,
  type Posting,
  type WindowDefault,
  type WindowTotal,
} from "@sealane/protocol";
import { amountOf, minorOf } from "../positions.ts";

const isZero = (amount: string): boolean => /^[0.]+$/.test(amount);

const nonZero = (postings: readonly Posting[]): Posting[] =>
  postings.filter(({ amount }) => !isZero(amount));

/** Closes a participant's totals against the clearing account. */
export const settledPostings = (
  operator: string,
  participant: string,
  totals: readonly WindowTotal[],
): Posting[] => {
  const clearing = clearingAccount(operator);
  const settled = settledAccount(participant);
  return nonZero(
    totals.flatMap(({ currency, debits, credits, fees }) => [
      { debit: clearing, credit: settled, currency, amount: debits },
      { debit: settled, credit: clearing, currency, amount: credits },
      { debit: feesAccount(participant), credit: clearing, currency, amount: fees },
    ]),
  );
};

const lessOf = (amount: string, part: string | undefined, currency: string): string =>
  part === undefined
    ? amount
    : amountOf(minorOf(amount, currency) - minorOf(part, currency), currency);

/** Cover in and out; a line that backs an advance turns it into cash, and adds no cover. */
export const liquidityPostings = (
  operator: string,
  { participant, lines }: Liquidity,
): Posting[] => {
  const cash = cashAccount(operator);
  const cover = liquidityAccount(participant);
  return nonZero(
    lines.flatMap(({ currency, side, amount, advance, repaid }) => {
      if (side === "debit") return { debit: cover, credit: cash, currency, amount };
      if (advance !== undefined) {
        return { debit: cash, credit: advancesAccount(operator), currency, amount };
      }
      const rest = lessOf(amount, repaid, currency);
      const [debit, credit] = [guaranteeAccount(operator), shortfallAccount(participant)];
      const back = repaid === undefined ? [] : [{ debit, credit, currency, amount: repaid }];
      return [...back, { debit: cash, credit: cover, currency, amount: rest }];
    }),
  );
};

/** The debtor's cover pays, and the operator stands in for what is missing. */
export const defaultPostings = (
  operator: string,
  { participant, totals, payments }: WindowDefault,
): Posting[] => [
  ...settledPostings(operator, participant, totals),
  ...nonZero(
    payments.flatMap(({ currency, cover, shortfall }) => [
      {
        debit: liquidityAccount(participant),
        credit: cashAccount(operator),
        currency,
        amount: cover,
      },
      {
        debit: shortfallAccount(participant),
        credit: guaranteeAccount(operator),
        currency,
        amount: shortfall,
      },
    ]),
  ),
];

/** Cover against what breaks come to; of another rounding, against `rounding`. */
export const adjustmentPostings = (
  operator: string,
  { participant, currency, side, amount, break: kind }: Adjustment,
): Posting[] => {
  const cover = liquidityAccount(participant);
  const own = kind === "fx-residue" ? roundingAccount(operator) : adjustmentsAccount(operator);
  const [debit, credit] = side === "credit" ? [own, cover] : [cover, own];
  return [{ debit, credit, currency, amount }];
};

/** A net without legs has nothing to be paid: it is final with its entry. */
export const derivedPostings = (operator: string, derived: DerivedStatement): Posting[] => {
  switch (derived.kind) {
    case "window-net": {
      const { participant, totals, legs } = derived.body;
      return legs.length > 0 ? [] : settledPostings(operator, participant, totals);
    }
    case "settlement": {
      const { participant, totals, result } = derived.body;
      return result === "settled" ? settledPostings(operator, participant, totals) : [];
    }
    case "liquidity":
      return liquidityPostings(operator, derived.body);
    default:
      return derived satisfies never;
  }
};
