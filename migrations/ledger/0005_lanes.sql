-- Several lanes in one database: each numbers its messages to a participant by itself, and a quote is used
-- once in its lane.
alter table inbox_message drop constraint inbox_message_pkey,
  add primary key (participant, lane, n);

alter table used_quote add column lane integer not null default 0;
alter table used_quote alter column lane drop default;
alter table used_quote drop constraint used_quote_pkey, add primary key (lane, quote);
