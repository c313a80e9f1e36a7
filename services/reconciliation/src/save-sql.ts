// The one statement that stores a batch. `moved` is empty when another instance was faster, and
// then nothing is stored; balances are summed by Postgres from the postings of the same statement,
// and come back to be compared with the fold's.
import { pgArray } from "@sealane/database";
import { auditSnapshot, minorOf, takeSettlementRows } from "@sealane/rules";
import { fromBase64, type CompactRange } from "@sealane/tlog";
import type { Books, PendingEntry } from "./books.ts";

const text = `
with moved as (
  update progress set next_seq = $3, next_offset = coalesce($4, next_offset), last_leaf = $5,
    frontier = $6, log_time_ms = $7, keys_size = $8, fold = $9, sealed_size = $10,
    sealed_range = $11, sealed = $12, sealed_at_ms = $13
  where lane = $1 and next_seq = $2 and sealed_size <= $10
  returning lane
), entries as (
  insert into entry (lane, seq, time_ms, outcome, ended_id, leaf_hash, chains, corridor,
    facts)
  select lane, seq, time_ms, outcome, ended_id, leaf_hash, string_to_array(chains, ','), corridor,
    facts
  from moved, unnest($14::int8[], $15::int8[], $16::text[], $17::uuid[], $18::bytea[],
    $19::text[], $29::text[], $40::text[])
    as t(seq, time_ms, outcome, ended_id, leaf_hash, chains, corridor, facts)
), posted as (
  insert into posting (lane, seq, ordinal, debit, credit, currency, amount_minor)
  select lane, seq, ordinal, debit, credit, currency, amount_minor
  from moved, unnest($20::int8[], $21::int4[], $22::text[], $23::text[], $24::text[],
    $25::int8[]) as t(seq, ordinal, debit, credit, currency, amount_minor)
  returning debit, credit, currency, amount_minor
), balances as (
  insert into balance (lane, account, currency, debits, credits)
  select $1, side.account, posted.currency, sum(side.debit)::bigint, sum(side.credit)::bigint
  from posted cross join lateral (values
    (posted.debit, posted.amount_minor, 0), (posted.credit, 0, posted.amount_minor)
  ) as side(account, debit, credit)
  group by side.account, posted.currency
  on conflict (lane, account, currency) do update set
    debits = balance.debits + excluded.debits, credits = balance.credits + excluded.credits
  returning account, currency, debits, credits
), sheets as (
  insert into sheet (lane, hash, body)
  select lane, hash, body from moved, unnest($26::text[], $27::text[]) as t(hash, body)
  on conflict (lane, hash) do update set body = excluded.body
), forgotten as (
  delete from sheet using moved where sheet.lane = moved.lane and sheet.hash = any($28::text[])
), said as (
  insert into settlement_entry (lane, seq, time_ms, kind, corridor, number, participant, body)
  select lane, seq, time_ms, kind, corridor, number, participant, body::jsonb
  from moved, unnest($30::int8[], $31::int8[], $32::text[], $33::text[], $34::int8[], $35::text[],
    $36::text[]) as t(seq, time_ms, kind, corridor, number, participant, body)
), settled as (
  insert into settlement (lane, name, body)
  select lane, name, body from moved, unnest($37::text[], $38::text[]) as t(name, body)
  on conflict (lane, name) do update set body = excluded.body
), done as (
  delete from settlement using moved
  where settlement.lane = moved.lane and settlement.name = any($39::text[])
)
select (select count(*) from moved)::integer as moved,
  (select coalesce(json_agg(json_build_array(account, currency, debits::text, credits::text)), '[]')
   from balances) as balances`;

const texts = (values: readonly (string | undefined)[]): Buffer => pgArray("text", values);

/** Where a statement about settlement belongs: what it is looked up by. */
const subjectOf = (said: NonNullable<PendingEntry["settlement"]>) => {
  const { body } = said;
  const window = said.kind === "bank-statement" ? said.body.window : body;
  return {
    corridor: window !== undefined && "corridor" in window ? window.corridor : undefined,
    number: window !== undefined && "number" in window ? window.number : undefined,
    participant: "participant" in body ? body.participant : undefined,
  };
};

/** A NUL, which a note in the log may have and jsonb may not, is shown as a character that says so. */
const jsonbText = (body: object): string =>
  JSON.stringify(body, (_key, value: unknown) =>
    typeof value === "string" ? value.replaceAll("\0", "\uFFFD") : value,
  );

/** Entries about settlement, and what the fold remembers of it now. */
const settlementValues = ({ state, pending }: Books): Buffer[] => {
  const said = pending.flatMap(({ seq, timeMs, settlement }) =>
    settlement === undefined ? [] : { seq, timeMs, settlement, ...subjectOf(settlement) },
  );
  const int8s = (values: readonly (number | undefined)[]): Buffer => pgArray("int8", values);
  const rows = takeSettlementRows(state.settlement);
  const kept = rows.filter(({ body }) => body !== undefined);
  return [
    int8s(said.map(({ seq }) => seq)),
    int8s(said.map(({ timeMs }) => timeMs)),
    texts(said.map(({ settlement }) => settlement.kind)),
    texts(said.map(({ corridor }) => corridor)),
    int8s(said.map(({ number }) => number)),
    texts(said.map(({ participant }) => participant)),
    texts(said.map(({ settlement }) => jsonbText(settlement.body))),
    texts(kept.map(({ name }) => name)),
    texts(kept.map(({ body }) => body)),
    texts(rows.flatMap(({ name, body }) => (body === undefined ? [name] : []))),
  ];
};

/** Fields in one order, whether the sheet was read from the log or from here: the same bytes. */
const sheetText = (sheet: Books["state"]["sheets"] extends Map<string, infer S> ? S : never) => {
  const fields = Object.entries({ ...sheet, usedMinor: String(sheet.usedMinor) });
  return JSON.stringify(Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1))));
};

/** Sheets that are not stored as they are now, and stored ones that are forgotten. */
export const changedSheets = ({ state, storedSheets }: Books) => {
  const changed: [hash: string, body: string][] = [];
  for (const [hash, sheet] of state.sheets) {
    const body = sheetText(sheet);
    if (storedSheets.get(hash) !== body) changed.push([hash, body]);
  }
  const gone = [...storedSheets.keys()].filter((hash) => !state.sheets.has(hash));
  return { changed, gone };
};

export const rangeBytes = ({ hashes }: CompactRange): Buffer => Buffer.concat(hashes);

/** The fold's chains and totals: what is in no table of its own. */
const foldText = ({ state }: Books): string => {
  const { chains, outcomes, flows } = auditSnapshot(state);
  return JSON.stringify({ chains, outcomes, flows });
};

export type SheetChanges = ReturnType<typeof changedSheets>;

export type SavedRow = {
  readonly moved: number;
  readonly balances: readonly [
    account: string,
    currency: string,
    debits: string,
    credits: string,
  ][];
};

/** The statement and its parameters. */
export const saveSql = (lane: number, books: Books, { changed, gone }: SheetChanges) => {
  const { state, seal, pending } = books;
  const postings = pending.flatMap(({ seq, postings: own }) =>
    own.map((posting, ordinal) => ({ ...posting, seq, ordinal })),
  );
  return {
    name: "books-save",
    text,
    values: [
      lane,
      books.storedNext,
      state.next,
      books.nextOffset ?? null,
      Buffer.from(fromBase64(state.prev)),
      rangeBytes(state.range),
      state.logTimeMs,
      state.keysSize,
      foldText(books),
      seal.size,
      rangeBytes(seal.range),
      seal.note,
      seal.atMs,
      pgArray(
        "int8",
        pending.map(({ seq }) => seq),
      ),
      pgArray(
        "int8",
        pending.map(({ timeMs }) => timeMs),
      ),
      texts(pending.map(({ outcome }) => outcome)),
      pgArray(
        "uuid",
        pending.map(({ endedId }) => endedId),
      ),
      pgArray(
        "bytea",
        pending.map(({ leafHash }) => leafHash),
      ),
      texts(pending.map(({ chains }) => chains.join(","))),
      pgArray(
        "int8",
        postings.map(({ seq }) => seq),
      ),
      pgArray(
        "int4",
        postings.map(({ ordinal }) => ordinal),
      ),
      texts(postings.map(({ debit }) => debit)),
      texts(postings.map(({ credit }) => credit)),
      texts(postings.map(({ currency }) => currency)),
      pgArray(
        "int8",
        postings.map(({ amount, currency }) => minorOf(amount, currency)),
      ),
      texts(changed.map(([hash]) => hash)),
      texts(changed.map(([, body]) => body)),
      texts(gone),
      texts(pending.map(({ corridor }) => corridor)),
      ...settlementValues(books),
      texts(pending.map(({ facts }) => facts)),
    ],
  };
};
