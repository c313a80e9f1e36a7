// The tables whose content is not in the log, and how a journal's lines become their rows again. Rows
// travel as the text that Postgres wrote: no number passes through JavaScript.
import type { Sql } from "@sealane/database";

type Table = {
  readonly key: readonly string[];
  /** Rows are never changed: a row that is there is the same row. */
  readonly fixed?: true;
};

export const journalTables = {
  action: { key: ["principal", "idempotency_key"], fixed: true },
  bank_file: { key: ["digest"], fixed: true },
  provider_side: { key: ["lane", "participant"] },
  provider_statement: { key: ["lane", "participant", "reference"], fixed: true },
  provider_line: { key: ["lane", "participant", "reference"] },
  reconcile_wait: { key: ["lane", "participant", "matter"] },
  reconcile_cursor: { key: ["lane"] },
  break_case: { key: ["id"] },
  break_event: { key: ["break_id", "n"], fixed: true },
} as const satisfies Readonly<Record<string, Table>>;

type Name = keyof typeof journalTables;
export const journalTableNames = Object.keys(journalTables) as readonly Name[];

/** Whether nothing was said yet. */
export const areEmpty = async (sql: Sql): Promise<boolean> => {
  const some = journalTableNames.map((name) => `exists (select 1 from ${name})`).join(" or ");
  const { rows } = await sql.query<{ some: boolean }>({ text: `select ${some} as some` });
  return rows[0]?.some === false;
};

/** All rows as a journal has them, some at a time. In a transaction. */
export async function* rowsOf(sql: Sql, name: Name): AsyncGenerator<string[]> {
  const order = journalTables[name].key.join(", ");
  await sql.query({
    text: `declare said cursor for
      select jsonb_build_object('t', '${name}', 'o', 'I', 'row', to_jsonb(r))::text as body
      from ${name} r order by ${order}`,
  });
  for (;;) {
    const { rows } = await sql.query<{ body: string }>({ text: "fetch 500 from said" });
    if (rows.length === 0) break;
    yield rows.map(({ body }) => body);
  }
  await sql.query({ text: "close said" });
}

const columnsOf = async (sql: Sql, name: Name): Promise<string[]> => {
  const { rows } = await sql.query<{ attname: string }>({
    text: `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0
      and not attisdropped and attidentity = ''`,
    values: [name],
  });
  return rows.map(({ attname }) => attname);
};

const upsert = async (sql: Sql, name: Name, bodies: readonly string[]): Promise<void> => {
  const table: Table = journalTables[name];
  const others = (await columnsOf(sql, name)).filter((column) => !table.key.includes(column));
  const change =
    table.fixed === true
      ? "do nothing"
      : `do update set ${others.map((column) => `${column} = excluded.${column}`).join(", ")}`;
  await sql.query({
    text: `insert into ${name} overriding system value
      select r.* from jsonb_array_elements($1::jsonb) as said,
        jsonb_populate_record(null::${name}, said -> 'row') as r
      on conflict (${table.key.join(", ")}) ${change}`,
    values: [`[${bodies.join(",")}]`],
  });
};

const remove = async (sql: Sql, name: Name, bodies: readonly string[]): Promise<void> => {
  const same = journalTables[name].key.map((column) => `t.${column} = r.${column}`).join(" and ");
  await sql.query({
    text: `delete from ${name} t using jsonb_array_elements($1::jsonb) as said,
        jsonb_populate_record(null::${name}, said -> 'row') as r
      where ${same}`,
    values: [`[${bodies.join(",")}]`],
  });
};

type Said = { readonly t: Name; readonly o: string; readonly row: Record<string, unknown> };

/** Applies some lines in order: of one row only the last counts. In a transaction. */
export const applyLines = async (sql: Sql, bodies: readonly string[]): Promise<void> => {
  const last = new Map<string, { readonly name: Name; readonly gone: boolean; body: string }>();
  for (const body of bodies) {
    const { t: name, o, row } = JSON.parse(body) as Said;
    if (!Object.hasOwn(journalTables, name)) throw new Error(`no table ${name} is in a journal`);
    const key = JSON.stringify([name, ...journalTables[name].key.map((column) => row[column])]);
    last.set(key, { name, gone: o === "D", body });
  }
  for (const [name, all] of Map.groupBy(last.values(), (one) => one.name)) {
    const kept = all.filter(({ gone }) => !gone).map(({ body }) => body);
    const gone = all.filter((one) => one.gone).map(({ body }) => body);
    if (kept.length > 0) await upsert(sql, name, kept);
    if (gone.length > 0) await remove(sql, name, gone);
  }
};
