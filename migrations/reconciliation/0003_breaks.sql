-- Three-way reconciliation: providers' own statements, what they are compared with, and breaks.
-- Entries get the bookings that a transfer's terms give, so the books are folded again from the log, as in
-- 0002. What people and providers have said (statements, breaks, comments, actions) is no copy of the log:
-- nothing here or later may drop it.
alter table entry disable trigger user;
alter table posting disable trigger user;
alter table settlement_entry disable trigger user;
truncate entry, posting, settlement_entry;
alter table entry enable trigger user;
alter table posting enable trigger user;
alter table settlement_entry enable trigger user;
delete from balance;
delete from sheet;
delete from settlement;
delete from progress;

-- Of a committed transfer: its bookings by the signed terms, as JSON; see `src/breaks/facts.ts`.
alter table entry add column facts text;

-- How far each provider's own books are known, and how far the log was held against them.
create table provider_side (
  lane             integer not null,
  participant      text    not null,
  begin_ms         bigint  not null,
  -- every booking before this instant is in `provider_line`
  covered_until_ms bigint  not null check (covered_until_ms >= begin_ms),
  -- the log's size that the provider had seen, where it says so
  seen_position    bigint,
  -- the first entry whose bookings were not asked for yet
  judged_seq       bigint  not null,
  primary key (lane, participant)
);

create table provider_statement (
  lane          integer not null,
  participant   text    not null,
  reference     text    not null,
  -- SHA-256 of what was handed in, base64, and of the provider's own file, where there was one
  hash          text    not null,
  digest        text,
  from_ms       bigint  not null,
  to_ms         bigint  not null check (to_ms > from_ms),
  seen_position bigint,
  more          boolean not null,
  lines         integer not null,
  at_ms         bigint  not null,
  principal     text    not null,
  primary key (lane, participant, reference)
);
create index provider_statement_at on provider_statement (lane, at_ms);
create trigger provider_statement_append_only before update or delete on provider_statement
  for each row execute function refuse_change();
create trigger provider_statement_no_truncate before truncate on provider_statement
  for each statement execute function refuse_change();

-- Only a pending line may change: it is booked, or taken back.
create table provider_line (
  lane         integer not null,
  participant  text    not null,
  reference    text    not null,
  statement    text    not null,
  -- the transfer's id, or `line REFERENCE` where the provider names none
  matter       text    not null,
  transfer_id  uuid,
  side         text    not null check (side in ('debit', 'credit')),
  currency     text    not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint  not null check (amount_minor >= 0),
  fee_minor    bigint  check (fee_minor >= 0),
  status       text    not null check (status in ('booked', 'pending', 'reversed')),
  booked_at_ms bigint  not null,
  primary key (lane, participant, reference)
);
create index provider_line_matter on provider_line (lane, participant, matter);

-- Matters to be looked at again when a side has come so far, though nothing new is known of them.
create table reconcile_wait (
  lane          integer not null,
  participant   text    not null,
  matter        text    not null,
  transfer_id   uuid,
  log_due_ms    bigint,
  wallet_due_ms bigint,
  wallet_seq    bigint,
  primary key (lane, participant, matter)
);
create index reconcile_wait_log on reconcile_wait (lane, log_due_ms) where log_due_ms is not null;
create index reconcile_wait_wallet on reconcile_wait (lane, participant, wallet_due_ms)
  where wallet_due_ms is not null;
create index reconcile_wait_id on reconcile_wait (transfer_id) where transfer_id is not null;

-- The first entry that was not held against Postgres' postings, and against what waits for it. Its row is
-- the lock under which all of reconciliation is done, so that two instances do it once.
create table reconcile_cursor (
  lane     integer primary key,
  next_seq bigint  not null
);

create table break_case (
  id              uuid    primary key,
  -- the order of opening, and the cursor of lists
  number          bigint  generated always as identity unique,
  lane            integer not null,
  kind            text    not null,
  between_sides   text    not null check (between_sides in ('log-wallet', 'log-postgres', 'log-bank')),
  participant     text    not null,
  matter          text    not null,
  transfer_id     uuid,
  subject         text    not null,
  side            text    not null,
  currency        text    not null,
  expected        text,
  found           text,
  found_currency  text,
  detail          text    not null,
  state           text    not null
    check (state in ('open', 'proposed', 'posting', 'resolved', 'cleared')),
  owner           text    not null,
  opened_at_ms    bigint  not null,
  deadline_ms     bigint  not null,
  ended_at_ms     bigint,
  -- as of which place of the log, and which instant and place of the provider's books
  log_position    bigint  not null,
  wallet_until_ms bigint,
  wallet_position bigint,
  proposal        jsonb
);
create index break_case_matter on break_case (lane, participant, matter);
create index break_case_live on break_case (lane, kind, opened_at_ms)
  where state in ('open', 'proposed', 'posting');

-- What became of each, for ever.
create table break_event (
  break_id  uuid    not null,
  n         integer not null,
  at_ms     bigint  not null,
  principal text    not null,
  kind      text    not null,
  body      jsonb   not null,
  primary key (break_id, n)
);
create trigger break_event_append_only before update or delete on break_event
  for each row execute function refuse_change();
create trigger break_event_no_truncate before truncate on break_event
  for each statement execute function refuse_change();

grant select, insert, update on provider_side, provider_line, reconcile_cursor, break_case to {{role}};
grant select, insert on provider_statement, break_event to {{role}};
grant select, insert, update, delete on reconcile_wait to {{role}};
