// A net debtor that did not pay leaves a shortfall for which the operator stands in: a break until it is paid
// back. Each default is a matter of its own; a deposit that pays shortfalls back closes them once nothing is
// owed any more in their currency.
import type { WindowDefault } from "@sealane/protocol";
import { amountOf, minorOf, type Finding } from "@sealane/rules";
import { writeCases, type Looked } from "./case-writer.ts";
import type { Under } from "./one-at-a-time.ts";

/** What is still owed of one default, by currency in minor units. */
type Owed = ReadonlyMap<string, bigint>;

const lookedAt = (
  { corridor, number, participant, payments }: WindowDefault,
  owed: Owed,
): Looked => ({
  participant,
  matter: `default ${corridor}/${number}`,
  transferId: undefined,
  findings: payments
    .filter(({ currency }) => (owed.get(currency) ?? 0n) > 0n)
    .map(({ currency, cover, shortfall }): Finding => {
      const [paid, missing] = [minorOf(cover, currency), minorOf(shortfall, currency)];
      const left = owed.get(currency) ?? 0n;
      return {
        kind: "default",
        between: "log-bank",
        subject: currency,
        side: "debit",
        currency,
        expectedMinor: paid + missing,
        foundMinor: paid + missing - left,
        detail: `${corridor}/${number} was not paid: ${amountOf(left, currency)} ${currency} short`,
      };
    }),
});

/** What this participant owes of its shortfalls now. */
const shortfallsOf = async ({ lane, sql }: Under, participant: string) => {
  const { rows } = await sql.query<{ currency: string; owed: bigint }>({
    name: "shortfalls",
    text: `select currency, debits - credits as owed from balance
      where lane = $1 and account = $2 and debits > credits`,
    values: [lane, `${participant}:shortfall`],
  });
  return new Map(rows.map(({ currency, owed }) => [currency, owed]));
};

/** The oldest is paid back first. @param defaults the newest first */
const shareOut = (defaults: readonly WindowDefault[], left: Map<string, bigint>): Looked[] =>
  defaults.map((one) => {
    const owed = new Map<string, bigint>();
    for (const { currency, shortfall } of one.payments) {
      const minor = minorOf(shortfall, currency);
      const still = left.get(currency) ?? 0n;
      const own = still < minor ? still : minor;
      left.set(currency, still - own);
      owed.set(currency, own);
    }
    return lookedAt(one, owed);
  });

/** Defaults among these entries, and earlier ones of whoever has paid something back in them. */
export const takeDefaults = async (under: Under, from: number, to: number): Promise<void> => {
  const { lane, sql } = under;
  const { rows: said } = await sql.query<{ participant: string }>({
    name: "defaults-said",
    text: `select distinct participant from settlement_entry
      where lane = $1 and seq >= $2 and seq < $3 and kind in ('window-default', 'liquidity')
        and (kind = 'window-default' or body @? '$.lines[*].repaid')`,
    values: [lane, from, to],
  });
  for (const { participant } of said) {
    const { rows } = await sql.query<{ body: WindowDefault }>({
      name: "defaults-of",
      text: `select body from settlement_entry where lane = $1 and kind = 'window-default'
        and participant = $2 order by seq desc`,
      values: [lane, participant],
    });
    const defaults = rows.map(({ body }) => body);
    await writeCases(under, shareOut(defaults, await shortfallsOf(under, participant)));
  }
};
