-- A net of more than 100 legs stands in the log in several entries. The part is one more name of its
-- row, 1 for what is one entry: kept beside the body, so that a net cannot be stored twice.
alter table settlement_entry add column part bigint
  generated always as (coalesce((body -> 'part' ->> 'number')::bigint, 1)) stored;
drop index settlement_net_once;
create unique index settlement_net_once
  on settlement_entry (lane, corridor, number, participant, part) where kind = 'window-net';
