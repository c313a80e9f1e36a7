-- One row for a transfer's openings instead of three, and another cipher: XChaCha20-Poly1305. What was sealed
-- before cannot be read any more and is taken away; no release has kept anything in a vault yet.
drop table sealed_opening;
delete from person_key;

create table sealed_opening (
  transfer_id uuid primary key,
  -- Whom it is about; the reference is about both, and opens with both of their keys only.
  payer_person bytea not null check (length(payer_person) = 32),
  payee_person bytea not null check (length(payee_person) = 32),
  -- Null where the person was erased while it was being written.
  payer     bytea,
  payee     bytea,
  reference bytea
);

grant select, insert on sealed_opening to {{role}};
