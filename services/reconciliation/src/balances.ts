// Balances as of a position of the log: sums of postings from the nearest snapshot on. One statement
// per answer, so that what it says belongs together: position, sealed size and balances.
import type { Sql } from "@sealane/database";

export type BalanceRow = {
  readonly account: string;
  readonly currency: string;
  readonly debits: bigint;
  readonly credits: bigint;
};

export type BalanceQuery = {
  /** Entries that count: positions below it. Undefined: all that are applied. */
  readonly asOf: number | undefined;
  readonly participant: string | undefined;
  readonly currency: string | undefined;
};

export type BalanceAnswer =
  | {
      readonly ok: true;
      readonly asOf: number;
      readonly sealedSize: number;
      readonly rows: readonly BalanceRow[];
    }
  /** The books are not that far. */
  | { readonly ok: false; readonly nextSeq: number };

type Row = {
  readonly next_seq: bigint;
  readonly sealed_size: bigint;
  readonly account: string | null;
  readonly currency: string;
  readonly debits: bigint;
  readonly credits: bigint;
};

/** $2: as of; $3, $4: participant and currency, or null. */
const text = `
with at as (
  select next_seq, sealed_size, least(coalesce($2, next_seq), next_seq) as as_of from progress
  where lane = $1
), base as (
  select coalesce(max(position), 0) as position from balance_snapshot, at
  where lane = $1 and position <= at.as_of
), sides as (
  select account, currency, debits, credits from balance, at
  where lane = $1 and at.as_of = at.next_seq
  union all
  select s.account, s.currency, s.debits, s.credits from balance_snapshot as s, base, at
  where s.lane = $1 and s.position = base.position and at.as_of < at.next_seq
  union all
  select side.account, p.currency, side.debits, side.credits
  from at, base, posting as p
  cross join lateral (values (p.debit, p.amount_minor, 0::bigint), (p.credit, 0, p.amount_minor))
    as side(account, debits, credits)
  where p.lane = $1 and p.seq >= base.position and p.seq < at.as_of and at.as_of < at.next_seq
), sums as (
  select account, currency, sum(debits)::bigint as debits, sum(credits)::bigint as credits
  from sides
  where ($3::text is null or split_part(account, ':', 1) = $3)
    and ($4::text is null or currency = $4)
  group by account, currency
)
select at.next_seq, at.sealed_size, sums.account, sums.currency, sums.debits, sums.credits
from at left join sums on true
order by sums.account, sums.currency`;

export type BalanceReader = (query: BalanceQuery) => Promise<BalanceAnswer>;

export const makeBalanceReader =
  (sql: Sql, lane: number): BalanceReader =>
  async ({ asOf, participant, currency }) => {
    const { rows } = await sql.query<Row>({
      name: "balances-as-of",
      text,
      values: [lane, asOf ?? null, participant ?? null, currency ?? null],
    });
    const nextSeq = Number(rows[0]?.next_seq ?? 0n);
    if (asOf !== undefined && asOf > nextSeq) return { ok: false, nextSeq };
    return {
      ok: true,
      asOf: asOf ?? nextSeq,
      sealedSize: Number(rows[0]?.sealed_size ?? 0n),
      rows: rows.flatMap((row) =>
        row.account === null
          ? []
          : [
              {
                account: row.account,
                currency: row.currency,
                debits: row.debits,
                credits: row.credits,
              },
            ],
      ),
    };
  };
