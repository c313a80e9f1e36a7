// The one statement that saves a batch. Data-modifying CTEs run in one implicit transaction; each
// insert selects from `moved`, which is empty when the compare-and-swap failed.
import { pgArray } from "@sealane/database";
import { laneChanges } from "@sealane/rules";
import { utf8 } from "@sealane/tlog";
import type { BatchToSave } from "./batch-to-save.ts";

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
  select lane, $15::bigint + at - 1, leaf_hash, bytes
  from moved, unnest($16::bytea[], $17::bytea[]) with ordinality as t(leaf_hash, bytes, at)
), opened as (
  insert into open_transfer (id, lane, body)
  select id, lane, body from moved, unnest($18::uuid[], $19::text[]) as t(id, body)
), closed as (
  delete from open_transfer using moved where open_transfer.id = any($20::uuid[])
), ended as (
  insert into ended_transfer (id, lane, request, payer, seq, outcome, refusal, ended_at_ms)
  select id, lane, request, payer, seq, outcome, refusal, $4
  from moved, unnest($21::uuid[], $22::text[], $23::text[], $24::int8[], $25::text[], $26::text[])
    as t(id, request, payer, seq, outcome, refusal)
), quotes as (
  insert into used_quote (lane, quote, id)
  select lane, quote, id from moved, unnest($27::uuid[], $28::uuid[]) as t(quote, id)
), balances as (
  insert into balance (lane, account, currency, pending_debit, posted_debit, pending_credit, posted_credit)
  select lane, account, currency, pd, od, pc, oc
  from moved, unnest($29::text[], $30::text[], $31::int8[], $32::int8[], $33::int8[], $34::int8[])
    as t(account, currency, pd, od, pc, oc)
  on conflict (lane, account, currency) do update set pending_debit = excluded.pending_debit,
    posted_debit = excluded.posted_debit, pending_credit = excluded.pending_credit,
    posted_credit = excluded.posted_credit
), sheets as (
  insert into sheet (lane, seq, body)
  select lane, seq, body from moved, unnest($35::int8[], $36::text[]) as t(seq, body)
  on conflict (lane, seq) do update set body = excluded.body
), inbox as (
  insert into inbox_message (participant, n, lane, batch, time_ms, refs)
  select participant, n, lane, $8, $4, refs
  from moved, unnest($37::text[], $38::int8[], $39::text[]) as t(participant, n, refs)
), settled as (
  insert into settlement (lane, name, body)
  select lane, name, body from moved, unnest($40::text[], $41::text[]) as t(name, body)
  on conflict (lane, name) do update set body = excluded.body
), forgotten as (
  delete from settlement using moved
  where settlement.lane = moved.lane and settlement.name = any($42::text[])
)
select lane from moved`;

type Values = Parameters<typeof pgArray>[1];
const texts = (values: Values): Buffer => pgArray("text", values);
const uuids = (values: Values): Buffer => pgArray("uuid", values);
const byteas = (values: Values): Buffer => pgArray("bytea", values);
const int8s = (values: Values): Buffer => pgArray("int8", values);

/** The statement and its parameters. @param toJson JSON with bigint as text */
export const saveBatchSql = (
  lane: number,
  batch: BatchToSave,
  heads: unknown,
  toJson: (value: unknown) => string,
) => {
  const { state, outcome, entries, head } = batch;
  const { opened, balances, sheets, settlement } = laneChanges(state, outcome);
  const refusalOf = new Map(
    outcome.refusals.flatMap(({ id, final }, at) =>
      final ? [[id, batch.refusalNotes[at] ?? ""] as const] : [],
    ),
  );
  const { ended, usedQuotes } = outcome;
  const kept = settlement.filter(({ body }) => body !== undefined);
  const gone = settlement.filter(({ body }) => body === undefined);
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
      byteas(entries.map(({ leafHash }) => leafHash)),
      byteas(entries.map(({ note }) => utf8(note))),
      uuids(opened.map(({ id }) => id)),
      texts(opened.map((one) => JSON.stringify(one))),
      uuids(ended.map(({ id }) => id)),
      uuids(ended.map(({ id }) => id)),
      texts(ended.map(({ request }) => request)),
      texts(ended.map(({ payer }) => payer)),
      int8s(ended.map(({ seq }) => seq)),
      texts(ended.map((one) => one.outcome)),
      texts(ended.map(({ id, seq }) => (seq === undefined ? refusalOf.get(id) : undefined))),
      uuids(usedQuotes.map(({ quote }) => quote)),
      uuids(usedQuotes.map(({ id }) => id)),
      texts(balances.map(({ account }) => account)),
      texts(balances.map(({ currency }) => currency)),
      int8s(balances.map(({ pendingDebit }) => pendingDebit)),
      int8s(balances.map(({ postedDebit }) => postedDebit)),
      int8s(balances.map(({ pendingCredit }) => pendingCredit)),
      int8s(balances.map(({ postedCredit }) => postedCredit)),
      int8s(sheets.map(({ seq }) => seq)),
      texts(sheets.map((sheet) => toJson(sheet))),
      texts(batch.inbox.map(({ participant }) => participant)),
      int8s(batch.inbox.map(({ n }) => n)),
      texts(batch.inbox.map(({ refs }) => JSON.stringify(refs))),
      texts(kept.map(({ name }) => name)),
      texts(kept.map(({ body }) => body)),
      texts(gone.map(({ name }) => name)),
    ],
  };
};
