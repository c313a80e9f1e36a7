-- What the commitments of terms open to, each under keys of the persons whom it is about. A person is known
-- by a keyed hash of its account; its key is wrapped by the provider's. Erasing the key erases the person:
-- nothing else that is kept here opens it. Envelopes, which the provider's own key opens, are not kept.
create table person_key (
  person  bytea primary key check (length(person) = 32),
  wrapped bytea not null
);

create table sealed_opening (
  transfer_id uuid  not null,
  field       text  not null check (field in ('payer', 'payee', 'reference')),
  -- One person, or the two whose keys are both needed.
  persons     bytea not null check (length(persons) in (32, 64)),
  sealed      bytea not null,
  primary key (transfer_id, field)
);

delete from evidence where kind = 'envelope';
alter table evidence drop constraint evidence_kind_check;
alter table evidence add constraint evidence_kind_check check (kind in ('entry', 'proof'));

grant select, insert, delete on person_key to {{role}};
grant select, insert on sealed_opening to {{role}};
