// What the books say, for those who ask. Each answer is one statement, so position and amounts
// belong together, whatever is being stored at that moment.
import type { Sql } from "@sealane/database";

export type BalanceFilter = {
  readonly participant: string | undefined;
  readonly currency: string | undefined;
};

export type BalanceRow = {
  readonly account: string;
  readonly currency: string;
  /** Minor units. */
  readonly debits: bigint;
  readonly credits: bigint;
};

export type BalancesAt = {
  /** Entries that are applied now. */
  readonly applied: number;
  readonly sealedSize: number;
  readonly rows: readonly BalanceRow[];
};

export type ProgressAt = {
  readonly applied: number;
  readonly nextOffset: string | undefined;
  readonly logTimeMs: number;
  readonly keysSize: number;
  readonly fold: string;
  readonly sealedSize: number;
  readonly sealed: string;
};

type Row = {
  readonly next_seq: bigint;
  readonly sealed_size: bigint;
  readonly account: string | null;
  readonly currency: string | null;
  readonly debits: string | bigint | null;
  readonly credits: string | bigint | null;
};

const nowText = `select p.next_seq, p.sealed_size, b.account, b.currency, b.debits, b.credits
  from progress p left join balance b on b.lane = p.lane
    and ($2::text is null or split_part(b.account, ':', 1) = $2)
    and ($3::text is null or b.currency = $3)
  where p.lane = $1 order by b.account, b.currency`;

/** From the postings alone: it reads all of them before that position. */
const pastText = `with past as (
    select side.account, posting.currency, sum(side.debit) as debits, sum(side.credit) as credits
    from posting cross join lateral (values
      (posting.debit, posting.amount_minor, 0), (posting.credit, 0, posting.amount_minor)
    ) as side(account, debit, credit)
    where posting.lane = $1 and posting.seq < $4
      and ($2::text is null or split_part(side.account, ':', 1) = $2)
      and ($3::text is null or posting.currency = $3)
    group by side.account, posting.currency
  )
  select p.next_seq, p.sealed_size, past.account, past.currency, past.debits, past.credits
  from progress p left join past on true
  where p.lane = $1 order by past.account, past.currency`;

export type BookReader = ReturnType<typeof makeBookReader>;

export const makeBookReader = (sql: Sql, lane: number) => {
  /** @param asOf a number of entries; undefined: all that are applied */
  const balances = async (
    { participant, currency }: BalanceFilter,
    asOf: number | undefined,
  ): Promise<BalancesAt> => {
    const filter = [lane, participant ?? null, currency ?? null];
    const { rows } = await sql.query<Row>(
      asOf === undefined
        ? { name: "balances-now", text: nowText, values: filter }
        : { name: "balances-past", text: pastText, values: [...filter, asOf] },
    );
    const balanceRows = rows.flatMap(({ account, currency: code, debits, credits }) =>
      account === null || code === null
        ? []
        : { account, currency: code, debits: BigInt(debits ?? 0), credits: BigInt(credits ?? 0) },
    );
    return {
      applied: Number(rows[0]?.next_seq ?? 0),
      sealedSize: Number(rows[0]?.sealed_size ?? 0),
      rows: balanceRows,
    };
  };

  const progress = async (): Promise<ProgressAt | undefined> => {
    type Found = {
      next_seq: bigint;
      next_offset: bigint | null;
      log_time_ms: bigint;
      keys_size: bigint;
      fold: string;
      sealed_size: bigint;
      sealed: string;
    };
    const { rows } = await sql.query<Found>({
      name: "progress-read",
      text: `select next_seq, next_offset, log_time_ms, keys_size, fold, sealed_size, sealed
        from progress where lane = $1`,
      values: [lane],
    });
    const row = rows[0];
    if (row === undefined) return undefined;
    return {
      applied: Number(row.next_seq),
      nextOffset: row.next_offset?.toString(),
      logTimeMs: Number(row.log_time_ms),
      keysSize: Number(row.keys_size),
      fold: row.fold,
      sealedSize: Number(row.sealed_size),
      sealed: row.sealed,
    };
  };

  return { balances, progress };
};
