-- Windows and settlements. Books from before them are folded again from the log: nothing but the log is
-- lost with them, and it has everything.
alter table entry disable trigger user;
alter table posting disable trigger user;
truncate entry, posting;
alter table entry enable trigger user;
alter table posting enable trigger user;
delete from balance;
delete from sheet;
delete from progress;

-- The corridor that a committed transfer settles in; with its place it says in which window.
alter table entry add column corridor text;
create index entry_corridor on entry (lane, corridor, seq) where corridor is not null;

-- What the fold remembers of settlement, by name; see `rules/src/settlement/rows.ts`.
create table settlement (
  lane integer not null,
  name text    not null,
  body text    not null,
  primary key (lane, name)
);

-- Every entry about settlement, as it stands in the log: cuts, nets, statements, what they settle.
create table settlement_entry (
  lane        integer not null,
  seq         bigint  not null,
  time_ms     bigint  not null,
  kind        text    not null,
  corridor    text,
  number      bigint,
  participant text,
  body        jsonb   not null,
  primary key (lane, seq)
);
create unique index settlement_cut_once on settlement_entry (lane, corridor, number)
  where kind = 'window-cut';
create unique index settlement_net_once on settlement_entry (lane, corridor, number, participant)
  where kind = 'window-net';
create index settlement_entry_window on settlement_entry (lane, corridor, number, seq);
create index settlement_entry_kind on settlement_entry (lane, kind, seq);

create trigger settlement_entry_append_only before update or delete on settlement_entry
  for each row execute function refuse_change();
create trigger settlement_entry_no_truncate before truncate on settlement_entry
  for each statement execute function refuse_change();

-- Who asked for what over HTTP, and what became of it: kept for ever, one row per idempotency key.
create table action (
  principal       text   not null,
  idempotency_key text   not null,
  at_ms           bigint not null,
  kind            text   not null,
  subject         text   not null,
  -- SHA-256 of the note that was handed in, base64
  hash            text   not null,
  status          integer not null,
  answer          text   not null,
  primary key (principal, idempotency_key)
);
create index action_at on action (at_ms);
create trigger action_append_only before update or delete on action
  for each row execute function refuse_change();
create trigger action_no_truncate before truncate on action
  for each statement execute function refuse_change();

-- Nets that are not the sums of their window's postings: none. It adds up postings by SQL alone, on
-- another path than the fold.
create function window_differences(of_lane integer)
returns table (corridor text, number bigint, participant text, currency text,
  net numeric, posted numeric)
language sql stable as $$
  with span as (
    select e.corridor, e.number, (e.body->>'from')::bigint as from_seq,
      (e.body->>'to')::bigint as to_seq
    from settlement_entry e where e.lane = of_lane and e.kind = 'window-net'
    group by 1, 2, 3, 4
  ), posted as (
    select span.corridor, span.number, split_part(side.account, ':', 1) as participant,
      p.currency, sum(side.signed) as posted
    from span
    join entry t on t.lane = of_lane and t.corridor = span.corridor
      and t.seq >= span.from_seq and t.seq < span.to_seq
    join posting p on p.lane = of_lane and p.seq = t.seq
    cross join lateral (values (p.debit, -p.amount_minor), (p.credit, p.amount_minor))
      as side(account, signed)
    group by 1, 2, 3, 4
  ), said as (
    select e.corridor, e.number, e.participant, total->>'currency' as currency,
      (total->>'credits')::numeric + (total->>'fees')::numeric - (total->>'debits')::numeric as net
    from settlement_entry e cross join lateral jsonb_array_elements(e.body->'totals') as total
    where e.lane = of_lane and e.kind = 'window-net'
  )
  select corridor, number, participant, currency, coalesce(net, 0), coalesce(posted, 0)
  from said full join posted using (corridor, number, participant, currency)
  -- Decimals of the currency are in the text: compared as digits.
  where replace(coalesce(net, 0)::text, '.', '')::numeric is distinct from coalesce(posted, 0)
$$;

grant select, insert, update, delete on settlement to {{role}};
grant select, insert on settlement_entry, action to {{role}};
