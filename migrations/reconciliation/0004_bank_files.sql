-- Banks' files as they came, by the digest that the bank's statement in the log has. What people gave, not
-- what the log says: backed up, not rebuilt.
create table bank_file (
  digest      text   primary key,
  at_ms       bigint not null,
  principal   text   not null,
  content     bytea  not null
);
create trigger bank_file_append_only before update or delete on bank_file
  for each row execute function refuse_change();
create trigger bank_file_no_truncate before truncate on bank_file
  for each statement execute function refuse_change();

grant select, insert on bank_file to {{role}};
