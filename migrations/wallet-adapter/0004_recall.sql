-- Recalls of what this provider received, until they are answered on the log: with the statement itself,
-- which the answer carries. Few, and gone with their answer.
create table recall (
  original uuid primary key,
  body     text not null
);
grant select, insert, update, delete on recall to {{role}};
