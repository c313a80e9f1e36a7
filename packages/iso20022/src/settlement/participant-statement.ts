// A participant's statement of its accounts in our books, as camt.053 (a day that is over), camt.052 (up to
// now) or CSV. Opening balance and bookings are the books'; that they come to the closing balance is
// checked here again, since whoever reads a statement adds it up.
import { formatAmount, parseCurrency, type Currency } from "@sealane/money";
import { Iso20022Error } from "../errors.ts";
import type {
  AccountStatement,
  Camt052,
  Camt053,
  ReportEntry,
} from "../messages/account-reports.ts";

export type Booking = {
  /** Place in the log. */
  readonly seq: number;
  readonly time: string;
  /** Above zero: the participant is credited. */
  readonly minor: bigint;
  /** Transfer, where it is one. */
  readonly uetr?: string;
  /** What it was: a transfer, a settlement, a deposit. */
  readonly kind: string;
};

export type AccountPeriod = {
  /** `position` (what is owed until settlement) or `liquidity` (cover). */
  readonly account: string;
  readonly currency: string;
  readonly openingMinor: bigint;
  readonly closingMinor: bigint;
  readonly bookings: readonly Booking[];
};

export type ParticipantPeriod = {
  /** At most 35 characters, and nobody else's. */
  readonly messageId: string;
  readonly participant: string;
  readonly operator: string;
  readonly createdAt: string;
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  readonly accounts: readonly AccountPeriod[];
};

const currencyOf = (code: string): Currency => {
  const currency = parseCurrency(code);
  if (currency !== undefined) return currency;
  throw new Iso20022Error("currency-unknown", "an account's currency is not in ISO 4217");
};

const unsigned = (minor: bigint, currency: string) => ({
  amount: {
    currency,
    amount: formatAmount(minor < 0n ? -minor : minor, currencyOf(currency)),
  },
  side: minor < 0n ? ("DBIT" as const) : ("CRDT" as const),
});

const bookingEntry = (currency: string, booking: Booking): ReportEntry => {
  const { seq, time, minor, uetr, kind } = booking;
  const credit = minor >= 0n;
  return {
    reference: String(seq),
    ...unsigned(minor, currency),
    status: "BOOK",
    bookedAt: time,
    // Within one institution's books: a credit received, or one that was ordered.
    transactionCode: { domain: "PMNT", family: credit ? "RCDT" : "ICDT", subFamily: "BOOK" },
    details: [{ servicerReference: String(seq), ...(uetr === undefined ? {} : { uetr }) }],
    information: kind,
  };
};

const checked = (account: AccountPeriod): AccountPeriod => {
  const { openingMinor, closingMinor, bookings } = account;
  const sum = bookings.reduce((all, { minor }) => all + minor, openingMinor);
  if (sum === closingMinor) return account;
  throw new Error(`broken invariant: a statement of ${account.account} does not add up`);
};

/** Names the statement: the same participant and period have the same. */
const statementId = ({ from, to }: ParticipantPeriod, account: AccountPeriod): string => {
  const digits = (time: string): string => time.replaceAll(/[-:TZ.]/g, "").slice(2, 14);
  return `${digits(from)}-${digits(to)}-${account.currency}-${account.account}`.slice(0, 35);
};

const statementOf = (
  period: ParticipantPeriod,
  account: AccountPeriod,
  types: readonly [string, string],
): AccountStatement => {
  const { participant, operator, createdAt, from, to } = period;
  const { account: name, currency, openingMinor, closingMinor, bookings } = checked(account);
  const [opening, closing] = types;
  return {
    id: statementId(period, account),
    createdAt,
    from,
    to,
    account: name,
    currency,
    owner: participant,
    servicer: operator,
    balances: [
      { type: opening, ...unsigned(openingMinor, currency), date: from },
      { type: closing, ...unsigned(closingMinor, currency), date: to },
    ],
    entries: bookings.map((booking) => bookingEntry(currency, booking)),
  };
};

/** A statement of a period that is over. */
export const participantCamt053 = (period: ParticipantPeriod): Camt053 => ({
  messageId: period.messageId,
  createdAt: period.createdAt,
  statements: period.accounts.map((one) => statementOf(period, one, ["OPBD", "CLBD"])),
});

/** A report of a period that still goes on. */
export const participantCamt052 = (period: ParticipantPeriod): Camt052 => ({
  messageId: period.messageId,
  createdAt: period.createdAt,
  reports: period.accounts.map((one) => statementOf(period, one, ["OPBD", "ITBD"])),
});

const csvHead = "account,currency,entry,time,kind,uetr,amount,balance";

/**
 * The same as CSV (RFC 4180): a row for each booking with the balance behind it, and one for each
 * opening balance. Nothing in it needs quotes, and nothing begins as a formula: amounts are numbers.
 */
export const participantCsv = (period: ParticipantPeriod): string => {
  const rows = period.accounts.flatMap((account) => {
    const { account: name, currency, openingMinor, bookings } = checked(account);
    const code = currencyOf(currency);
    let balance = openingMinor;
    const opening = [
      name,
      currency,
      "",
      period.from,
      "opening",
      "",
      "",
      formatAmount(balance, code),
    ];
    const booked = bookings.map(({ seq, time, kind, uetr = "", minor }) => {
      balance += minor;
      return [
        name,
        currency,
        String(seq),
        time,
        kind,
        uetr,
        formatAmount(minor, code),
        formatAmount(balance, code),
      ];
    });
    return [opening, ...booked];
  });
  return [csvHead, ...rows.map((row) => row.join(","))].map((line) => `${line}\r\n`).join("");
};
