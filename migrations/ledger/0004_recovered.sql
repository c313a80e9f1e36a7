-- Where the lane's topic ended when the lane was rebuilt from what was published: intents before it are
-- refused. 0 where that never happened.
alter table lane add column recovered_to bigint not null default 0 check (recovered_to >= 0);
