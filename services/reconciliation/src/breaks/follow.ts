// Goes on with the comparison as the log and the providers' statements grow: each new entry is held once
// against Postgres' postings and against what waits for it, each booking is asked for once when the
// provider's statements cover it, and a wait is over when its time has come. Cursors and indexes only: the
// cost is that of what is new.
import { postingFindings, type PostedSum, type Tolerance } from "@sealane/rules";
import { addEvents, writeCases, type Looked, type Matter } from "./case-writer.ts";
import { legsOfFacts } from "./facts.ts";
import { makeSettlementReader } from "../settlement-reader.ts";
import { takeDefaults } from "./defaults.ts";
import { judgeMatters, sidesOf, type SideRow } from "./judge-matters.ts";
import { isRebuilding, type Under } from "./one-at-a-time.ts";

/** Entries, bookings and waits that one transaction takes at most. */
const most = 1_000;

type PostedRow = {
  readonly ended_id: string;
  readonly facts: string | null;
  readonly posted: readonly [debit: string, credit: string, currency: string, minor: string][];
};

/** Transfers whose postings are not what their terms give: a matter for each participant. */
const heldAgainstPostings = async (
  { lane, sql }: Under,
  from: number,
  to: number,
): Promise<Looked[]> => {
  const { rows } = await sql.query<PostedRow>({
    name: "entries-posted",
    text: `select e.ended_id, e.facts, coalesce(json_agg(json_build_array(p.debit, p.credit,
        p.currency, p.amount_minor::text)) filter (where p.seq is not null), '[]') as posted
      from entry e left join posting p on p.lane = e.lane and p.seq = e.seq
      where e.lane = $1 and e.seq >= $2 and e.seq < $3 and e.facts is not null
      group by e.seq, e.ended_id, e.facts`,
    values: [lane, from, to],
  });
  return rows.flatMap(({ ended_id: id, facts, posted }): Looked[] => {
    const sums = posted.map(([debit, credit, currency, minor]): PostedSum => ({
      debit,
      credit,
      currency,
      minor: BigInt(minor),
    }));
    const findings = postingFindings({ legs: legsOfFacts(facts) }, sums);
    const byOwner = Map.groupBy(findings, ({ subject }) => subject.split(" ")[1] ?? "");
    return [...byOwner].map(([participant, own]) => ({
      participant,
      matter: `posted ${id}`,
      transferId: id,
      findings: own,
    }));
  });
};

type MatterRow = {
  readonly participant: string;
  readonly matter: string;
  readonly transfer_id: string | null;
};

const matterOf = ({ participant, matter, transfer_id }: MatterRow): Matter => ({
  participant,
  matter,
  transferId: transfer_id ?? undefined,
});

/** What has waited for one of these entries. */
const awaited = async ({ lane, sql }: Under, from: number, to: number): Promise<Matter[]> => {
  const { rows } = await sql.query<MatterRow>({
    name: "waits-for-entries",
    text: `select w.participant, w.matter, w.transfer_id
      from entry e join reconcile_wait w on w.transfer_id = e.ended_id and w.lane = e.lane
      where e.lane = $1 and e.seq >= $2 and e.seq < $3`,
    values: [lane, from, to],
  });
  return rows.map(matterOf);
};

/** Adjustments that are in the log now resolve their breaks, whatever has become of the proposal. */
const takeAdjustments = async (under: Under, from: number, to: number): Promise<void> => {
  const { lane, sql, nowMs } = under;
  type Row = { id: string; seq: bigint };
  const { rows } = await sql.query<Row>({
    name: "breaks-adjusted",
    text: `update break_case set state = 'resolved', ended_at_ms = $4, log_position = e.seq
      from settlement_entry e
      where e.lane = $1 and e.seq >= $2 and e.seq < $3 and e.kind = 'adjustment'
        and break_case.id = (e.body->>'id')::uuid and break_case.lane = e.lane
      returning break_case.id, e.seq`,
    values: [lane, from, to, nowMs],
  });
  const events = rows.map(({ id, seq }) => ({ id, kind: "posted", body: { seq: Number(seq) } }));
  await addEvents(sql, nowMs, "ledger", events);
};

const takeEntries = async (
  under: Under,
  tolerance: Tolerance,
  origin: string,
): Promise<boolean> => {
  const { lane, sql, cursor, position } = under;
  const to = Math.min(position, cursor + most);
  if (to <= cursor) return false;
  await writeCases(under, await heldAgainstPostings(under, cursor, to));
  await judgeMatters(under, await awaited(under, cursor, to), tolerance);
  await takeAdjustments(under, cursor, to);
  await takeDefaults(under, makeSettlementReader(sql, lane, origin), cursor, to);
  await sql.query({
    name: "reconcile-cursor-move",
    text: "update reconcile_cursor set next_seq = $2 where lane = $1",
    values: [lane, to],
  });
  return to < position;
};

/** Bookings that the provider's statements should have by now. */
const takeDue = async (
  under: Under,
  { participant, covered_until_ms, seen_position, judged_seq }: SideRow,
  tolerance: Tolerance,
): Promise<boolean> => {
  const { lane, sql, position } = under;
  const from = Number(judged_seq);
  const to = Math.min(position, Number(seen_position ?? position), from + most);
  if (to <= from) return false;
  type Row = { seq: bigint; time_ms: bigint; ended_id: string | null; own: boolean };
  const { rows } = await sql.query<Row>({
    name: "entries-due",
    text: `select seq, time_ms, ended_id, facts is not null and strpos(facts, $4) > 0 as own
      from entry where lane = $1 and seq >= $2 and seq < $3 order by seq`,
    values: [lane, from, to, JSON.stringify(participant)],
  });
  const untilMs = Number(covered_until_ms) - tolerance.bookWithinMs;
  const early = rows.findIndex(({ time_ms }) => Number(time_ms) > untilMs);
  const due = early < 0 ? rows : rows.slice(0, early);
  if (due.length === 0) return false;
  const matters = due.flatMap(({ ended_id, own }): Matter[] =>
    ended_id === null || !own ? [] : [{ participant, matter: ended_id, transferId: ended_id }],
  );
  await judgeMatters(under, matters, tolerance);
  await sql.query({
    name: "provider-side-judged",
    text: "update provider_side set judged_seq = $3 where lane = $1 and participant = $2",
    values: [lane, participant, from + due.length],
  });
  return due.length === most;
};

/** What has waited for log time, or for a provider's statements, to come so far. */
const takeWaits = async (under: Under, tolerance: Tolerance): Promise<boolean> => {
  const { lane, sql, logTimeMs } = under;
  const { rows } = await sql.query<MatterRow>({
    name: "waits-due",
    text: `(select participant, matter, transfer_id from reconcile_wait
        where lane = $1 and log_due_ms <= $2 limit $3)
      union
      (select w.participant, w.matter, w.transfer_id
        from provider_side s join reconcile_wait w
          on w.lane = s.lane and w.participant = s.participant
            and w.wallet_due_ms <= s.covered_until_ms
            and (s.seen_position is null or w.wallet_seq < s.seen_position)
        where s.lane = $1 limit $3)`,
    values: [lane, logTimeMs, most],
  });
  await judgeMatters(under, rows.map(matterOf), tolerance);
  return rows.length >= most;
};

/** One transaction's worth of what is new. @param origin of the log @returns whether there is more */
export const followOnce = async (
  under: Under,
  tolerance: Tolerance,
  origin: string,
): Promise<boolean> => {
  if (isRebuilding(under)) return false;
  let more = await takeEntries(under, tolerance, origin);
  for (const side of await sidesOf(under.sql, under.lane)) {
    if (await takeDue(under, side, tolerance)) more = true;
  }
  if (await takeWaits(under, tolerance)) more = true;
  return more;
};
