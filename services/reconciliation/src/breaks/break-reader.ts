// Breaks for those who ask: lists with filters and counts, one with its history and what both sides say of
// its matter, and what a report needs. Everything says as of which position.
import { createHash } from "node:crypto";
import type { Sql } from "@sealane/database";
import { formatTime } from "@sealane/protocol";
import { amountOf, type BreakKind } from "@sealane/rules";
import { timeCursorText, type TimeCursor } from "../time-cursor.ts";
import type { CaseState } from "./case-writer.ts";
import { legsOfFacts } from "./facts.ts";
import { sidesOf } from "./judge-matters.ts";

export type BreakRow = {
  readonly id: string;
  readonly number: bigint;
  readonly kind: BreakKind;
  readonly between_sides: string;
  readonly participant: string;
  readonly matter: string;
  readonly transfer_id: string | null;
  readonly subject: string;
  readonly side: string;
  readonly currency: string;
  readonly expected: string | null;
  readonly found: string | null;
  readonly found_currency: string | null;
  readonly detail: string;
  readonly state: CaseState;
  readonly owner: string;
  readonly opened_at_ms: bigint;
  readonly deadline_ms: bigint;
  readonly ended_at_ms: bigint | null;
  readonly log_position: bigint;
  readonly wallet_until_ms: bigint | null;
  readonly wallet_position: bigint | null;
  readonly proposal: Proposal | null;
};

export type Proposal = {
  readonly by: string;
  readonly atMs: number;
  readonly outcome: string;
  readonly text: string;
  readonly transfer?: string;
  /** A signed adjustment, with the proposer's signature. */
  readonly note?: string;
};

/** Names what was proposed, by whom and when: who approves says which one was read. */
export const proposalId = ({ by, atMs, outcome, text, transfer, note }: Proposal): string =>
  createHash("sha256")
    .update(JSON.stringify([by, atMs, outcome, text, transfer ?? null, note ?? null]))
    .digest("hex")
    .slice(0, 32);

const columns = `id, number, kind, between_sides, participant, matter, transfer_id, subject, side,
  currency, expected, found, found_currency, detail, state, owner, opened_at_ms, deadline_ms,
  ended_at_ms, log_position, wallet_until_ms, wallet_position, proposal`;

const time = (ms: bigint | number): string => formatTime(Number(ms));

/** Leaves out what is not there. */
const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );

export const breakView = (row: BreakRow, nowMs: number) => {
  const openedAtMs = Number(row.opened_at_ms);
  const endMs = row.ended_at_ms === null ? nowMs : Number(row.ended_at_ms);
  const { proposal } = row;
  return {
    id: row.id,
    kind: row.kind,
    between: row.between_sides,
    participant: row.participant,
    subject: row.subject,
    side: row.side,
    currency: row.currency,
    detail: row.detail,
    state: row.state,
    owner: row.owner,
    openedAt: time(openedAtMs),
    ageSeconds: Math.max(0, Math.floor((endMs - openedAtMs) / 1_000)),
    deadline: time(row.deadline_ms),
    overdue: row.ended_at_ms === null && nowMs > Number(row.deadline_ms),
    ...present({
      transfer: row.transfer_id,
      expected: row.expected,
      found: row.found,
      foundCurrency: row.found_currency,
      endedAt: row.ended_at_ms === null ? undefined : time(row.ended_at_ms),
    }),
    asOf: {
      position: Number(row.log_position),
      ...present({
        providerUntil: row.wallet_until_ms === null ? undefined : time(row.wallet_until_ms),
        providerPosition: row.wallet_position === null ? undefined : Number(row.wallet_position),
      }),
    },
    ...(proposal === null
      ? {}
      : {
          proposal: {
            id: proposalId(proposal),
            ...proposal,
            atMs: undefined,
            at: time(proposal.atMs),
          },
        }),
  };
};

export type BreakFilter = {
  readonly state: readonly CaseState[];
  readonly kind: string | undefined;
  readonly participant: string | undefined;
  readonly owner: string | undefined;
  readonly transfer: string | undefined;
  /** The `number` of the last one of the page before. */
  readonly after: number | undefined;
  readonly limit: number;
};

export type KindCount = {
  readonly kind: BreakKind;
  readonly count: number;
  readonly overdue: number;
  readonly oldestAtMs: number;
};

export type BreakReader = ReturnType<typeof makeBreakReader>;

export const makeBreakReader = (sql: Sql, lane: number) => {
  /** Live breaks by kind. */
  const counts = async (nowMs: number): Promise<KindCount[]> => {
    type Row = { kind: BreakKind; count: bigint; overdue: bigint; oldest: bigint };
    const { rows } = await sql.query<Row>({
      name: "break-counts",
      text: `select kind, count(*) as count, count(*) filter (where deadline_ms < $2) as overdue,
          min(opened_at_ms) as oldest
        from break_case where lane = $1 and state in ('open', 'proposed', 'posting')
        group by kind order by kind`,
      values: [lane, nowMs],
    });
    return rows.map(({ kind, count, overdue, oldest }) => ({
      kind,
      count: Number(count),
      overdue: Number(overdue),
      oldestAtMs: Number(oldest),
    }));
  };

  /** The newest first. */
  const list = async (filter: BreakFilter): Promise<BreakRow[]> => {
    const { state, kind, participant, owner, transfer, after, limit } = filter;
    const { rows } = await sql.query<BreakRow>({
      name: "break-list",
      text: `select ${columns} from break_case
        where lane = $1 and state = any($2::text[]) and ($3::text is null or kind = $3)
          and ($4::text is null or participant = $4) and ($5::text is null or owner = $5)
          and ($6::uuid is null or transfer_id = $6) and ($7::int8 is null or number < $7)
        order by number desc limit $8`,
      values: [
        lane,
        state,
        kind ?? null,
        participant ?? null,
        owner ?? null,
        transfer ?? null,
        after ?? null,
        limit,
      ],
    });
    return rows;
  };

  const find = async (id: string): Promise<BreakRow | undefined> => {
    const text = `select ${columns} from break_case where lane = $1 and id = $2`;
    return (await sql.query<BreakRow>({ name: "break-one", text, values: [lane, id] })).rows[0];
  };

  const events = async (id: string) => {
    type Row = { n: number; at_ms: bigint; principal: string; kind: string; body: unknown };
    const { rows } = await sql.query<Row>({
      name: "break-history",
      text: `select n, at_ms, principal, kind, body from break_event
        where break_id = $1 order by n`,
      values: [id],
    });
    return rows.map(({ at_ms, ...one }) => ({ ...one, at: time(at_ms) }));
  };

  /** What the log and the provider say of the matter, side by side. */
  const sidesOfMatter = async ({ participant, matter, transfer_id }: BreakRow) => {
    type End = { seq: bigint; time_ms: bigint; outcome: string; facts: string | null };
    const ends = await sql.query<End>({
      name: "break-end",
      text: "select seq, time_ms, outcome, facts from entry where ended_id = $1",
      values: [transfer_id],
    });
    const end = ends.rows[0];
    const log =
      end === undefined
        ? undefined
        : {
            seq: Number(end.seq),
            time: time(end.time_ms),
            outcome: end.outcome,
            bookings: legsOfFacts(end.facts)
              .filter((leg) => leg.participant === participant)
              .map(({ side, currency, minor, feeMinor }) => ({
                side,
                currency,
                amount: amountOf(minor, currency),
                fee: amountOf(feeMinor, currency),
              })),
          };
    type Line = {
      reference: string;
      statement: string;
      side: string;
      currency: string;
      amount_minor: bigint;
      fee_minor: bigint | null;
      status: string;
      booked_at_ms: bigint;
    };
    const { rows } = await sql.query<Line>({
      name: "break-lines",
      text: `select reference, statement, side, currency, amount_minor, fee_minor, status,
          booked_at_ms
        from provider_line where lane = $1 and participant = $2 and matter = $3
        order by booked_at_ms, reference limit 100`,
      values: [lane, participant, matter],
    });
    const lines = rows.map((row) => ({
      reference: row.reference,
      statement: row.statement,
      side: row.side,
      currency: row.currency,
      amount: amountOf(row.amount_minor, row.currency),
      ...(row.fee_minor === null ? {} : { fee: amountOf(row.fee_minor, row.currency) }),
      status: row.status,
      bookedAt: time(row.booked_at_ms),
    }));
    return { ...(log === undefined ? {} : { log }), lines };
  };

  /** How far the comparison is: the books, what of them was compared, and each provider's side. */
  const standing = async () => {
    type Row = { next_seq: bigint; log_time_ms: bigint; compared: bigint | null };
    const { rows } = await sql.query<Row>({
      name: "reconcile-standing",
      text: `select p.next_seq, p.log_time_ms, c.next_seq as compared
        from progress p left join reconcile_cursor c using (lane) where p.lane = $1`,
      values: [lane],
    });
    const [row] = rows;
    const sides = await sidesOf(sql, lane);
    return {
      position: Number(row?.next_seq ?? 0),
      compared: Number(row?.compared ?? 0),
      ...(row === undefined ? {} : { logTime: time(row.log_time_ms) }),
      providers: sides.map((side) => ({
        participant: side.participant,
        from: time(side.begin_ms),
        until: time(side.covered_until_ms),
        ...present({
          position: side.seen_position === null ? undefined : Number(side.seen_position),
        }),
        comparedUpTo: Number(side.judged_seq),
      })),
    };
  };

  /** Providers' statements, the newest first. */
  const statements = async (
    participant: string | undefined,
    limit: number,
    before?: TimeCursor,
  ) => {
    type Row = {
      participant: string;
      reference: string;
      digest: string | null;
      from_ms: bigint;
      to_ms: bigint;
      lines: number;
      at_ms: bigint;
      principal: string;
    };
    const { rows } = await sql.query<Row>({
      name: "provider-statements",
      text: `select participant, reference, digest, from_ms, to_ms, lines, at_ms, principal
        from provider_statement where lane = $1 and ($2::text is null or participant = $2)
          and ($4::int8 is null or (at_ms, participant, reference) < ($4, $5::text, $6::text))
        order by at_ms desc, participant desc, reference desc limit $3`,
      values: [lane, participant ?? null, limit, ...(before ?? [null, null, null])],
    });
    const last = rows.length < limit ? undefined : rows.at(-1);
    const told = rows.map(({ from_ms, to_ms, at_ms, digest, ...one }) => ({
      ...one,
      ...present({ digest }),
      from: time(from_ms),
      to: time(to_ms),
      at: time(at_ms),
    }));
    const next = last && timeCursorText([Number(last.at_ms), last.participant, last.reference]);
    return { statements: told, ...present({ next }) };
  };

  /** Breaks that were opened in a time, by participant, kind and state. */
  const report = async (fromMs: number, toMs: number) => {
    type Row = { participant: string; kind: string; state: string; count: bigint; late: bigint };
    const { rows } = await sql.query<Row>({
      name: "break-report",
      text: `select participant, kind, state, count(*) as count,
          count(*) filter (where coalesce(ended_at_ms, $3) > deadline_ms) as late
        from break_case where lane = $1 and opened_at_ms >= $2 and opened_at_ms < $3
        group by participant, kind, state order by participant, kind, state`,
      values: [lane, fromMs, toMs],
    });
    return rows.map(({ count, late, ...one }) => ({
      ...one,
      count: Number(count),
      pastDeadline: Number(late),
    }));
  };

  return { counts, list, find, events, sidesOfMatter, standing, statements, report };
};
