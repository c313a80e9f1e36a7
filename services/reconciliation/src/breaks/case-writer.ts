// Findings become cases: opened, changed, cleared by themselves when a later line or entry explains them,
// and opened again when it does not. Each step is an event that nothing removes. What people have resolved
// stays so unless the facts change.
import type { Sql } from "@sealane/database";
import { transferIdOf } from "@sealane/protocol";
import { amountOf, deadlineHours, type Finding } from "@sealane/rules";
import type { Under } from "./one-at-a-time.ts";

/** What findings are about: a transfer at a participant, a line of no transfer, a bank's statement. */
export type Matter = {
  readonly participant: string;
  readonly matter: string;
  readonly transferId: string | undefined;
};

/** A matter that was looked at, with all that is wrong about it now. */
export type Looked = Matter & {
  readonly findings: readonly Finding[];
  readonly walletUntilMs?: number | undefined;
  readonly walletPosition?: number | undefined;
};

export type CaseState = "open" | "proposed" | "posting" | "resolved" | "cleared";

type Known = {
  readonly id: string;
  readonly participant: string;
  readonly matter: string;
  readonly state: CaseState;
  readonly expected: string | null;
  readonly found: string | null;
  readonly detail: string;
};

type Step = {
  readonly id: string;
  readonly kind: "opened" | "reopened" | "changed" | "cleared";
  readonly body: object;
};

export const matterKey = ({ participant, matter }: Pick<Matter, "participant" | "matter">) =>
  `${participant} ${matter}`;

/** Who must see to it, until somebody else takes it over. */
const firstOwner = ({ kind, between }: Finding, { participant }: Matter): string =>
  between === "log-wallet" && kind !== "missing-at-ledger"
    ? `participant/${participant}`
    : "operator/desk";

const rowOf = (lane: number, nowMs: number, position: number, looked: Looked, found: Finding) => {
  const { participant, matter, transferId, walletUntilMs, walletPosition } = looked;
  const { kind, subject, side, currency, expectedMinor, foundMinor, foundCurrency } = found;
  const name = `break ${lane} ${matter} ${kind} ${subject}`;
  const text = (minor: bigint | undefined, of: string): string | null =>
    minor === undefined ? null : amountOf(minor, of);
  return {
    id: transferIdOf(participant, name),
    kind,
    between_sides: found.between,
    participant,
    matter,
    transfer_id: transferId ?? null,
    subject,
    side,
    currency,
    expected: text(expectedMinor, currency),
    found: text(foundMinor, foundCurrency ?? currency),
    found_currency: foundCurrency ?? null,
    detail: found.detail,
    owner: firstOwner(found, looked),
    opened_at_ms: nowMs,
    deadline_ms: nowMs + deadlineHours[kind] * 3_600_000,
    log_position: position,
    wallet_until_ms: walletUntilMs ?? null,
    wallet_position: walletPosition ?? null,
  };
};

type Row = ReturnType<typeof rowOf>;

const upsertText = `insert into break_case (lane, id, kind, between_sides, participant, matter,
    transfer_id, subject, side, currency, expected, found, found_currency, detail, state, owner,
    opened_at_ms, deadline_ms, log_position, wallet_until_ms, wallet_position)
  select $1, id, kind, between_sides, participant, matter, transfer_id, subject, side, currency,
    expected, found, found_currency, detail, 'open', owner, opened_at_ms, deadline_ms, log_position,
    wallet_until_ms, wallet_position
  from jsonb_to_recordset($2::jsonb) as t(id uuid, kind text, between_sides text, participant text,
    matter text, transfer_id uuid, subject text, side text, currency text, expected text, found text,
    found_currency text, detail text, owner text, opened_at_ms bigint, deadline_ms bigint,
    log_position bigint, wallet_until_ms bigint, wallet_position bigint)
  on conflict (id) do update set state = 'open', proposal = null, ended_at_ms = null,
    expected = excluded.expected, found = excluded.found, found_currency = excluded.found_currency,
    detail = excluded.detail, log_position = excluded.log_position,
    wallet_until_ms = excluded.wallet_until_ms, wallet_position = excluded.wallet_position,
    opened_at_ms = case when break_case.ended_at_ms is null then break_case.opened_at_ms
      else excluded.opened_at_ms end,
    deadline_ms = case when break_case.ended_at_ms is null then break_case.deadline_ms
      else excluded.deadline_ms end`;

/** Appends to the cases' histories, numbering each case's events. */
export const addEvents = async (
  sql: Sql,
  nowMs: number,
  principal: string,
  events: readonly { readonly id: string; readonly kind: string; readonly body: object }[],
): Promise<void> => {
  if (events.length === 0) return;
  await sql.query({
    name: "break-events",
    text: `insert into break_event (break_id, n, at_ms, principal, kind, body)
      select id, coalesce((select max(n) + 1 from break_event where break_id = id), 0)
        + row_number() over (partition by id order by place) - 1, $1, $2, kind, body
      from rows from (jsonb_to_recordset($3::jsonb) as (id uuid, kind text, body jsonb))
        with ordinality as t(id, kind, body, place)`,
    values: [nowMs, principal, JSON.stringify(events)],
  });
};

const knownOf = async ({ lane, sql }: Under, looked: readonly Looked[]): Promise<Known[]> => {
  const { rows } = await sql.query<Known>({
    name: "break-known",
    text: `select id, participant, matter, state, expected, found, detail
      from break_case join jsonb_to_recordset($2::jsonb) as m(participant text, matter text)
        using (participant, matter)
      where lane = $1`,
    values: [
      lane,
      JSON.stringify(looked.map(({ participant, matter }) => ({ participant, matter }))),
    ],
  });
  return rows;
};

/** What happens to a case whose finding is there (again), or undefined: nothing. */
const stepOf = (row: Row, known: Known | undefined): Step["kind"] | undefined => {
  if (known === undefined) return "opened";
  if (known.state === "cleared") return "reopened";
  const same =
    known.expected === row.expected && known.found === row.found && known.detail === row.detail;
  if (same || known.state === "posting") return undefined;
  return known.state === "resolved" ? "reopened" : "changed";
};

const asOf = ({ log_position, wallet_until_ms, wallet_position, detail }: Row): object => ({
  detail,
  logPosition: log_position,
  ...(wallet_until_ms === null ? {} : { walletUntilMs: wallet_until_ms }),
  ...(wallet_position === null ? {} : { walletPosition: wallet_position }),
});

/** Brings the cases of what was looked at in line with what is wrong about it now. */
export const writeCases = async (under: Under, looked: readonly Looked[]): Promise<void> => {
  if (looked.length === 0) return;
  const { lane, sql, nowMs, position } = under;
  const known = await knownOf(under, looked);
  const byId = new Map(known.map((one) => [one.id, one]));
  const rows = new Map<string, Row>();
  for (const one of looked) {
    for (const finding of one.findings) {
      const row = rowOf(lane, nowMs, position, one, finding);
      rows.set(row.id, row);
    }
  }
  const steps: Step[] = [];
  const written: Row[] = [];
  for (const [id, row] of rows) {
    const kind = stepOf(row, byId.get(id));
    if (kind === undefined) continue;
    written.push(row);
    steps.push({ id, kind, body: asOf(row) });
  }
  const gone = known.filter(
    ({ id, state }) => !rows.has(id) && (state === "open" || state === "proposed"),
  );
  const body = { detail: "explained by what is known now", logPosition: position };
  steps.push(...gone.map(({ id }): Step => ({ id, kind: "cleared", body })));
  if (written.length > 0) {
    await sql.query({
      name: "break-upsert",
      text: upsertText,
      values: [lane, JSON.stringify(written)],
    });
  }
  if (gone.length > 0) {
    await sql.query({
      name: "break-clear",
      text: `update break_case set state = 'cleared', proposal = null, ended_at_ms = $2,
          log_position = $3 where id = any($1::uuid[])`,
      values: [gone.map(({ id }) => id), nowMs, position],
    });
  }
  await addEvents(sql, nowMs, "reconciliation", steps);
};
