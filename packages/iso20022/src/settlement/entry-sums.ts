// What an account's entry books against what the payments in it say: whoever reads the payments and whoever
// reads the entry must come to the same sum, and a statement's entries must lead from its opening balance to
// its closing one. A statement that was cut short, or put together by hand, shows here.
import { parseAmount, parseCurrency } from "@sealane/money";
import type { AccountStatement, ReportEntry } from "../messages/account-reports.ts";
import type { IsoAmount } from "../codec/leaves.ts";

/** Credits above zero. Amounts that were read are exact. */
const signed = ({ amount, currency }: IsoAmount, side: "CRDT" | "DBIT"): bigint => {
  const known = parseCurrency(currency);
  const parsed = known === undefined ? undefined : parseAmount(amount, known, { allowZero: true });
  if (parsed?.ok !== true) throw new Error("broken invariant: an amount that was read is none");
  return side === "CRDT" ? parsed.minor : -parsed.minor;
};

/** Why an entry's payments are not what it books, or undefined; one without an amount is all of it. */
export const detailsFault = ({ details, amount, side }: ReportEntry): string | undefined => {
  const said = details.filter((one) => one.amount !== undefined);
  if (said.length < details.length) {
    return details.length > 1
      ? "an entry has several payments, and not the amount of each"
      : undefined;
  }
  let sum = 0n;
  for (const one of said) {
    if (one.amount === undefined) continue;
    if (one.amount.currency !== amount.currency) {
      return "an entry's payment is in another currency than the entry";
    }
    sum += signed(one.amount, one.side ?? side);
  }
  return said.length === 0 || sum === signed(amount, side)
    ? undefined
    : "an entry's payments do not come to its amount";
};

/**
 * Whether a statement's booked entries lead from its opening balance to its closing one; undefined where it
 * has not one of each in one currency, so that nothing can be said.
 */
export const balancesClose = ({ balances, entries }: AccountStatement): boolean | undefined => {
  const of = (type: string) => balances.filter((one) => one.type === type);
  const [openings, closings] = [of("OPBD"), of("CLBD")];
  const [opening, closing] = [openings[0], closings[0]];
  if (opening === undefined || closing === undefined) return undefined;
  if (openings.length > 1 || closings.length > 1) return undefined;
  const { currency } = opening.amount;
  const booked = entries.filter(({ status }) => status === "BOOK");
  const others = [closing, ...booked].some((one) => one.amount.currency !== currency);
  if (others) return undefined;
  const sum = booked.reduce(
    (all, one) => all + signed(one.amount, one.side),
    signed(opening.amount, opening.side),
  );
  return sum === signed(closing.amount, closing.side);
};
