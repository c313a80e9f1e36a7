// Takes a provider's statement: read whole or refused whole, and once. Periods follow one another without a
// gap, so "everything before this instant is known" is always true; lines told again are skipped, and a line
// that was booked never changes. Nothing of it moves money: it is compared with the log.
import { parseTime, type ProviderLine, type ProviderStatement } from "@sealane/protocol";
import { isAmountOrZero, minorOf, type Tolerance } from "@sealane/rules";
import type { Matter } from "./case-writer.ts";
import { firstSince } from "./first-since.ts";
import { judgeMatters } from "./judge-matters.ts";
import { isRebuilding, type Under } from "./one-at-a-time.ts";

export type StatementRefusal = {
  readonly ok: false;
  readonly status: 422 | 503;
  readonly code: string;
  readonly detail: string;
};
export type StatementTaken = {
  readonly ok: true;
  /** It says what was said before. */
  readonly already: boolean;
  /** Lines that were not known. */
  readonly lines: number;
  /** The books that it was held against. */
  readonly position: number;
  readonly coveredUntilMs: number;
};

export type Given = {
  readonly statement: ProviderStatement;
  /** SHA-256 of the statement as it came, base64. */
  readonly hash: string;
  readonly principal: string;
};

export type TakeDeps = {
  readonly tolerance: Tolerance;
  /** Whether the key log knows the participant. */
  readonly isParticipant: (name: string) => boolean;
  /** Whether this lane decides on the transfer. */
  readonly isOurs: (transferId: string) => boolean;
};

const no = (code: string, detail: string): StatementRefusal => ({
  ok: false,
  status: 422,
  code,
  detail,
});

/** What can be wrong with the statement by itself. */
const ownFault = (
  { participant, from, to, lines }: ProviderStatement,
  { isParticipant }: TakeDeps,
  nowMs: number,
): StatementRefusal | undefined => {
  if (!isParticipant(participant)) return no("participant-unknown", participant);
  if (from >= to) return no("period-empty", `it ends at ${to} and begins at ${from}`);
  // What is not over yet may still get bookings: nothing could be said to be missing.
  if (parseTime(to) > nowMs) return no("period-open", `${to} has not come yet`);
  const references = new Set<string>();
  for (const { reference, amount, fee, currency, bookedAt } of lines) {
    if (references.has(reference)) return no("line-twice", reference);
    references.add(reference);
    for (const text of fee === undefined ? [amount] : [amount, fee]) {
      if (!isAmountOrZero(text, currency)) {
        return no("line-amount", `${reference}: ${text} is no amount of ${currency}`);
      }
    }
    if (bookedAt < from || bookedAt >= to) {
      return no("line-outside", `${reference} was booked at ${bookedAt}, outside the period`);
    }
  }
  return undefined;
};

const matterOf = ({ transfer, reference }: ProviderLine): string => transfer ?? `line ${reference}`;

type LineRow = {
  readonly reference: string;
  readonly matter: string;
  readonly side: string;
  readonly currency: string;
  readonly amount_minor: bigint;
  readonly fee_minor: bigint | null;
  readonly status: string;
  readonly booked_at_ms: bigint;
};

const sameLine = (line: ProviderLine, row: LineRow): boolean =>
  row.matter === matterOf(line) &&
  row.side === line.side &&
  row.currency === line.currency &&
  row.amount_minor === minorOf(line.amount, line.currency) &&
  row.fee_minor === (line.fee === undefined ? null : minorOf(line.fee, line.currency)) &&
  row.status === line.status &&
  Number(row.booked_at_ms) === parseTime(line.bookedAt);

/** Lines that say something new, or why one may not. */
const newLines = async (
  { lane, sql }: Under,
  { participant, lines }: ProviderStatement,
): Promise<ProviderLine[] | StatementRefusal> => {
  const { rows } = await sql.query<LineRow>({
    name: "provider-lines-known",
    text: `select reference, matter, side, currency, amount_minor, fee_minor, status, booked_at_ms
      from provider_line where lane = $1 and participant = $2 and reference = any($3::text[])`,
    values: [lane, participant, lines.map(({ reference }) => reference)],
  });
  const known = new Map(rows.map((row) => [row.reference, row]));
  const fresh: ProviderLine[] = [];
  for (const line of lines) {
    const row = known.get(line.reference);
    const moves = row?.status === "pending" && line.status !== "pending";
    if (row === undefined || (moves && row.matter === matterOf(line))) {
      fresh.push(line);
    } else if (!sameLine(line, row)) {
      return no("line-reused", `${line.reference} was another line before`);
    }
  }
  return fresh;
};

const storeLines = async (
  { lane, sql }: Under,
  { participant, reference }: ProviderStatement,
  lines: readonly ProviderLine[],
): Promise<void> => {
  if (lines.length === 0) return;
  const rows = lines.map((line) => ({
    reference: line.reference,
    matter: matterOf(line),
    transfer_id: line.transfer ?? null,
    side: line.side,
    currency: line.currency,
    amount_minor: String(minorOf(line.amount, line.currency)),
    fee_minor: line.fee === undefined ? null : String(minorOf(line.fee, line.currency)),
    status: line.status,
    booked_at_ms: parseTime(line.bookedAt),
  }));
  await sql.query({
    name: "provider-lines-write",
    text: `insert into provider_line (lane, participant, reference, statement, matter, transfer_id,
        side, currency, amount_minor, fee_minor, status, booked_at_ms)
      select $1, $2, reference, $3, matter, transfer_id, side, currency, amount_minor, fee_minor,
        status, booked_at_ms
      from jsonb_to_recordset($4::jsonb) as t(reference text, matter text, transfer_id uuid,
        side text, currency text, amount_minor bigint, fee_minor bigint, status text,
        booked_at_ms bigint)
      on conflict (lane, participant, reference) do update set statement = excluded.statement,
        matter = excluded.matter, transfer_id = excluded.transfer_id, side = excluded.side,
        currency = excluded.currency, amount_minor = excluded.amount_minor,
        fee_minor = excluded.fee_minor, status = excluded.status,
        booked_at_ms = excluded.booked_at_ms`,
    values: [lane, participant, reference, JSON.stringify(rows)],
  });
};

const mattersOf = (participant: string, lines: readonly ProviderLine[]): Matter[] =>
  lines.map((line) => ({ participant, matter: matterOf(line), transferId: line.transfer }));

type SideRow = { readonly covered_until_ms: bigint };

const sideOf = async ({ lane, sql }: Under, participant: string): Promise<SideRow | undefined> => {
  const { rows } = await sql.query<SideRow>({
    name: "provider-side",
    text: "select covered_until_ms from provider_side where lane = $1 and participant = $2",
    values: [lane, participant],
  });
  return rows[0];
};

const moveSide = async (
  under: Under,
  { from, to, more, position, participant }: ProviderStatement,
  side: SideRow | undefined,
  { decideWithinMs }: Tolerance,
): Promise<number> => {
  const { lane, sql } = under;
  const fromMs = parseTime(from);
  const before = side === undefined ? fromMs : Number(side.covered_until_ms);
  const until = more === true ? before : Math.max(before, parseTime(to));
  const judged = side === undefined ? await firstSince(under, fromMs + decideWithinMs) : 0;
  await sql.query({
    name: "provider-side-move",
    text: `insert into provider_side (lane, participant, begin_ms, covered_until_ms, seen_position,
        judged_seq)
      values ($1, $2, $3, $4, $5, $6)
      on conflict (lane, participant) do update set covered_until_ms = excluded.covered_until_ms,
        seen_position = case when $7 then provider_side.seen_position
          else excluded.seen_position end`,
    values: [lane, participant, fromMs, until, position ?? null, judged, more === true],
  });
  return until;
};

type Earlier = { readonly hash: string; readonly lines: number };

const earlierOf = async (
  { lane, sql }: Under,
  { participant, reference }: ProviderStatement,
): Promise<Earlier | undefined> => {
  const { rows } = await sql.query<Earlier>({
    name: "provider-statement-known",
    text: `select hash, lines from provider_statement
      where lane = $1 and participant = $2 and reference = $3`,
    values: [lane, participant, reference],
  });
  return rows[0];
};

/** Takes a statement and looks at every matter that it touches. */
export const takeStatement = async (
  under: Under,
  { statement: whole, hash, principal }: Given,
  deps: TakeDeps,
): Promise<StatementTaken | StatementRefusal> => {
  const { lane, sql, nowMs, position } = under;
  const own = whole.lines.filter(({ transfer }) => transfer === undefined || deps.isOurs(transfer));
  const statement = { ...whole, lines: own };
  const { participant, reference, digest, from, to, more } = statement;
  const side = await sideOf(under, participant);
  const coveredUntilMs = Number(side?.covered_until_ms ?? 0);
  const earlier = await earlierOf(under, statement);
  if (earlier !== undefined) {
    if (earlier.hash === hash) {
      return { ok: true, already: true, lines: 0, position, coveredUntilMs };
    }
    return no("statement-reused", `another statement of ${participant} was ${reference}`);
  }
  const fault = ownFault(whole, deps, nowMs);
  if (fault !== undefined) return fault;
  if (isRebuilding(under)) {
    const detail = "the books are being built again";
    return { ok: false, status: 503, code: "no-books", detail };
  }
  if (side !== undefined && parseTime(from) > coveredUntilMs) {
    const until = new Date(coveredUntilMs).toISOString();
    return no("statement-gap", `the statement before it ends at ${until}`);
  }
  const lines = await newLines(under, statement);
  if ("ok" in lines) return lines;
  await sql.query({
    name: "provider-statement-write",
    text: `insert into provider_statement (lane, participant, reference, hash, digest, from_ms, to_ms,
        seen_position, more, lines, at_ms, principal)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    values: [
      lane,
      participant,
      reference,
      hash,
      digest ?? null,
      parseTime(from),
      parseTime(to),
      statement.position ?? null,
      more === true,
      statement.lines.length,
      nowMs,
      principal,
    ],
  });
  await storeLines(under, statement, lines);
  const until = await moveSide(under, statement, side, deps.tolerance);
  await judgeMatters(under, mattersOf(participant, lines), deps.tolerance);
  return { ok: true, already: false, lines: lines.length, position, coveredUntilMs: until };
};
