// One participant's accounts over a period, from the books. The balance at the period's beginning is
// today's less all that was booked since: the cost is that of what is new, not of the log's age. Log
// time only moves forward, so the place of an instant is found by halving.
import type { Sql } from "@sealane/database";
import type { AccountPeriod, Booking } from "@sealane/iso20022";

/** More do not go into one statement: ask for a shorter period. */
export const mostBookings = 50_000;

export type Period = {
  /** Entries that the books had when they were asked. */
  readonly asOf: number;
  /** Undefined when there are too many bookings. */
  readonly accounts: readonly AccountPeriod[] | undefined;
};

type Row = {
  readonly next_seq: bigint;
  readonly account: string | null;
  readonly currency: string | null;
  /** Null: the account's balance of now. */
  readonly seq: bigint | null;
  readonly time_ms: bigint | null;
  readonly kind: string | null;
  readonly ended_id: string | null;
  readonly minor: string | bigint | null;
};

/**
 * `position` is all that is owed until settlement: the position, what of it was settled, and fees. The
 * others are accounts of their own.
 */
const groupSql = (column: string): string =>
  `case split_part(${column}, ':', 2) when 'settled' then 'position' when 'fees' then 'position'
    else split_part(${column}, ':', 2) end`;

const periodText = `with booked as (
    select ${groupSql("side.account")} as account, p.currency, p.seq, sum(side.signed) as minor
    from posting p cross join lateral (values
      (p.debit, -p.amount_minor), (p.credit, p.amount_minor)) as side(account, signed)
    where p.lane = $1 and p.seq >= $3 and split_part(side.account, ':', 1) = $2
    group by 1, 2, 3
  ), told as (
    select b.account, b.currency, b.seq, e.time_ms, e.ended_id, b.minor,
      coalesce(s.kind, case when e.outcome = 'committed' then 'transfer'
        when e.corridor is not null then 'return'
        when e.ended_id is not null then 'advance' else e.outcome end) as kind
    from booked b join entry e on e.lane = $1 and e.seq = b.seq
    left join settlement_entry s on s.lane = $1 and s.seq = b.seq
    where b.minor <> 0
    union all
    select ${groupSql("account")}, currency, null, null, null, sum(credits - debits), null
    from balance where lane = $1 and split_part(account, ':', 1) = $2 group by 1, 2
  )
  select progress.next_seq, told.* from progress left join told on true
  where progress.lane = $1 order by told.account, told.currency, told.seq nulls first limit $4`;

const bookingOf = ({ seq, time_ms, kind, ended_id, minor }: Row): Booking => ({
  seq: Number(seq),
  time: new Date(Number(time_ms)).toISOString(),
  minor: BigInt(minor ?? 0),
  kind: kind ?? "",
  ...(ended_id === null ? {} : { uetr: ended_id }),
});

/** Balances of now first, then bookings, of one account. @param to place, exclusive */
const accountPeriod = (rows: readonly Row[], to: number): AccountPeriod => {
  const [first] = rows;
  const bookings = rows.filter(({ seq }) => seq !== null).map(bookingOf);
  const now = rows.find(({ seq }) => seq === null);
  const sum = (some: readonly Booking[]): bigint =>
    some.reduce((all, { minor }) => all + minor, 0n);
  const within = bookings.filter(({ seq }) => seq < to);
  const later = bookings.filter(({ seq }) => seq >= to);
  const closingMinor = BigInt(now?.minor ?? 0) - sum(later);
  return {
    account: first?.account ?? "",
    currency: first?.currency ?? "",
    openingMinor: closingMinor - sum(within),
    closingMinor,
    bookings: within,
  };
};

export type PeriodReader = ReturnType<typeof makePeriodReader>;

export const makePeriodReader = (sql: Sql, lane: number) => {
  /** The first place whose log time is not before the instant. */
  const placeAt = async (ms: number): Promise<number> => {
    const {
      rows: [last],
    } = await sql.query<{ next_seq: bigint }>({
      name: "period-size",
      text: "select next_seq from progress where lane = $1",
      values: [lane],
    });
    let [low, high] = [0, Number(last?.next_seq ?? 0)];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const { rows } = await sql.query<{ time_ms: bigint }>({
        name: "period-time",
        text: "select time_ms from entry where lane = $1 and seq = $2",
        values: [lane, middle],
      });
      if (Number(rows[0]?.time_ms) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  /** @param toMs exclusive */
  const period = async (participant: string, fromMs: number, toMs: number): Promise<Period> => {
    const [from, to] = [await placeAt(fromMs), await placeAt(toMs)];
    const { rows } = await sql.query<Row>({
      name: "period",
      text: periodText,
      values: [lane, participant, from, mostBookings + 1],
    });
    const asOf = Number(rows[0]?.next_seq ?? 0);
    if (rows.length > mostBookings) return { asOf, accounts: undefined };
    const groups = Map.groupBy(
      rows.filter(({ account }) => account !== null),
      ({ account, currency }) => `${account} ${currency}`,
    );
    return { asOf, accounts: [...groups.values()].map((own) => accountPeriod(own, to)) };
  };

  return { period };
};
