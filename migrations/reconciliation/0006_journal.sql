-- What people, banks and providers have said is not in the log: each change of it goes, in the same
-- transaction, into an outbox, from which the service writes its journal (`src/journal/`). With the log and
-- the journal all tables are built again, to the byte. Without a row here nothing is collected.
create table journal_mark (
  one   boolean primary key default true check (one),
  -- names the journal; the first line of the file has it
  id    uuid    not null,
  -- how far the file goes for sure, and the hash of all of it so far, base64
  bytes bigint  not null check (bytes >= 0),
  hash  text    not null
);

create table journal_outbox (
  n    bigint generated always as identity primary key,
  body jsonb  not null
);

create function journal_row() returns trigger language plpgsql set search_path from current as $$
begin
  if coalesce(current_setting('sealane.restoring', true), '') <> 'on'
    and exists (select 1 from journal_mark) then
    insert into journal_outbox (body) values (jsonb_build_object('t', tg_table_name,
      'o', left(tg_op, 1), 'row', to_jsonb(case when tg_op = 'DELETE' then old else new end)));
  end if;
  return null;
end $$;

create trigger action_journal after insert or update or delete on action
  for each row execute function journal_row();
create trigger bank_file_journal after insert or update or delete on bank_file
  for each row execute function journal_row();
create trigger provider_side_journal after insert or update or delete on provider_side
  for each row execute function journal_row();
create trigger provider_statement_journal after insert or update or delete on provider_statement
  for each row execute function journal_row();
create trigger provider_line_journal after insert or update or delete on provider_line
  for each row execute function journal_row();
create trigger reconcile_wait_journal after insert or update or delete on reconcile_wait
  for each row execute function journal_row();
create trigger reconcile_cursor_journal after insert or update or delete on reconcile_cursor
  for each row execute function journal_row();
create trigger break_case_journal after insert or update or delete on break_case
  for each row execute function journal_row();
create trigger break_event_journal after insert or update or delete on break_event
  for each row execute function journal_row();

grant select, insert, update on journal_mark to {{role}};
grant select, insert, delete on journal_outbox to {{role}};
-- A restored case keeps its number, and the next one gets a higher one.
grant update on sequence break_case_number_seq to {{role}};
