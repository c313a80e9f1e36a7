-- What a lane remembers of settlement, by name: open windows with their flows, cut ones until they are
-- settled, advances that nothing backs yet, statements and lines that were taken. Each is a row of
-- JSON that the batch's own statement writes; all of it can be folded again from the log.
create table settlement (
  lane integer not null,
  name text    not null,
  body text    not null,
  primary key (lane, name)
);

grant select, insert, update, delete on settlement to {{role}};
