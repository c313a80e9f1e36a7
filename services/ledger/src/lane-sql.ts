// The one statement that saves a batch. Data-modifying CTEs run in one implicit transaction; each
// insert selects from `moved`, which is empty when the compare-and-swap failed.
import type { BatchToSave } from "./lane-store.ts";

const text = `
with moved as (
  update lane set size = $3, log_time_ms = $4, last_hash = $5, frontier = $6, input_offset = $7,
    batch = $8, published_batch = greatest(published_batch, $9),
    sealed_size = greatest(sealed_size, $10), sealed = case when $10 >= sealed_size then $11 else sealed end,
    checkpoint = $12, heads = $13
  where lane = $1 and size = $2 and epoch = $14
  returning lane
), entries as (
  insert into entry (lane, seq, leaf_hash, bytes)
  select lane, $15::bigint + at - 1, substr($16::bytea, (32 * (at - 1) + 1)::int, 32),
    substr($17::bytea, start + 1, length)
  from moved, unnest($18::int[], $19::int[]) with ordinality as t(start, length, at)
), opened as (
  insert into open_transfer (id, lane, body)
  select i.id, lane, j.body::text
  from moved, unnest($20::uuid[]) with ordinality as i(id, at)
    join json_array_elements($21::json) with ordinality as j(body, at) using (at)
), closed as (
  delete from open_transfer using moved where open_transfer.id = any($22::uuid[])
), ended as (
  insert into ended_transfer (id, lane, request, payer, seq, outcome, refusal, ended_at_ms)
  select id, lane, request, payer, seq, outcome, refusal, $4
  from moved, unnest($23::uuid[], $24::text[], $25::text[], $26::bigint[], $27::text[], $28::text[])
    as t(id, request, payer, seq, outcome, refusal)
), quotes as (
  insert into used_quote (quote, id)
  select quote, id from moved, unnest($29::uuid[], $30::uuid[]) as t(quote, id)
), balances as (
  insert into balance (lane, account, currency, pending_debit, posted_debit, pending_credit, posted_credit)
  select lane, account, currency, pd, od, pc, oc
  from moved, unnest($31::text[], $32::text[], $33::bigint[], $34::bigint[], $35::bigint[], $36::bigint[])
    as t(account, currency, pd, od, pc, oc)
  on conflict (lane, account, currency) do update set pending_debit = excluded.pending_debit,
    posted_debit = excluded.posted_debit, pending_credit = excluded.pending_credit,
    posted_credit = excluded.posted_credit
), sheets as (
  insert into sheet (lane, seq, body)
  select lane, seq, body from moved, unnest($37::bigint[], $38::text[]) as t(seq, body)
  on conflict (lane, seq) do update set body = excluded.body
), inbox as (
  insert into inbox_message (participant, n, lane, batch, time_ms, refs)
  select participant, n, lane, $8, $4, refs
  from moved, unnest($39::text[], $40::bigint[], $41::text[]) as t(participant, n, refs)
)
select lane from moved`;

/** Balances that the batch's postings may have touched: few, whatever the batch's size. */
const touchedBalances = ({ state, outcome }: BatchToSave) => {
  const keys = new Set<string>();
  const add = (debit: string, credit: string, currency: string): void => {
    keys.add(`${debit} ${currency}`);
    keys.add(`${credit} ${currency}`);
  };
  for (const { postings } of outcome.reserved) {
    for (const { debit, credit, currency } of postings) add(debit, credit, currency);
  }
  for (const { postings } of outcome.entries) {
    for (const { debit, credit, currency } of postings) add(debit, credit, currency);
  }
  for (const { postings } of outcome.released) {
    for (const { debit, credit, currency } of postings) add(debit, credit, currency);
  }
  return [...keys].flatMap((key) => state.balances.get(key) ?? []);
};

/** The statement and its parameters. @param toJson JSON with bigint as text */
export const saveBatchSql = (
  lane: number,
  batch: BatchToSave,
  heads: unknown,
  toJson: (value: unknown) => string,
) => {
  const { state, outcome, entries, head } = batch;
  const endedHere = new Set(outcome.ended.map(({ id }) => id));
  const opened = outcome.reserved.filter(({ id }) => !endedHere.has(id));
  const refusalOf = new Map(
    outcome.refusals.flatMap(({ id, final }, at) =>
      final ? [[id, batch.refusalNotes[at] ?? ""] as const] : [],
    ),
  );
  const balances = touchedBalances(batch);
  const sheets = [...new Set([...outcome.sheets, ...outcome.usedSheets])];
  const { ended, usedQuotes } = outcome;
  // One binary parameter for all entries: arrays of bytea go as hexadecimal text.
  const bytes = entries.map(({ note }) => Buffer.from(note, "utf8"));
  const starts: number[] = [];
  let start = 0;
  for (const { length } of bytes) {
    starts.push(start);
    start += length;
  }
  return {
    name: "lane-save",
    text,
    values: [
      lane,
      batch.loaded.oldSize,
      state.size,
      outcome.timeMs,
      head.lastHash,
      Buffer.concat(head.frontier.hashes),
      batch.inputOffset,
      batch.batch,
      batch.publishedBatch,
      batch.sealedSize,
      batch.sealed,
      batch.checkpoint,
      JSON.stringify(heads),
      batch.loaded.epoch,
      batch.loaded.oldSize,
      Buffer.concat(entries.map(({ leafHash }) => leafHash)),
      Buffer.concat(bytes),
      bytes.map((_, at) => starts[at]),
      bytes.map(({ length }) => length),
      opened.map(({ id }) => id),
      // One JSON text: elements of an array parameter would be escaped again, one by one.
      JSON.stringify(opened),
      ended.map(({ id }) => id),
      ended.map(({ id }) => id),
      ended.map(({ request }) => request ?? null),
      ended.map(({ payer }) => payer),
      ended.map(({ seq }) => seq ?? null),
      ended.map((one) => one.outcome),
      ended.map(({ id, seq }) => (seq === undefined ? (refusalOf.get(id) ?? null) : null)),
      usedQuotes.map(({ quote }) => quote),
      usedQuotes.map(({ id }) => id),
      balances.map(({ account }) => account),
      balances.map(({ currency }) => currency),
      balances.map(({ pendingDebit }) => pendingDebit),
      balances.map(({ postedDebit }) => postedDebit),
      balances.map(({ pendingCredit }) => pendingCredit),
      balances.map(({ postedCredit }) => postedCredit),
      sheets.map(({ seq }) => seq),
      sheets.map((sheet) => toJson(sheet)),
      batch.inbox.map(({ participant }) => participant),
      batch.inbox.map(({ n }) => n),
      batch.inbox.map(({ refs }) => JSON.stringify(refs)),
    ],
  };
};
