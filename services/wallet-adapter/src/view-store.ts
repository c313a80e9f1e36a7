// The read model in Postgres, written behind: one statement per batch of the inbox, with the inbox's
// own position in it. Nothing on the way to a 202 waits for it.
import { pgArray, type Sql } from "@sealane/database";
import type { TransferView } from "./views.ts";

/** How far one lane's part of the inbox has been read. */
export type InboxPosition = {
  readonly lane: number;
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

/** An own entry, by its number in the chain of its lane. */
export type ChainEntry = {
  readonly lane: number;
  readonly n: number;
  readonly seq: number;
  readonly leafHash: Uint8Array;
  readonly transferId: string | undefined;
  readonly owesCredit: boolean;
};

export type StoredSheet = {
  readonly lane: number;
  readonly provider: string;
  readonly pair: string;
  readonly number: number;
  readonly note: string;
};

export type EvidenceKind = "entry" | "proof";

/** A view, and what of its evidence Postgres has already. */
export type Kept = {
  readonly view: TransferView;
  readonly stored: Set<EvidenceKind>;
  /** Changed since Postgres has had it: it must stay in memory until it is written. */
  unwritten?: boolean;
};

export type Changes = {
  readonly views: readonly Kept[];
  readonly chain: readonly ChainEntry[];
  readonly sheets: readonly StoredSheet[];
  readonly positions: readonly InboxPosition[];
};

type Row = {
  readonly body: string;
  readonly evidence: Partial<Record<EvidenceKind, string>> | null;
};

const saveText = `
with transfers as (
  insert into transfer (id, role, status, body, notice, notified, updated_ms)
  select id, role, status, body, notice, notified, $2::bigint
  from unnest($1::uuid[], $17::text[], $18::text[], $19::text[], $20::int4[], $21::int4[])
    as t(id, role, status, body, notice, notified)
  on conflict (id) do update set status = excluded.status, body = excluded.body,
    notice = excluded.notice, notified = excluded.notified, updated_ms = excluded.updated_ms
), evidence as (
  insert into evidence (transfer_id, kind, body)
  select * from unnest($22::uuid[], $23::text[], $24::text[])
  on conflict (transfer_id, kind) do nothing
), chain as (
  insert into chain_entry (n, seq, leaf_hash, transfer_id, owes_credit, lane)
  select * from unnest($3::int8[], $4::int8[], $5::bytea[], $6::uuid[], $7::bool[], $25::int4[])
  on conflict (lane, n) do nothing
), sheets as (
  insert into sheet (provider, pair, number, note, lane)
  select * from unnest($8::text[], $9::text[], $10::int8[], $11::text[], $26::int4[])
  on conflict (lane, provider, pair) do update set number = excluded.number, note = excluded.note
    where excluded.number > sheet.number
)
insert into inbox (next_offset, next_n, next_chain, sealed_to, credited_to, lane)
select * from unnest($12::int8[], $13::int8[], $14::int8[], $15::int8[], $16::int8[], $27::int4[])
on conflict (lane) do update set next_offset = excluded.next_offset, next_n = excluded.next_n,
  next_chain = excluded.next_chain, sealed_to = excluded.sealed_to,
  credited_to = greatest(inbox.credited_to, excluded.credited_to)`;

/** Only the newest sheet per lane and pair: one statement may touch a row once. */
const newestSheets = (sheets: readonly StoredSheet[]): StoredSheet[] => {
  const newest = new Map<string, StoredSheet>();
  for (const sheet of sheets) {
    const key = `${sheet.lane} ${sheet.provider} ${sheet.pair}`;
    if ((newest.get(key)?.number ?? -1) < sheet.number) newest.set(key, sheet);
  }
  return [...newest.values()];
};

/** What changes, without what is kept once as evidence. */
const bodyOf = ({ view: { entry, proof: _proof, terms, ...row } }: Kept): string =>
  // The terms are in the entry, once there is one.
  JSON.stringify(entry === undefined ? { ...row, terms } : row);

const texts = (values: readonly string[]): Buffer => pgArray("text", values);
const uuids = (values: readonly (string | undefined)[]): Buffer => pgArray("uuid", values);

const lanes = (rows: readonly { readonly lane: number }[]): Buffer =>
  pgArray(
    "int4",
    rows.map(({ lane }) => lane),
  );

const evidenceOf = ({ view }: Kept): Partial<Record<EvidenceKind, string>> => ({
  ...(view.entry === undefined ? {} : { entry: view.entry }),
  ...(view.proof === undefined ? {} : { proof: JSON.stringify(view.proof) }),
});

/** Evidence that is not stored yet. */
const freshEvidence = (kept: readonly Kept[]) => {
  const rows: { id: string; kind: EvidenceKind; body: string }[] = [];
  for (const one of kept) {
    for (const [kind, body] of Object.entries(evidenceOf(one)) as [EvidenceKind, string][]) {
      if (!one.stored.has(kind)) rows.push({ id: one.view.id, kind, body });
    }
  }
  return rows;
};

const keptFrom = ({ body, evidence }: Row): Kept => {
  const view = JSON.parse(body) as TransferView;
  if (evidence?.entry !== undefined) view.entry = evidence.entry;
  if (evidence?.proof !== undefined) {
    view.proof = JSON.parse(evidence.proof) as NonNullable<TransferView["proof"]>;
  }
  const stored = new Set(Object.keys(evidence ?? {}) as EvidenceKind[]);
  return { view, stored };
};

const selectKept = `select body, (select json_object_agg(kind, e.body) from evidence e
  where e.transfer_id = transfer.id) as evidence from transfer`;

export type ViewStore = ReturnType<typeof makeViewStore>;

export const makeViewStore = (sql: Sql) => {
  const save = async (
    { views, chain, sheets, positions }: Changes,
    nowMs: number,
  ): Promise<void> => {
    const kept = newestSheets(sheets);
    const evidence = freshEvidence(views);
    await sql.query({
      name: "adapter-save",
      text: saveText,
      values: [
        uuids(views.map(({ view }) => view.id)),
        nowMs,
        pgArray(
          "int8",
          chain.map(({ n }) => n),
        ),
        pgArray(
          "int8",
          chain.map(({ seq }) => seq),
        ),
        pgArray(
          "bytea",
          chain.map(({ leafHash }) => leafHash),
        ),
        uuids(chain.map(({ transferId }) => transferId)),
        pgArray(
          "bool",
          chain.map(({ owesCredit }) => owesCredit),
        ),
        texts(kept.map(({ provider }) => provider)),
        texts(kept.map(({ pair }) => pair)),
        pgArray(
          "int8",
          kept.map(({ number }) => number),
        ),
        texts(kept.map(({ note }) => note)),
        pgArray(
          "int8",
          positions.map(({ nextOffset }) => nextOffset),
        ),
        pgArray(
          "int8",
          positions.map(({ nextN }) => nextN),
        ),
        pgArray(
          "int8",
          positions.map(({ nextChain }) => nextChain),
        ),
        pgArray(
          "int8",
          positions.map(({ sealedTo }) => sealedTo),
        ),
        pgArray(
          "int8",
          positions.map(({ creditedTo }) => creditedTo),
        ),
        texts(views.map(({ view }) => view.role)),
        texts(views.map(({ view }) => view.status)),
        texts(views.map(bodyOf)),
        pgArray(
          "int4",
          views.map(({ view }) => view.notice),
        ),
        pgArray(
          "int4",
          views.map(({ view }) => view.notified),
        ),
        uuids(evidence.map(({ id }) => id)),
        texts(evidence.map(({ kind }) => kind)),
        texts(evidence.map(({ body }) => body)),
        lanes(chain),
        lanes(kept),
        lanes(positions),
      ],
    });
    const byId = new Map(views.map((one) => [one.view.id, one]));
    for (const { id, kind } of evidence) byId.get(id)?.stored.add(kind);
  };

  const readPosition = async (lane: number): Promise<InboxPosition> => {
    type Position = Record<
      "next_offset" | "next_n" | "next_chain" | "sealed_to" | "credited_to",
      bigint
    >;
    const { rows } = await sql.query<Position>({
      text: "select * from inbox where lane = $1",
      values: [lane],
    });
    const row = rows[0];
    return {
      lane,
      nextOffset: row?.next_offset ?? 0n,
      nextN: Number(row?.next_n ?? 0n),
      nextChain: Number(row?.next_chain ?? 0n),
      sealedTo: Number(row?.sealed_to ?? 0n),
      creditedTo: Number(row?.credited_to ?? 0n),
    };
  };

  const find = async (id: string): Promise<Kept | undefined> => {
    const { rows } = await sql.query<Row>({
      name: "transfer-find",
      text: `${selectKept} where id = $1`,
      values: [id],
    });
    return rows[0] === undefined ? undefined : keptFrom(rows[0]);
  };

  /** Those of these transfers that Postgres has. */
  const findAll = async (ids: readonly string[]): Promise<Kept[]> => {
    const { rows } = await sql.query<Row>({
      name: "transfer-find-all",
      text: `${selectKept} where id = any($1::uuid[])`,
      values: [uuids(ids)],
    });
    return rows.map(keptFrom);
  };

  /** Everything that is not over: not final, not credited, or not yet told to the core. */
  const readUnfinished = async (): Promise<Kept[]> => {
    const { rows } = await sql.query<Row>({
      text: `${selectKept}
        where status in ('reserved', 'committed', 'sealed') or notified < notice`,
    });
    return rows.map(keptFrom);
  };

  /** Own entries of a lane from n on, in order. */
  const readChainFrom = async (lane: number, n: number, most?: number): Promise<ChainEntry[]> => {
    type Chain = {
      n: bigint;
      seq: bigint;
      leaf_hash: Buffer;
      transfer_id: string | null;
      owes_credit: boolean;
    };
    const { rows } = await sql.query<Chain>({
      text: "select * from chain_entry where lane = $1 and n >= $2 order by n limit $3",
      values: [lane, n, most ?? null],
    });
    return rows.map((row) => ({
      lane,
      n: Number(row.n),
      seq: Number(row.seq),
      leafHash: new Uint8Array(row.leaf_hash),
      transferId: row.transfer_id ?? undefined,
      owesCredit: row.owes_credit,
    }));
  };

  const readSheets = async (lane: number): Promise<string[]> => {
    const { rows } = await sql.query<{ note: string }>({
      text: "select note from sheet where lane = $1",
      values: [lane],
    });
    return rows.map(({ note }) => note);
  };

  return { save, readPosition, find, findAll, readUnfinished, readChainFrom, readSheets };
};
