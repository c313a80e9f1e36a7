-- The books as reconciliation derives them from the log. One row per lane says how far they go, and
-- everything else of a batch is stored by the statement that moves that row by compare-and-swap.
-- Entries and postings are append-only; balances are sums of postings, and `book_differences` says so.
create table progress (
  lane           integer primary key,
  origin         text    not null,
  next_seq       bigint  not null check (next_seq >= 0),
  -- of the topic; null: from its beginning
  next_offset    bigint  check (next_offset >= 0),
  last_leaf      bytea   not null check (length(last_leaf) = 32),
  frontier       bytea   not null check (length(frontier) % 32 = 0),
  log_time_ms    bigint  not null,
  keys_size      bigint  not null,
  -- chains and totals of the fold, as JSON
  fold           text    not null,
  sealed_size    bigint  not null check (sealed_size >= 0 and sealed_size <= next_seq),
  -- the compact range of the sealed tree, and the cosigned checkpoint itself
  sealed_range   bytea   not null check (length(sealed_range) % 32 = 0),
  sealed         text    not null,
  sealed_at_ms   bigint  not null
);

-- What the audit may have to look up again: hashes, whose chains it is in, and which id it ended.
create table entry (
  lane      integer not null,
  seq       bigint  not null,
  time_ms   bigint  not null,
  outcome   text    not null,
  ended_id  uuid,
  leaf_hash bytea   not null check (length(leaf_hash) = 32),
  -- `<participant> <n>` for each chain
  chains    text[]  not null,
  primary key (lane, seq)
);
-- One end for one id, over all lanes together.
create unique index entry_ends_once on entry (ended_id) where ended_id is not null;

create table posting (
  lane         integer not null,
  seq          bigint  not null,
  ordinal      integer not null check (ordinal >= 0),
  debit        text    not null,
  credit       text    not null,
  currency     text    not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint  not null check (amount_minor >= 0),
  primary key (lane, seq, ordinal)
);

create table balance (
  lane     integer not null,
  account  text    not null,
  currency text    not null check (currency ~ '^[A-Z]{3}$'),
  debits   bigint  not null check (debits >= 0),
  credits  bigint  not null check (credits >= 0),
  primary key (lane, account, currency)
);

-- Rate sheets that an open transfer may still cite, as the fold holds them.
create table sheet (
  lane integer not null,
  hash text    not null,
  body text    not null,
  primary key (lane, hash)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the books are append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'SL001';
end $$;

create trigger entry_append_only before update or delete on entry
  for each row execute function refuse_change();
create trigger entry_no_truncate before truncate on entry
  for each statement execute function refuse_change();
create trigger posting_append_only before update or delete on posting
  for each row execute function refuse_change();
create trigger posting_no_truncate before truncate on posting
  for each statement execute function refuse_change();

-- Runs once per statement that touched balances, over all of them: they are few, whatever the batch.
create function check_books() returns trigger language plpgsql as $$
declare
  unbalanced record;
begin
  select lane, currency, sum(debits) as debits, sum(credits) as credits into unbalanced
  from balance group by lane, currency having sum(debits) <> sum(credits) limit 1;
  if found then
    raise exception 'the books do not balance in lane % %: debits %, credits %',
      unbalanced.lane, unbalanced.currency, unbalanced.debits, unbalanced.credits
      using errcode = 'SL002';
  end if;
  return null;
end $$;

create trigger balance_sums after insert or update or delete on balance
  for each statement execute function check_books();

-- Balances that are not the sums of their postings: none, or something wrote past the service.
create function book_differences(of_lane integer)
returns table (account text, currency text, debits numeric, credits numeric,
  posted_debits numeric, posted_credits numeric)
language sql stable as $$
  with posted as (
    select side.account, posting.currency, sum(side.debit) as debits, sum(side.credit) as credits
    from posting cross join lateral (values
      (posting.debit, posting.amount_minor, 0), (posting.credit, 0, posting.amount_minor)
    ) as side(account, debit, credit)
    where posting.lane = of_lane
    group by side.account, posting.currency
  )
  select account, currency, coalesce(b.debits, 0), coalesce(b.credits, 0),
    coalesce(p.debits, 0), coalesce(p.credits, 0)
  from (select * from balance where lane = of_lane) b
  full join posted p using (account, currency)
  where (b.debits, b.credits) is distinct from (p.debits::bigint, p.credits::bigint)
$$;

grant usage on schema {{schema}} to {{role}};
grant select, insert, update on progress, balance to {{role}};
grant select, insert on entry, posting to {{role}};
grant select, insert, update, delete on sheet to {{role}};
