// What a fault makes of a statement's lines. The bank's books stay right: it is only said wrongly.
import { formatAmount, parseAmount, parseCurrency, type Currency } from "@sealane/money";
import type { BankFault } from "./bank-types.ts";
import type { Line } from "./bank-papers.ts";

const oneMore = (line: Line): Line => {
  const { currency, amount } = line.entry.amount;
  const known = parseCurrency(currency) as Currency;
  const parsed = parseAmount(amount, known, { allowZero: true });
  const minor = (parsed.ok ? parsed.minor : 0n) + 1n;
  const entry = { ...line.entry, amount: { currency, amount: formatAmount(minor, known) } };
  return { ...line, entry };
};

/** One minor unit more on the first booked line, or on the account's that the fault names. */
export const withWrongAmount = (lines: readonly Line[], { account }: BankFault): Line[] => {
  const struck = lines.find(
    (line) => line.entry.status === "BOOK" && (account === undefined || line.account === account),
  );
  return lines.map((line) => (line === struck ? oneMore(line) : line));
};

export const withLineTwice = (lines: readonly Line[]): Line[] => [...lines.slice(0, 1), ...lines];
