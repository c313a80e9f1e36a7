// A net debtor that did not pay leaves a shortfall for which the operator stands in: a break until it is paid
// back, the oldest first. What the bank says that it has paid of that net all the same, before or after, is
// a line that nothing of ours answers to: its cover has paid already.
import type { WindowDefault } from "@sealane/protocol";
import { amountOf, minorOf, type Finding } from "@sealane/rules";
import { writeCases, type Looked } from "./case-writer.ts";
import type { SettlementReader } from "../settlement-reader.ts";
import type { Under } from "./one-at-a-time.ts";

/** What is still owed of one default, by currency in minor units. */
type Owed = ReadonlyMap<string, bigint>;

const shortFindings = ({ corridor, number, payments }: WindowDefault, owed: Owed): Finding[] =>
  payments
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
    });

type Net = NonNullable<Awaited<ReturnType<SettlementReader["window"]>>>["nets"][number];

const paidFindings = (net: Net | undefined, { corridor, number }: WindowDefault): Finding[] =>
  (net?.legs ?? [])
    .filter(({ booked, side }) => booked && side === "pay")
    .map(({ reference, currency, amount }): Finding => ({
      kind: "unmatched-bank-line",
      between: "log-bank",
      subject: `leg ${reference}`,
      side: "debit",
      currency,
      foundMinor: minorOf(amount, currency),
      detail: `booked ${amount} ${currency} of ${corridor}/${number}, which is in default`,
    }));

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
const shareOut = (defaults: readonly WindowDefault[], left: Map<string, bigint>): Owed[] =>
  defaults.map((one) => {
    const owed = new Map<string, bigint>();
    for (const { currency, shortfall } of one.payments) {
      const minor = minorOf(shortfall, currency);
      const still = left.get(currency) ?? 0n;
      const own = still < minor ? still : minor;
      left.set(currency, still - own);
      owed.set(currency, own);
    }
    return owed;
  });

/** Defaults among these entries, and earlier ones of which a bank's statement among them says anything. */
export const takeDefaults = async (
  under: Under,
  reader: Pick<SettlementReader, "window">,
  from: number,
  to: number,
): Promise<void> => {
  const { lane, sql } = under;
  const { rows: said } = await sql.query<{ participant: string }>({
    name: "defaults-said",
    text: `select participant from settlement_entry
        where lane = $1 and seq >= $2 and seq < $3 and kind in ('window-default', 'liquidity')
          and (kind = 'window-default' or body @? '$.lines[*].repaid')
      union
      select d.participant from settlement_entry b join settlement_entry d using (lane, corridor, number)
        where lane = $1 and b.seq >= $2 and b.seq < $3 and b.kind = 'bank-statement'
          and d.kind = 'window-default'`,
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
    const owed = shareOut(defaults, await shortfallsOf(under, participant));
    const looked: Looked[] = [];
    for (const [at, one] of defaults.entries()) {
      const window = await reader.window(one);
      const net = window?.nets.find((other) => other.participant === participant);
      const short = shortFindings(one, owed[at] ?? new Map<string, bigint>());
      looked.push({
        participant,
        matter: `default ${one.corridor}/${one.number}`,
        transferId: undefined,
        findings: [...short, ...paidFindings(net, one)],
      });
    }
    await writeCases(under, looked);
  }
};
