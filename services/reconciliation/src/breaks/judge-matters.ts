// Looks at matters again: loads what is known of each, lets the pure matcher judge, stores what is wrong
// and until when the rest must wait. Every lookup is by index; nothing here depends on how old the log is.
import type { Sql } from "@sealane/database";
import {
  judgeTransfer,
  type Horizon,
  type LogTransfer,
  type SeenLine,
  type Side,
  type Tolerance,
  type TransferEnd,
  type Waits,
} from "@sealane/rules";
import { matterKey, writeCases, type Looked, type Matter } from "./case-writer.ts";
import { legsOfFacts } from "./facts.ts";
import type { Under } from "./one-at-a-time.ts";

type LineRow = {
  readonly participant: string;
  readonly matter: string;
  readonly reference: string;
  readonly side: Side;
  readonly currency: string;
  readonly amount_minor: bigint;
  readonly fee_minor: bigint | null;
  readonly status: SeenLine["status"];
  readonly booked_at_ms: bigint;
};

const linesOf = async ({ lane, sql }: Under, matters: readonly Matter[]) => {
  const { rows } = await sql.query<LineRow>({
    name: "matter-lines",
    text: `select participant, matter, reference, side, currency, amount_minor, fee_minor, status,
        booked_at_ms
      from provider_line join jsonb_to_recordset($2::jsonb) as m(participant text, matter text)
        using (participant, matter)
      where lane = $1`,
    values: [lane, JSON.stringify(matters)],
  });
  return Map.groupBy(rows, matterKey);
};

const lineOf = (row: LineRow): SeenLine => ({
  reference: row.reference,
  side: row.side,
  currency: row.currency,
  minor: row.amount_minor,
  feeMinor: row.fee_minor ?? undefined,
  status: row.status,
  bookedAtMs: Number(row.booked_at_ms),
});

/** Ends of transfers that the books have, by id. */
const endsOf = async ({ sql }: Under, matters: readonly Matter[]) => {
  type Row = {
    ended_id: string;
    seq: bigint;
    time_ms: bigint;
    outcome: TransferEnd | "recorded";
    facts: string | null;
  };
  const { rows } = await sql.query<Row>({
    name: "matter-ends",
    text: `select ended_id, seq, time_ms, outcome, facts from entry
      where ended_id = any($1::uuid[]) and (outcome <> 'recorded' or facts is not null)`,
    values: [matters.flatMap(({ transferId }) => transferId ?? [])],
  });
  return new Map(
    rows.map(({ ended_id: id, seq, time_ms, outcome, facts }) => {
      const end = { id, seq: Number(seq), timeMs: Number(time_ms), legs: legsOfFacts(facts) };
      // A return is recorded, and moves money as a transfer does.
      const ended = facts === null ? outcome : "committed";
      return [id, { ...end, outcome: ended } as LogTransfer] as const;
    }),
  );
};

export type SideRow = {
  readonly participant: string;
  readonly begin_ms: bigint;
  readonly covered_until_ms: bigint;
  readonly seen_position: bigint | null;
  readonly judged_seq: bigint;
};

/** How far every provider's books are known. */
export const sidesOf = async (sql: Sql, lane: number): Promise<SideRow[]> => {
  const { rows } = await sql.query<SideRow>({
    name: "provider-sides",
    text: `select participant, begin_ms, covered_until_ms, seen_position, judged_seq
      from provider_side where lane = $1 order by participant`,
    values: [lane],
  });
  return rows;
};

const writeWaits = async (
  { lane, sql }: Under,
  waits: readonly (Matter & { readonly waits: Waits })[],
): Promise<void> => {
  const rows = waits.map(({ participant, matter, transferId, waits: until }) => ({
    participant,
    matter,
    transfer_id: transferId ?? null,
    log_due_ms: until.logMs ?? null,
    wallet_due_ms: until.walletMs ?? null,
    wallet_seq: until.walletSeq ?? null,
  }));
  const waiting = rows.filter((row) => row.log_due_ms !== null || row.wallet_due_ms !== null);
  const record = `as t(participant text, matter text, transfer_id uuid, log_due_ms bigint,
      wallet_due_ms bigint, wallet_seq bigint)`;
  await sql.query({
    name: "waits-done",
    text: `delete from reconcile_wait using jsonb_to_recordset($2::jsonb) ${record}
      where lane = $1 and reconcile_wait.participant = t.participant
        and reconcile_wait.matter = t.matter
        and t.log_due_ms is null and t.wallet_due_ms is null`,
    values: [lane, JSON.stringify(rows)],
  });
  if (waiting.length === 0) return;
  await sql.query({
    name: "waits-write",
    text: `insert into reconcile_wait (lane, participant, matter, transfer_id, log_due_ms,
        wallet_due_ms, wallet_seq)
      select $1, participant, matter, transfer_id, log_due_ms, wallet_due_ms, wallet_seq
      from jsonb_to_recordset($2::jsonb) ${record}
      on conflict (lane, participant, matter) do update set log_due_ms = excluded.log_due_ms,
        wallet_due_ms = excluded.wallet_due_ms, wallet_seq = excluded.wallet_seq`,
    values: [lane, JSON.stringify(waiting)],
  });
};

/** Judges these matters by all that is known; each once, whatever asked for it. */
export const judgeMatters = async (
  under: Under,
  given: readonly Matter[],
  tolerance: Tolerance,
): Promise<void> => {
  const matters = [...new Map(given.map((one) => [matterKey(one), one])).values()];
  if (matters.length === 0) return;
  const lines = await linesOf(under, matters);
  const ends = await endsOf(under, matters);
  const sides = new Map(
    (await sidesOf(under.sql, under.lane)).map((side) => [side.participant, side]),
  );
  const judged = matters.map((one) => {
    const { participant, transferId } = one;
    const side = sides.get(participant);
    const position = side?.seen_position ?? null;
    const horizon: Horizon = {
      logTimeMs: under.logTimeMs,
      walletFromMs: Number(side?.begin_ms ?? 0),
      walletUntilMs: Number(side?.covered_until_ms ?? 0),
      walletPosition: position === null ? undefined : Number(position),
    };
    const log = transferId === undefined ? undefined : ends.get(transferId);
    const own = (lines.get(matterKey(one)) ?? []).map(lineOf);
    const { findings, waits } = judgeTransfer({ participant, log, lines: own }, horizon, tolerance);
    const { walletUntilMs, walletPosition } = horizon;
    const looked: Looked = { ...one, findings, walletUntilMs, walletPosition };
    return { looked, waits };
  });
  await writeCases(
    under,
    judged.map(({ looked }) => looked),
  );
  await writeWaits(
    under,
    judged.map(({ looked, waits }) => ({ ...looked, waits })),
  );
};
