// The read model in Postgres, written behind: one statement per batch of the inbox, with the inbox's
// own position in it. Nothing on the way to a 202 waits for it.
import type { Sql } from "@sealane/database";
import type { TransferView } from "./views.ts";

export type InboxPosition = {
  /** Next Kafka offset to read. */
  nextOffset: bigint;
  /** Next number of the ledger's batches for this participant. */
  nextN: number;
  /** Next number of this participant's chain. */
  nextChain: number;
  /** First chain number that is not sealed yet. */
  sealedTo: number;
  /** First chain number that this provider has not signed as credited. */
  creditedTo: number;
};

export type ChainEntry = {
  readonly n: number;
  readonly seq: number;
  readonly leafHash: Uint8Array;
  readonly transferId: string | undefined;
  readonly owesCredit: boolean;
};

export type StoredSheet = {
  readonly provider: string;
  readonly pair: string;
  readonly number: number;
  readonly note: string;
};

export type Changes = {
  readonly views: readonly { readonly view: TransferView; readonly envelope: string | undefined }[];
  readonly chain: readonly ChainEntry[];
  readonly sheets: readonly StoredSheet[];
  readonly position: InboxPosition | undefined;
};

type Row = { readonly body: string; readonly envelope: string | null };

const saveText = `
with transfers as (
  insert into transfer (id, role, status, body, envelope, notice, notified, updated_ms)
  select id, body->>'role', body->>'status', body::text, envelope::text, (body->>'notice')::int,
    (body->>'notified')::int, $2::bigint
  from json_to_recordset($1::json) as t(id uuid, body json, envelope json)
  on conflict (id) do update set status = excluded.status, body = excluded.body,
    envelope = coalesce(excluded.envelope, transfer.envelope), notice = excluded.notice,
    notified = excluded.notified, updated_ms = excluded.updated_ms
), chain as (
  insert into chain_entry (n, seq, leaf_hash, transfer_id, owes_credit)
  select * from unnest($3::bigint[], $4::bigint[], $5::bytea[], $6::uuid[], $7::boolean[])
  on conflict (n) do nothing
), sheets as (
  insert into sheet (provider, pair, number, note)
  select * from unnest($8::text[], $9::text[], $10::bigint[], $11::text[])
  on conflict (provider, pair) do update set number = excluded.number, note = excluded.note
    where excluded.number > sheet.number
)
insert into inbox (one, next_offset, next_n, next_chain, sealed_to, credited_to)
select 1, $12::bigint, $13::bigint, $14::bigint, $15::bigint, $16::bigint where $12::bigint is not null
on conflict (one) do update set next_offset = excluded.next_offset, next_n = excluded.next_n,
  next_chain = excluded.next_chain, sealed_to = excluded.sealed_to,
  credited_to = greatest(inbox.credited_to, excluded.credited_to)`;

/** Only the newest sheet per pair: one statement may touch a row once. */
const newestSheets = (sheets: readonly StoredSheet[]): StoredSheet[] => {
  const newest = new Map<string, StoredSheet>();
  for (const sheet of sheets) {
    const key = `${sheet.provider} ${sheet.pair}`;
    if ((newest.get(key)?.number ?? -1) < sheet.number) newest.set(key, sheet);
  }
  return [...newest.values()];
};

/** One JSON text for all rows: what an array parameter would escape again, value by value. */
const rowsJson = (views: Changes["views"]): string => {
  const rows = views.map(({ view, envelope }) => {
    const id = JSON.stringify(view.id);
    return `{"id":${id},"body":${JSON.stringify(view)},"envelope":${envelope ?? "null"}}`;
  });
  return `[${rows.join(",")}]`;
};

export type ViewStore = ReturnType<typeof makeViewStore>;

export const makeViewStore = (sql: Sql) => {
  const save = async (
    { views, chain, sheets, position }: Changes,
    nowMs: number,
  ): Promise<void> => {
    const kept = newestSheets(sheets);
    await sql.query({
      name: "adapter-save",
      text: saveText,
      values: [
        rowsJson(views),
        nowMs,
        chain.map(({ n }) => n),
        chain.map(({ seq }) => seq),
        chain.map(({ leafHash }) => Buffer.from(leafHash)),
        chain.map(({ transferId }) => transferId ?? null),
        chain.map(({ owesCredit }) => owesCredit),
        kept.map(({ provider }) => provider),
        kept.map(({ pair }) => pair),
        kept.map(({ number }) => number),
        kept.map(({ note }) => note),
        position?.nextOffset ?? null,
        position?.nextN ?? null,
        position?.nextChain ?? null,
        position?.sealedTo ?? null,
        position?.creditedTo ?? null,
      ],
    });
  };

  const readPosition = async (): Promise<InboxPosition> => {
    type Position = Record<
      "next_offset" | "next_n" | "next_chain" | "sealed_to" | "credited_to",
      bigint
    >;
    const { rows } = await sql.query<Position>({ text: "select * from inbox" });
    const row = rows[0];
    return {
      nextOffset: row?.next_offset ?? 0n,
      nextN: Number(row?.next_n ?? 0n),
      nextChain: Number(row?.next_chain ?? 0n),
      sealedTo: Number(row?.sealed_to ?? 0n),
      creditedTo: Number(row?.credited_to ?? 0n),
    };
  };

  const find = async (
    id: string,
  ): Promise<{ view: TransferView; envelope?: string } | undefined> => {
    const { rows } = await sql.query<Row>({
      name: "transfer-find",
      text: "select body, envelope from transfer where id = $1",
      values: [id],
    });
    const row = rows[0];
    if (row === undefined) return undefined;
    const view = JSON.parse(row.body) as TransferView;
    return row.envelope === null ? { view } : { view, envelope: row.envelope };
  };

  /** Everything that is not over: not final, not credited, or not yet told to the core. */
  const readUnfinished = async () => {
    const { rows } = await sql.query<Row>({
      text: `select body, envelope from transfer
        where status in ('reserved', 'committed', 'sealed') or notified < notice`,
    });
    return rows.map(({ body, envelope }) => ({
      view: JSON.parse(body) as TransferView,
      envelope: envelope ?? undefined,
    }));
  };

  const readChainFrom = async (n: number): Promise<ChainEntry[]> => {
    type Chain = {
      n: bigint;
      seq: bigint;
      leaf_hash: Buffer;
      transfer_id: string | null;
      owes_credit: boolean;
    };
    const { rows } = await sql.query<Chain>({
      text: "select * from chain_entry where n >= $1 order by n",
      values: [n],
    });
    return rows.map((row) => ({
      n: Number(row.n),
      seq: Number(row.seq),
      leafHash: new Uint8Array(row.leaf_hash),
      transferId: row.transfer_id ?? undefined,
      owesCredit: row.owes_credit,
    }));
  };

  const readSheets = async (): Promise<string[]> => {
    const { rows } = await sql.query<{ note: string }>({ text: "select note from sheet" });
    return rows.map(({ note }) => note);
  };

  return { save, readPosition, find, readUnfinished, readChainFrom, readSheets };
};
