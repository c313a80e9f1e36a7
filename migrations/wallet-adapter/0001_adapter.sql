-- A provider's adapter: what it has seen of its own transfers, so that it can answer its core, and what
-- it still owes it. No account number and no name: personal data stay sealed, as evidence.
create table transfer (
  id        uuid primary key,
  role      text not null check (role in ('payer', 'payee')),
  status    text not null,
  body      text not null,
  -- The number of the newest notice for the core, and of the newest that it has answered.
  notice    integer not null,
  notified  integer not null,
  updated_ms bigint not null
);
create index transfer_unnotified on transfer (updated_ms) where notified < notice;
create index transfer_waiting on transfer (status) where status in ('reserved', 'committed', 'sealed');

-- What is large and never changes, written once: the sealed personal data, the entry, its proof.
create table evidence (
  transfer_id uuid not null,
  kind        text not null check (kind in ('envelope', 'entry', 'proof')),
  body        text not null,
  primary key (transfer_id, kind)
);
-- Rows stay whole and as they are: compressing 2 kB of hashes and signatures costs more than it saves.
alter table evidence alter column body set storage external, set (toast_tuple_target = 8160);

-- The provider's own chain, entry by entry: with it, it can show that it has them all.
create table chain_entry (
  n           bigint primary key,
  seq         bigint not null unique,
  leaf_hash   bytea  not null check (length(leaf_hash) = 32),
  transfer_id uuid,
  owes_credit boolean not null
);

-- One row: how far the inbox has been read, by Kafka's offset and by the ledger's numbers.
create table inbox (
  one            integer primary key check (one = 1),
  next_offset    bigint not null,
  next_n         bigint not null,
  next_chain     bigint not null,
  sealed_to      bigint not null,
  credited_to    bigint not null
);

create table sheet (
  provider text not null,
  pair     text not null,
  number   bigint not null,
  note     text not null,
  primary key (provider, pair)
);

grant usage on schema {{schema}} to {{role}};
grant select, insert, update on transfer, inbox, sheet to {{role}};
grant select, insert on chain_entry, evidence to {{role}};
