// What people do about breaks: comment, take over, propose how one is resolved, and, another person than
// the one who proposed, approve or send back. One transaction each: the case, its history and the audit
// trail; the same idempotency key gets the same answer. A resolution that moves money is an adjustment that
// two operators sign: it is handed to the lane, and the case is resolved by the log's entry, not by us.
import { createHash } from "node:crypto";
import type { Sql } from "@sealane/database";
import type { DeskAnswer, Role } from "../desk.ts";
import type { BreakRow, Proposal } from "./break-reader.ts";
import { makeBreakReader, proposalId } from "./break-reader.ts";
import { addEvents } from "./case-writer.ts";
import { textOf, type AdjustmentDesk } from "./adjustment-desk.ts";
import type { OneAtATime, Under } from "./one-at-a-time.ts";

export const outcomes = ["explained", "corrected", "accepted", "returned", "adjusted"] as const;

export type Deed =
  | { readonly kind: "comment"; readonly text: string }
  | { readonly kind: "assign"; readonly owner: string }
  | {
      readonly kind: "propose";
      readonly outcome: (typeof outcomes)[number];
      readonly text: string;
      /** The return, where that is the outcome. */
      readonly transfer?: string | undefined;
      /** The adjustment with the proposer's signature, where money moves. */
      readonly note?: string | undefined;
    }
  | {
      readonly kind: "approve";
      /** The proposal that was read; another one that has taken its place is not approved. */
      readonly proposal?: string | undefined;
      readonly text?: string | undefined;
      /** The adjustment with both signatures, where money moves. */
      readonly note?: string | undefined;
    }
  | { readonly kind: "reject"; readonly text: string };

export type Doing = {
  readonly principal: string;
  readonly role: Role;
  readonly idempotencyKey: string;
  readonly id: string;
  readonly deed: Deed;
};

const refusal = (status: number, code: string, detail: string): DeskAnswer => ({
  status,
  body: { code, detail },
});

/** `approver/maria` and `operator/maria` are one person. */
const personOf = (principal: string): string => principal.slice(principal.indexOf("/") + 1);

const isLive = ({ state }: BreakRow): boolean =>
  state === "open" || state === "proposed" || state === "posting";

type Change = {
  readonly state?: BreakRow["state"];
  readonly owner?: string;
  readonly proposal?: Proposal | null;
  readonly ended?: true;
  /** Of the event. */
  readonly event: string;
  readonly body: object;
};

const propose = async (
  { sql, nowMs }: Under,
  desk: AdjustmentDesk,
  { principal, deed }: Doing,
  found: BreakRow,
): Promise<Change | DeskAnswer> => {
  if (deed.kind !== "propose") throw new Error("broken invariant: no proposal");
  if (found.state !== "open") {
    return refusal(409, "break-not-open", `it is ${found.state}: send the proposal back first`);
  }
  const { outcome, text, transfer, note } = deed;
  if ((outcome === "adjusted") !== (note !== undefined)) {
    return refusal(422, "adjustment-missing", "give the signed adjustment, and for nothing else");
  }
  if (note !== undefined) {
    const why = desk.judge(found, note, 1);
    if ("fault" in why) return refusal(422, why.fault.code, why.fault.detail);
  }
  if ((outcome === "returned") !== (transfer !== undefined)) {
    return refusal(422, "return-missing", "name the return's id, and for nothing else");
  }
  if (transfer !== undefined) {
    const { rows } = await sql.query({
      name: "break-return",
      text: `select 1 from entry
        where ended_id = $1 and outcome = 'recorded' and facts is not null`,
      values: [transfer],
    });
    if (rows.length === 0)
      return refusal(422, "return-unknown", `no return in the log is ${transfer}`);
  }
  const cited = transfer === undefined ? {} : { transfer };
  const said = { outcome, text, ...cited, ...(note === undefined ? {} : { note }) };
  const proposal: Proposal = { by: principal, atMs: nowMs, ...said };
  return { state: "proposed", proposal, event: "proposed", body: said };
};

const approve = async (
  desk: AdjustmentDesk,
  { principal, role, deed }: Doing,
  found: BreakRow,
): Promise<Change | DeskAnswer> => {
  if (deed.kind !== "approve") throw new Error("broken invariant: no approval");
  const { proposal } = found;
  if (role !== "approver") {
    return refusal(403, "not-allowed", `a ${role} may not approve`);
  }
  if (found.state !== "proposed" || proposal === null) {
    return refusal(409, "nothing-proposed", `it is ${found.state}`);
  }
  if (personOf(proposal.by) === personOf(principal)) {
    return refusal(403, "same-person", "who proposes does not approve");
  }
  if (deed.proposal !== undefined && deed.proposal !== proposalId(proposal)) {
    return refusal(409, "proposal-changed", "something else is proposed by now");
  }
  const { outcome } = proposal;
  if ((outcome === "adjusted") !== (deed.note !== undefined)) {
    return refusal(422, "adjustment-missing", "an adjustment, and nothing else, is cosigned");
  }
  const body = { outcome, ...(deed.text === undefined ? {} : { text: deed.text }) };
  if (deed.note === undefined) return { state: "resolved", ended: true, event: "approved", body };
  const judged = desk.judge(found, deed.note, 2);
  if ("fault" in judged) return refusal(422, judged.fault.code, judged.fault.detail);
  if (judged.text !== textOf(proposal.note)) {
    return refusal(422, "adjustment-changed", "the proposal says something else");
  }
  // Said twice it is posted once, so a lost answer does no harm; the log's entry resolves the case.
  await desk.send(deed.note);
  return { state: "posting", event: "approved", body };
};

const reject = ({ principal, role, deed }: Doing, found: BreakRow): Change | DeskAnswer => {
  if (deed.kind !== "reject") throw new Error("broken invariant: nothing sent back");
  const { proposal } = found;
  if (proposal === null || (found.state !== "proposed" && found.state !== "posting")) {
    return refusal(409, "nothing-proposed", `it is ${found.state}`);
  }
  const own = personOf(proposal.by) === personOf(principal);
  if (!own && role !== "approver") {
    return refusal(403, "not-allowed", `a ${role} may only take its own proposal back`);
  }
  const event = own ? "withdrawn" : "rejected";
  return { state: "open", proposal: null, event, body: { text: deed.text } };
};

const changeOf = (under: Under, desk: AdjustmentDesk, doing: Doing, found: BreakRow) => {
  const { deed } = doing;
  if (doing.role === "auditor") return refusal(403, "not-allowed", "an auditor only reads");
  switch (deed.kind) {
    case "comment":
      return { event: "commented", body: { text: deed.text } };
    case "assign":
      if (!isLive(found)) return refusal(409, "break-ended", `it is ${found.state}`);
      return { owner: deed.owner, event: "assigned", body: { owner: deed.owner } };
    case "propose":
      return propose(under, desk, doing, found);
    case "approve":
      return approve(desk, doing, found);
    case "reject":
      return reject(doing, found);
    default:
      return deed satisfies never;
  }
};

const store = async (
  { sql, nowMs }: Under,
  { principal, id }: Doing,
  found: BreakRow,
  { state, owner, proposal, ended, event, body }: Change,
): Promise<DeskAnswer> => {
  const next = state ?? found.state;
  const proposed = proposal === undefined ? found.proposal : proposal;
  await sql.query({
    name: "break-change",
    text: `update break_case set state = $2, owner = $3, proposal = $4::jsonb,
        ended_at_ms = case when $5 then $6::int8 else ended_at_ms end where id = $1`,
    values: [
      id,
      next,
      owner ?? found.owner,
      proposed === null ? null : JSON.stringify(proposed),
      ended === true,
      nowMs,
    ],
  });
  await addEvents(sql, nowMs, principal, [{ id, kind: event, body }]);
  return { status: 200, body: { id, state: next, owner: owner ?? found.owner } };
};

type Kept = { readonly hash: string; readonly status: number; readonly answer: string };

/** The answer that this key had, or undefined. */
export const keptAnswer = async (
  sql: Sql,
  principal: string,
  key: string,
  hash: string,
): Promise<DeskAnswer | undefined> => {
  const { rows } = await sql.query<Kept>({
    name: "break-action-read",
    text: "select hash, status, answer from action where principal = $1 and idempotency_key = $2",
    values: [principal, key],
  });
  const [before] = rows;
  if (before === undefined) return undefined;
  if (before.hash !== hash) {
    return refusal(422, "key-reused", "something else was asked for under this key");
  }
  return { status: before.status, body: JSON.parse(before.answer) as DeskAnswer["body"] };
};

export type ActionRow = {
  readonly principal: string;
  readonly key: string;
  readonly hash: string;
  readonly kind: string;
  readonly subject: string;
};

/** Into the trail of who did what. */
export const keepAnswer = async (
  { sql, nowMs }: Under,
  { principal, key, hash, kind, subject }: ActionRow,
  answer: DeskAnswer,
): Promise<void> => {
  await sql.query({
    name: "break-action-write",
    text: `insert into action (principal, idempotency_key, at_ms, kind, subject, hash, status, answer)
      values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    values: [
      principal,
      key,
      nowMs,
      kind,
      subject,
      hash,
      answer.status,
      JSON.stringify(answer.body),
    ],
  });
};

export const hashOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("base64");

export type BreakDesk = ReturnType<typeof makeBreakDesk>;

export const makeBreakDesk = (one: OneAtATime, adjustments: AdjustmentDesk) => ({
  /** Does it, or says why not; once for one key. */
  act: (doing: Doing): Promise<DeskAnswer> =>
    one(async (under) => {
      const { principal, idempotencyKey: key, id, deed } = doing;
      const hash = hashOf([id, deed]);
      const before = await keptAnswer(under.sql, principal, key, hash);
      if (before !== undefined) return before;
      const found = await makeBreakReader(under.sql, under.lane).find(id);
      if (found === undefined) return refusal(404, "break-unknown", "no such break");
      const change = await changeOf(under, adjustments, doing, found);
      const answer = "event" in change ? await store(under, doing, found, change) : change;
      const subject = `${found.kind} ${id}`;
      await keepAnswer(
        under,
        { principal, key, hash, kind: `break-${deed.kind}`, subject },
        answer,
      );
      return answer;
    }),
});
