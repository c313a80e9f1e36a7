// The one statement that applies a chunk of entries. `moved` is the compare-and-swap on the position:
// without it every other part inserts nothing, so a chunk is posted once, whatever is repeated.
import type { Posting } from "@sealane/protocol";
import { auditSnapshot, minorOf, type AuditState } from "@sealane/rules";
import type { JudgedEntry } from "./judge.ts";
import type { Seals } from "./seals.ts";

export type Chunk = {
  readonly from: number;
  readonly judged: readonly JudgedEntry[];
  /** After the chunk. */
  readonly state: AuditState;
  readonly seals: Seals;
  /** The next offset of the topic; undefined leaves it. */
  readonly nextOffset: bigint | undefined;
};

const text = `
with moved as (
  update progress set next_seq = $3, next_offset = coalesce($4, next_offset), sealed_size = $5,
    sealed = $6, audit = $7, pending_roots = $8
  where lane = $1 and next_seq = $2
  returning lane
), fresh as (
  select seq, ordinal, debit, credit, currency, amount
  from moved, unnest($9::bigint[], $10::int[], $11::text[], $12::text[], $13::text[], $14::bigint[])
    as t(seq, ordinal, debit, credit, currency, amount)
), postings as (
  insert into posting (lane, seq, ordinal, debit, credit, currency, amount_minor)
  select $1, seq, ordinal, debit, credit, currency, amount from fresh
), ends as (
  insert into transfer_end (id, lane, seq, outcome)
  select id, lane, seq, outcome
  from moved, unnest($15::uuid[], $16::bigint[], $17::text[]) as t(id, seq, outcome)
), blocks as (
  insert into chain_block (lane, participant, from_n, hashes)
  select lane, participant, from_n, hashes
  from moved, unnest($18::text[], $19::bigint[], $20::bytea[]) as t(participant, from_n, hashes)
), sums as (
  select account, currency, sum(d)::bigint as d, sum(c)::bigint as c from (
    select debit as account, currency, amount as d, 0 as c from fresh
    union all
    select credit, currency, 0, amount from fresh
  ) as sides group by account, currency
), balances as (
  insert into balance (lane, account, currency, debits, credits)
  select $1, account, currency, d, c from sums
  on conflict (lane, account, currency) do update
    set debits = balance.debits + excluded.debits, credits = balance.credits + excluded.credits
  returning account, currency, debits, credits
)
select account, currency, debits, credits from balances
union all
select '', '', lane, lane from moved`;

type Row = Posting & { readonly seq: number; readonly ordinal: number };

const postingsOf = (judged: readonly JudgedEntry[]): Row[] =>
  judged.flatMap(({ entry: { context } }) =>
    context.postings.map((posting, ordinal) => ({ ...posting, seq: context.seq, ordinal })),
  );

const endsOf = (judged: readonly JudgedEntry[]) =>
  judged.flatMap(({ entry: { context, transferId, advance } }) => {
    const id = transferId ?? advance?.id;
    return id === undefined ? [] : [{ id, seq: context.seq, outcome: context.outcome }];
  });

const blocksOf = (judged: readonly JudgedEntry[]) => {
  const blocks = new Map<string, { from: number; hashes: Uint8Array[] }>();
  for (const { entry, leafHash } of judged) {
    for (const { participant, n } of entry.context.chains) {
      const block = blocks.get(participant) ?? { from: n, hashes: [] };
      block.hashes.push(leafHash);
      blocks.set(participant, block);
    }
  }
  return [...blocks].map(([participant, { from, hashes }]) => ({
    participant,
    from,
    hashes: Buffer.concat(hashes),
  }));
};

/** The statement and its parameters. Its rows: the balances it changed, and one with no account. */
export const applyChunkSql = (lane: number, chunk: Chunk) => {
  const { from, judged, state, seals, nextOffset } = chunk;
  const postings = postingsOf(judged);
  const ends = endsOf(judged);
  const blocks = blocksOf(judged);
  const sealed = seals.sealed();
  return {
    name: "apply-chunk",
    text,
    values: [
      lane,
      from,
      state.next,
      nextOffset ?? null,
      sealed.size,
      sealed.note,
      JSON.stringify(auditSnapshot(state)),
      JSON.stringify(seals.pending()),
      postings.map(({ seq }) => seq),
      postings.map(({ ordinal }) => ordinal),
      postings.map(({ debit }) => debit),
      postings.map(({ credit }) => credit),
      postings.map(({ currency }) => currency),
      postings.map(({ amount, currency }) => minorOf(amount, currency)),
      ends.map(({ id }) => id),
      ends.map(({ seq }) => seq),
      ends.map(({ outcome }) => outcome),
      blocks.map(({ participant }) => participant),
      blocks.map((block) => block.from),
      blocks.map(({ hashes }) => hashes),
    ],
  };
};
