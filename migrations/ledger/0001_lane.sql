-- The ledger's tables. A lane is one row that only its writer moves, by compare-and-swap on size and
-- epoch; entries are append-only; everything else can be derived from the lane's input.
create table lane (
  lane             integer primary key,
  origin           text    not null,
  epoch            bigint  not null,
  holder           text    not null,
  lease_until      timestamptz not null,
  size             bigint  not null check (size >= 0),
  log_time_ms      bigint  not null,
  last_hash        bytea   not null check (length(last_hash) = 32),
  frontier         bytea   not null check (length(frontier) % 32 = 0),
  input_offset     bigint  not null check (input_offset >= 0),
  batch            bigint  not null,
  published_batch  bigint  not null,
  sealed_size      bigint  not null,
  checkpoint       text    not null,
  sealed           text    not null,
  heads            jsonb   not null
);

create table entry (
  lane       integer not null,
  seq        bigint  not null,
  leaf_hash  bytea   not null check (length(leaf_hash) = 32),
  bytes      bytea   not null check (length(bytes) between 1 and 32768),
  primary key (lane, seq)
);

-- Rows stay whole and as they are: compressing 2 kB of hashes and signatures costs more than it saves.
alter table entry alter column bytes set storage external, set (toast_tuple_target = 8160);

-- Reserved and not yet ended. Personal data are sealed to their readers.
create table open_transfer (
  id    uuid primary key,
  lane  integer not null,
  body  text    not null
);

alter table open_transfer alter column body set storage external, set (toast_tuple_target = 8160);

-- How each id ended: an entry, or a refusal that binds it.
create table ended_transfer (
  id          uuid primary key,
  lane        integer not null,
  request     text,
  payer       text    not null,
  seq         bigint,
  outcome     text    not null,
  refusal     text,
  ended_at_ms bigint  not null,
  check ((seq is null) = (refusal is not null))
);

create table used_quote (
  quote uuid primary key,
  id    uuid not null
);

create table balance (
  lane           integer not null,
  account        text    not null,
  currency       text    not null check (currency ~ '^[A-Z]{3}$'),
  pending_debit  bigint  not null check (pending_debit >= 0),
  posted_debit   bigint  not null check (posted_debit >= 0),
  pending_credit bigint  not null check (pending_credit >= 0),
  posted_credit  bigint  not null check (posted_credit >= 0),
  primary key (lane, account, currency)
);

create table sheet (
  lane      integer not null,
  seq       bigint  not null,
  body      text    not null,
  primary key (lane, seq)
);

-- What each batch told each participant, as references: bodies are in the tables above.
create table inbox_message (
  participant text    not null,
  n           bigint  not null,
  lane        integer not null,
  batch       bigint  not null,
  time_ms     bigint  not null,
  refs        text    not null,
  primary key (participant, n)
);
create index inbox_message_batch on inbox_message (lane, batch);

create table key_log (
  origin      text primary key,
  sealed_size bigint not null,
  sealed      text   not null
);

create table key_entry (
  seq       bigint primary key,
  leaf_hash bytea  not null check (length(leaf_hash) = 32),
  bytes     bytea  not null
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'SL001';
end $$;

create trigger entry_append_only before update or delete on entry
  for each row execute function refuse_change();
create trigger entry_no_truncate before truncate on entry
  for each statement execute function refuse_change();
create trigger key_entry_append_only before update or delete on key_entry
  for each row execute function refuse_change();
create trigger key_entry_no_truncate before truncate on key_entry
  for each statement execute function refuse_change();

grant usage on schema {{schema}} to {{role}};
grant select, insert, update on lane, key_log, balance, sheet to {{role}};
grant delete on sheet to {{role}};
grant select, insert on entry, key_entry, ended_transfer, used_quote, inbox_message to {{role}};
grant select, insert, delete on open_transfer to {{role}};
