// A provider's own books as the file that it would send: a wallet in Hong Kong exports CSV with its own words
// and its own time, one in Singapore has its bank's camt.053, the others say it as the API's JSON. Each is handed
// in by the same command, and what is in them is the same.
import { writeFileSync } from "node:fs";
import type { Camt053 } from "@sealane/iso20022";
import { writeValid } from "@sealane/iso20022/schema";
import { formatTime } from "@sealane/protocol";
import { amountOf } from "@sealane/rules";
import type { CorpusLine } from "@sealane/rules/testing";
import type { DaySystem } from "./day-system.ts";

export type BookFormat = "CSV" | "camt.053" | "JSON";

export const formatOfBooks = (participant: string): BookFormat => {
  if (participant === "hk-wallet.example") return "CSV";
  return participant === "sg-wallet.example" ? "camt.053" : "JSON";
};

export type Books = {
  readonly participant: string;
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  readonly lines: readonly CorpusLine[];
};

const reference = "DAY-1";

const asJson = ({ participant, fromMs, toMs, lines }: Books): string =>
  JSON.stringify({
    participant,
    reference,
    from: formatTime(fromMs),
    to: formatTime(toMs),
    lines: lines.map((line) => ({
      reference: line.reference,
      transfer: line.transfer,
      side: line.side,
      currency: line.currency,
      amount: amountOf(line.minor, line.currency),
      ...(line.feeMinor === undefined ? {} : { fee: amountOf(line.feeMinor, line.currency) }),
      status: line.status,
      bookedAt: formatTime(line.bookedAtMs),
    })),
  });

/** What the CSV's columns and words mean; its times are Hong Kong's. */
const mapping = {
  columns: {
    reference: "Txn",
    transfer: "UETR",
    side: "D/C",
    currency: "Ccy",
    amount: "Amount",
    fee: "Fee",
    status: "State",
    bookedAt: "Booked",
  },
  words: { D: "debit", C: "credit", OK: "booked", WAIT: "pending", BACK: "reversed" },
  separator: ";",
  decimal: ",",
  zone: "+08:00",
} as const;
const hongKongMs = 8 * 3_600_000;
const states = { booked: "OK", pending: "WAIT", reversed: "BACK" } as const;

const asCsv = ({ lines }: Books): string => {
  const figure = (minor: bigint | undefined, currency: string): string =>
    minor === undefined ? "" : amountOf(minor, currency).replace(".", ",");
  const rows = lines.map((line) =>
    [
      line.reference,
      line.transfer,
      line.side === "debit" ? "D" : "C",
      line.currency,
      figure(line.minor, line.currency),
      figure(line.feeMinor, line.currency),
      states[line.status],
      formatTime(line.bookedAtMs + hongKongMs)
        .replace("T", " ")
        .replace("Z", ""),
    ].join(";"),
  );
  return [Object.values(mapping.columns).join(";"), ...rows, ""].join("\r\n");
};

type Entry = Camt053["statements"][number]["entries"][number];

const signed = (minor: bigint, currency: string) => ({
  amount: { currency, amount: amountOf(minor < 0n ? -minor : minor, currency) },
  side: minor < 0n ? ("DBIT" as const) : ("CRDT" as const),
});

/** Above zero: the account is credited. A reversal is booked on the side that it takes back from. */
const effectOf = ({ side, minor, status }: CorpusLine): bigint => {
  const way = side === "credit" ? minor : -minor;
  return status === "reversed" ? -way : way;
};

const entryOf = (line: CorpusLine): Entry => {
  const { currency, feeMinor, status, transfer } = line;
  const fee = feeMinor === undefined ? undefined : signed(feeMinor, currency).amount;
  const { amount, side } = signed(effectOf(line), currency);
  return {
    amount,
    side,
    ...(status === "reversed" ? { reversal: "true" as const } : {}),
    status: status === "pending" ? "PDNG" : "BOOK",
    bookedAt: formatTime(line.bookedAtMs),
    servicerReference: line.reference,
    transactionCode: {
      domain: "PMNT",
      family: side === "DBIT" ? "ICDT" : "RCDT",
      subFamily: "BOOK",
    },
    ...(fee === undefined ? {} : { charged: fee }),
    details: [{ uetr: transfer }],
  };
};

/** One account for each currency, from nothing to what was booked. */
const asCamt = ({ participant, fromMs, toMs, lines }: Books): string => {
  const [from, to] = [formatTime(fromMs), formatTime(toMs)];
  const byCurrency = Map.groupBy(lines, ({ currency }) => currency);
  const statements = [...byCurrency].map(([currency, own]) => {
    const booked = own.filter(({ status }) => status !== "pending");
    const closing = booked.reduce((sum, line) => sum + effectOf(line), 0n);
    return {
      id: `${reference}-${currency}`,
      from,
      to,
      account: `SGWALLET${currency}`,
      currency,
      owner: participant,
      balances: [
        { type: "OPBD", ...signed(0n, currency), date: from },
        { type: "CLBD", ...signed(closing, currency), date: to },
      ],
      entries: own.map(entryOf),
    };
  });
  return writeValid("camt.053", { messageId: reference, createdAt: to, statements });
};

/** Writes a provider's file. @returns what `sealane reconcile` is told besides whose it is */
export const writeBooks = ({ stack }: DaySystem, books: Books): string[] => {
  const { participant, fromMs, toMs } = books;
  const write = (ending: string, content: string): string => {
    const path = stack.home.path(`books-${participant}.${ending}`);
    writeFileSync(path, content);
    return path;
  };
  switch (formatOfBooks(participant)) {
    case "CSV": {
      const period = ["--from", formatTime(fromMs), "--to", formatTime(toMs)];
      const words = ["--mapping", write("mapping.json", JSON.stringify(mapping))];
      return ["--statement", write("csv", asCsv(books)), ...words, ...period];
    }
    case "camt.053":
      return ["--statement", write("xml", asCamt(books))];
    default:
      return ["--statement", write("json", asJson(books))];
  }
};
