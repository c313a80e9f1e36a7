// What became of a file's rows: the result file and exact sums. Pure.
import { formatAmount, parseAmount, parseCurrency } from "@sealane/money";
import type { Money } from "@sealane/client";
import { csvLine } from "./csv.ts";

export type RowResult = {
  readonly row: number;
  readonly transferId: string;
  /** A transfer's status, or `refused`, or `unknown`. */
  readonly status: string;
  readonly ok: boolean;
  /** It had been sent before, by an earlier run of the same file. */
  readonly replayed: boolean;
  readonly sent: Money | undefined;
  readonly received: Money | undefined;
  readonly reason: string;
  readonly code: string;
  readonly detail: string;
  /** Milliseconds since its request was sent, of each step; of what was sent before none. */
  readonly steps?: Readonly<Record<string, number>> | undefined;
  /** Where its receipt lies. */
  readonly receipt?: string | undefined;
};

export type RowSummary = {
  readonly sealed: number;
  readonly failed: number;
  readonly replayed: number;
  /** Exact sums of what went through, by currency. */
  readonly sent: Readonly<Record<string, string>>;
  readonly received: Readonly<Record<string, string>>;
};

const text = (money: Money | undefined): string =>
  money === undefined ? "" : `${money.amount} ${money.currency}`;

export const resultsCsv = (results: readonly RowResult[]): string =>
  csvLine(["row", "transferId", "status", "sent", "received", "reason", "code"]) +
  results
    .map(({ row, transferId, status, sent, received, reason, code, ok }) =>
      csvLine([
        String(row),
        transferId,
        status,
        ok ? text(sent) : "",
        ok ? text(received) : "",
        reason,
        code,
      ]),
    )
    .join("");

const addUp = (amounts: readonly Money[]): Record<string, string> => {
  const sums = new Map<string, bigint>();
  for (const { currency, amount } of amounts) {
    const known = parseCurrency(currency);
    const parsed = known && parseAmount(amount, known);
    if (parsed?.ok !== true) throw new TypeError(`${amount} ${currency} is no amount`);
    sums.set(currency, (sums.get(currency) ?? 0n) + parsed.minor);
  }
  return Object.fromEntries(
    [...sums].map(([code, minor]) => {
      const currency = parseCurrency(code);
      return [code, currency === undefined ? "" : formatAmount(minor, currency)];
    }),
  );
};

export const summarise = (results: readonly RowResult[]): RowSummary => {
  const good = results.filter(({ ok }) => ok);
  return {
    sealed: good.length,
    failed: results.length - good.length,
    replayed: good.filter(({ replayed }) => replayed).length,
    sent: addUp(good.flatMap(({ sent }) => sent ?? [])),
    received: addUp(good.flatMap(({ received }) => received ?? [])),
  };
};
