// Windows, nets, settlements and statements as the books have them: rows of the log's own entries, put
// together for those who ask. Each answer is of one moment; cursors are places in the log.
import type { Sql } from "@sealane/database";
import {
  formatTime,
  joinNetParts,
  type BankStatement,
  type Settlement,
  type SettlementAbort,
  type WindowDefault,
  type WindowNet,
} from "@sealane/protocol";
import { amountOf, legsOfAttempt, minorOf } from "@sealane/rules";

export type EntryRow<B = unknown> = {
  readonly seq: number;
  readonly time: string;
  readonly kind: string;
  readonly body: B;
};

type Row = {
  readonly seq: bigint;
  readonly time_ms: bigint;
  readonly kind: string;
  readonly corridor: string | null;
  readonly number: bigint | null;
  readonly participant: string | null;
  readonly body: unknown;
};

export type Page = { readonly after: number | undefined; readonly limit: number };

const entryOf = (row: Row): EntryRow => ({
  seq: Number(row.seq),
  time: formatTime(Number(row.time_ms)),
  kind: row.kind,
  body: row.body,
});

type Window = { readonly corridor: string; readonly number: number };

/** Banks' statements of these rows; parts, which stand one behind the other, are put together. */
const wholeStatements = (rows: readonly Row[]): { row: Row; body: BankStatement }[] => {
  const whole: { row: Row; body: BankStatement }[] = [];
  for (const row of rows.filter(({ kind }) => kind === "bank-statement")) {
    const body = row.body as BankStatement;
    const before = (body.part?.number ?? 1) > 1 ? whole.pop() : undefined;
    const lines = [...(before?.body.lines ?? []), ...body.lines];
    whole.push({ row, body: { ...body, lines } });
  }
  return whole;
};

/** Legs that the newest statement of these rows says are booked, as `reference side`. */
const bookedIn = (rows: readonly Row[]): Set<string> => {
  const lines = wholeStatements(rows).at(-1)?.body.lines ?? [];
  return new Set(
    lines.flatMap(({ status, reference, side }) =>
      status === "booked" ? [`${reference} ${side === "debit" ? "pay" : "receive"}`] : [],
    ),
  );
};

/** A net whole, the place of its first entry, and what was said of it since. */
type Net = { readonly body: WindowNet; readonly seq: number; readonly last: Row | undefined };

const netsOf = (rows: readonly Row[]): Net[] => {
  const netRows = rows.filter(({ kind }) => kind === "window-net");
  const places = new Map(netRows.toReversed().map(({ participant, seq }) => [participant, seq]));
  const last = new Map(
    rows.flatMap((row) => (row.kind === "window-net" ? [] : [[row.participant, row] as const])),
  );
  return joinNetParts(netRows.map(({ body }) => body as WindowNet)).map((body) => ({
    body,
    seq: Number(places.get(body.participant)),
    last: last.get(body.participant),
  }));
};

type Instructed = {
  readonly origin: string;
  readonly attempt: number;
  readonly booked: ReadonlySet<string>;
};

const netView = ({ origin, attempt, booked }: Instructed, { body, seq, last }: Net) => {
  const { participant, totals } = body;
  const base = { participant, totals, netSeq: seq };
  const legs = legsOfAttempt({ ...body, origin, attempt }, participant, body.legs);
  const shown = legs.map((leg) => ({ ...leg, booked: booked.has(`${leg.reference} ${leg.side}`) }));
  const common = { ...base, legs: shown };
  if (body.legs.length === 0) return { ...common, status: "settled", finalSeq: seq };
  if (last === undefined) return { ...common, status: "open" };
  if (last.kind === "window-default") {
    const { payments } = last.body as WindowDefault;
    return { ...common, status: "defaulted", payments, finalSeq: Number(last.seq) };
  }
  const { result, why, reason } = last.body as Settlement;
  if (result === "settled") return { ...common, status: "settled", finalSeq: Number(last.seq) };
  const said = {
    ...(why === undefined ? {} : { why }),
    ...(reason === undefined ? {} : { reason }),
  };
  return { ...common, status: "held", ...said };
};

/** Per currency, all nets of a window together: zero, or the books do not stand. */
const sumsOf = (nets: readonly WindowNet[]) => {
  const sums = new Map<string, bigint>();
  for (const { totals } of nets) {
    for (const { currency, debits, credits, fees } of totals) {
      const net = minorOf(credits, currency) + minorOf(fees, currency) - minorOf(debits, currency);
      sums.set(currency, (sums.get(currency) ?? 0n) + net);
    }
  }
  return [...sums.keys()].toSorted().map((currency) => ({
    currency,
    sum: amountOf(sums.get(currency) ?? 0n, currency),
  }));
};

export type SettlementReader = ReturnType<typeof makeSettlementReader>;

export const makeSettlementReader = (sql: Sql, lane: number, origin: string) => {
  const rowsOf = async ({ corridor, number }: Window): Promise<Row[]> => {
    const { rows } = await sql.query<Row>({
      name: "window-rows",
      text: `select seq, time_ms, kind, corridor, number, participant, body from settlement_entry
        where lane = $1 and corridor = $2 and number = $3 order by seq`,
      values: [lane, corridor, number],
    });
    return rows;
  };

  /** One cut window with its nets, or undefined. */
  const window = async (named: Window) => {
    const rows = await rowsOf(named);
    const cut = rows.find(({ kind }) => kind === "window-cut");
    if (cut === undefined) return undefined;
    const aborts = rows.filter(({ kind }) => kind === "settlement-abort");
    const lastAbort = aborts.at(-1)?.body as SettlementAbort | undefined;
    const attempt = lastAbort === undefined ? 0 : lastAbort.attempt + 1;
    const from = Math.max(...aborts.map(({ seq }) => Number(seq)), -1);
    // What was said about an attempt that was taken back counts no more.
    const live = rows.filter(
      ({ seq, kind }) => kind === "window-net" || kind === "window-cut" || Number(seq) > from,
    );
    const found = netsOf(live);
    const bodies = found.map(({ body }) => body);
    const instructed = { origin, attempt, booked: bookedIn(live) };
    const nets = found.map((net) => netView(instructed, net));
    const final = nets.every(({ status }) => status === "settled" || status === "defaulted");
    const [first] = bodies;
    const facts =
      first === undefined
        ? {}
        : { from: first.from, to: first.to, netting: first.netting, payBy: first.payBy };
    return {
      ...named,
      cutSeq: Number(cut.seq),
      cutTime: formatTime(Number(cut.time_ms)),
      ...facts,
      attempt,
      status: final ? "settled" : "unsettled",
      nets,
      sums: sumsOf(bodies),
    };
  };

  /** What banks said of a window, in the log's order; of attempts that were taken back too. */
  const statementsOf = async (named: Window) =>
    wholeStatements(await rowsOf(named)).map(({ row, body }) => {
      const { bank, reference, digest, window: about, lines } = body;
      const { seq, time } = entryOf(row);
      return { seq, time, bank, reference, digest, attempt: about?.attempt ?? 0, lines };
    });

  /** Entries of these kinds, the newest first. */
  const entries = async (
    kinds: readonly string[],
    { after, limit }: Page,
    participant?: string,
  ): Promise<EntryRow[]> => {
    const { rows } = await sql.query<Row>({
      name: "settlement-entries",
      text: `select seq, time_ms, kind, corridor, number, participant, body from settlement_entry
        where lane = $1 and kind = any($2::text[]) and ($3::int8 is null or seq < $3)
          and ($4::text is null or participant = $4)
        order by seq desc limit $5`,
      values: [lane, kinds, after ?? null, participant ?? null, limit],
    });
    return rows.map(entryOf);
  };

  /** Cut windows, the newest first. */
  const windows = async (page: Page) => {
    const cuts = await entries(["window-cut"], page);
    const views: NonNullable<Awaited<ReturnType<typeof window>>>[] = [];
    for (const { body } of cuts) {
      const view = await window(body as Window);
      if (view !== undefined) views.push(view);
    }
    return views;
  };

  return { window, windows, entries, statementsOf };
};
