-- Transfers that wait for operators' signatures, because the payer's policy asks for them at that amount. A
-- row is on disk before the 202, and is deleted when the intent is on the topic or refused: the envelope
-- in it, which the provider's own key opens, lives 300 s at most.
create table approval (
  id   uuid primary key,
  body text not null
);
grant select, insert, update, delete on approval to {{role}};
