-- Several lanes: in each the provider has a chain, seals, sheets and an inbox numbered of its own. The topic
-- is one, and each lane's row says up to where that lane has been read.
alter table chain_entry add column lane integer not null default 0;
alter table chain_entry drop constraint chain_entry_pkey, drop constraint chain_entry_seq_key,
  add primary key (lane, n), add unique (lane, seq);

alter table inbox add column lane integer not null default 0;
alter table inbox drop constraint inbox_pkey, drop constraint inbox_one_check, drop column one,
  add primary key (lane);

alter table sheet add column lane integer not null default 0;
alter table sheet drop constraint sheet_pkey, add primary key (lane, provider, pair);
