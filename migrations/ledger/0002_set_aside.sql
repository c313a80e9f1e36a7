-- Operators' decisions to set a command of the lane aside. A decision is stored before anything follows
-- from it, so that whoever takes the lane over decides the same; that it was followed is stored by the
-- statement that moves the lane past the command.
create table set_aside_decision (
  lane         integer not null,
  input_offset bigint  not null check (input_offset >= 0),
  decision     text    not null,
  received_at  timestamptz not null default now(),
  primary key (lane, input_offset)
);

create table set_aside (
  lane         integer not null,
  input_offset bigint  not null,
  batch        bigint  not null,
  time_ms      bigint  not null,
  primary key (lane, input_offset),
  foreign key (lane, input_offset) references set_aside_decision
);

create trigger set_aside_decision_append_only before update or delete on set_aside_decision
  for each row execute function refuse_change();
create trigger set_aside_decision_no_truncate before truncate on set_aside_decision
  for each statement execute function refuse_change();
create trigger set_aside_append_only before update or delete on set_aside
  for each row execute function refuse_change();
create trigger set_aside_no_truncate before truncate on set_aside
  for each statement execute function refuse_change();

grant select, insert on set_aside_decision, set_aside to {{role}};
