// The operators' desk: takes what people have signed with their own keys, says at once what is wrong
// with it by the books of now, and hands it to the lane, which decides. The service holds none of those
// keys. Who asked for what is kept for ever; the same idempotency key gets the same answer.
import type { Sql } from "@sealane/database";
import {
  advanceSchema,
  liquidityOutSchema,
  headerOf,
  laneTopic,
  noteHash,
  readNote,
  readStatement,
  settlementAbortSchema,
  windowCutSchema,
  windowDefaultSchema,
  type BankStatement,
  type WindowCut,
} from "@sealane/protocol";
import {
  abortFault,
  cutFault,
  defaultFault,
  liquidityOutFault,
  settlementOperators,
  windowKey,
  type AuditState,
  type KeyState,
  type SettlementFault,
} from "@sealane/rules";
import type { Note } from "@sealane/tlog";
import { bankFileFault, digestOf, makeBankFiles } from "./bank-files.ts";
import type { TimeCursor } from "./time-cursor.ts";
import {
  bankStatementNow,
  contextNow,
  noStatement,
  readBankStatement,
  signedBy,
} from "./judge-bank-statement.ts";

export type Role = "operator" | "approver" | "auditor";

/** What a role may hand in. Whoever may approve may also do what one operator may. */
const mayHandIn: Readonly<Record<string, readonly Role[]>> = {
  "window-cut": ["operator", "approver"],
  "bank-statement": ["operator", "approver"],
  advance: ["approver"],
  "liquidity-out": ["approver"],
  "window-default": ["approver"],
  "settlement-abort": ["approver"],
};

export type DeskAnswer = { readonly status: number; readonly body: Record<string, unknown> };

export type DeskDeps = {
  readonly sql: Sql;
  readonly lane: number;
  readonly origin: string;
  readonly books: () => AuditState | undefined;
  readonly keys: () => KeyState | undefined;
  readonly send: (topic: string, value: string) => Promise<void>;
  /** A bank's statement, well signed, that was refused for what its lines say. */
  readonly onRefusedLines?:
    | ((statement: BankStatement, why: SettlementFault) => Promise<void>)
    | undefined;
  /** What was committed is in the journal when it returns. */
  readonly kept?: (() => Promise<void>) | undefined;
  readonly clock: () => number;
};

export type HandIn = {
  readonly principal: string;
  readonly role: Role;
  readonly idempotencyKey: string;
  readonly note: string;
  /** Of a bank's statement: the parts that follow. */
  readonly more?: readonly string[] | undefined;
  /** Of a bank's statement: the camt file that the bank has signed for. */
  readonly file?: Uint8Array | undefined;
};

type Judged = {
  readonly kind: string;
  readonly subject: string;
  readonly fault?: SettlementFault;
  /** Of a bank, whole. */
  readonly statement?: BankStatement;
};

const fault = (code: string, detail: string): SettlementFault => ({ code, detail });

const lackOperators = (keys: KeyState, note: Note, needed: number) => {
  const count = keys.operatorKeys.filter((key) => signedBy(note, key)).length;
  return count >= needed
    ? undefined
    : fault("signature-missing", `needs ${needed} operators, has ${count}`);
};

type Judging = {
  state: AuditState;
  keys: KeyState;
  given: Pick<HandIn, "note" | "more">;
  note: Note;
  origin: string;
  timeMs: number;
};

const judgeCut = ({ state, keys, note, origin, timeMs }: Judging, body: WindowCut) => {
  const scheduler = keys.corridors.get(body.corridor)?.schedulerKey;
  const signers = {
    operators: keys.operatorKeys.filter((key) => signedBy(note, key)).length,
    scheduler: scheduler !== undefined && signedBy(note, scheduler),
  };
  return cutFault(state.settlement, body, { origin, keys, seq: state.next, timeMs }, signers);
};

/** Judged by the books of now; the lane judges again, and its word counts. */
const judge = (judging: Judging): Judged => {
  const { state, keys, given, note, origin, timeMs } = judging;
  const kind = headerOf(note.text)?.kind ?? "";
  const beside = given.more !== undefined && kind !== "bank-statement";
  if (beside) return { kind, subject: "", fault: noStatement };
  const read = <T>(schema: Parameters<typeof readStatement<T>>[2]): T | SettlementFault => {
    const found = readStatement(note, kind, schema);
    if (!found.ok) return fault(found.code, found.detail);
    if (found.statement.origin === origin) return found.statement.body;
    return fault("wrong-log", `signed for ${found.statement.origin}, this is ${origin}`);
  };
  const answer = <T extends object>(
    body: T | SettlementFault,
    subject: (body: T) => string,
    why: (body: T) => SettlementFault | undefined,
  ): Judged => {
    if ("code" in body && "detail" in body) return { kind, subject: "", fault: body };
    const found = why(body);
    return { kind, subject: subject(body), ...(found === undefined ? {} : { fault: found }) };
  };
  const { settlement, balances } = state;
  const two = (): SettlementFault | undefined => lackOperators(keys, note, settlementOperators);
  switch (kind) {
    case "window-cut":
      return answer(read(windowCutSchema), windowKey, (body) => judgeCut(judging, body));
    case "bank-statement": {
      const said = readBankStatement([given.note, ...(given.more ?? [])], { keys, origin });
      if (!said.ok) return { kind, subject: "", fault: said };
      const { statement } = said;
      const subject = `${statement.bank} ${statement.reference}`;
      const found = bankStatementNow(state, keys, said);
      return { kind, subject, statement, ...(found === undefined ? {} : { fault: found }) };
    }
    case "advance":
      return answer(
        read(advanceSchema),
        ({ id }) => id,
        () => two(),
      );
    case "liquidity-out":
      return answer(
        read(liquidityOutSchema),
        ({ id }) => id,
        (body) => {
          const at = { ...contextNow(state, keys), origin, timeMs };
          return two() ?? liquidityOutFault(settlement, at, body, noteHash(note.text));
        },
      );
    case "window-default":
      return answer(
        read(windowDefaultSchema),
        (body) => `${windowKey(body)} ${body.participant}`,
        (body) => two() ?? defaultFault(settlement, body, { keys, balances, timeMs }),
      );
    case "settlement-abort":
      return answer(
        read(settlementAbortSchema),
        windowKey,
        (body) => two() ?? abortFault(settlement, body),
      );
    default:
      return { kind, subject: "", fault: fault("statement-kind", `no desk takes a ${kind}`) };
  }
};

/** The same once more: accepted, since it says what was said. */
const harmless: ReadonlySet<string> = new Set(["window-closed", "statement-repeated"]);

/** A bank's statement is refused for one of its lines: they are somebody's to clear up. */
const aboutLines: ReadonlySet<string> = new Set([
  "amount-decimals",
  "account-unknown",
  "line-twice",
  "line-unexpected",
  "account-missing",
  "sum-not-zero",
  "amount-mismatch",
  "advance-mismatch",
  "line-reversed",
  "withdrawal-uncovered",
  "window-settled",
  "settlement-aborted",
]);

const refusal = (status: number, { code, detail }: SettlementFault): DeskAnswer => ({
  status,
  body: { code, detail },
});

/** A file that is not the signed one comes before all that its lines may be about. */
const besideFile = async (judged: Judged, { file, role }: HandIn): Promise<Judged> => {
  if (file === undefined || mayHandIn[judged.kind]?.includes(role) === false) return judged;
  if (judged.statement === undefined) {
    return judged.fault === undefined ? { ...judged, fault: noStatement } : judged;
  }
  const found = await bankFileFault(file, judged.statement);
  return found === undefined ? judged : { ...judged, fault: found };
};

const hashOf = ({ note, more = [], file }: HandIn): string => {
  if (more.length === 0 && file === undefined) return noteHash(note);
  return noteHash(JSON.stringify([note, ...more, file === undefined ? "" : digestOf(file)]));
};

export const makeDesk = (deps: DeskDeps) => {
  const { sql, lane, origin, clock } = deps;
  const files = makeBankFiles(sql);

  type Stored = { hash: string; status: number; answer: string };
  const known = async ({ principal, idempotencyKey }: HandIn): Promise<Stored | undefined> => {
    const { rows } = await sql.query<Stored>({
      name: "action-read",
      text: "select hash, status, answer from action where principal = $1 and idempotency_key = $2",
      values: [principal, idempotencyKey],
    });
    return rows[0];
  };

  const keep = async (given: HandIn, judged: Judged, hash: string, answer: DeskAnswer) => {
    await sql.query({
      name: "action-write",
      text: `insert into action (principal, idempotency_key, at_ms, kind, subject, hash, status, answer)
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
      values: [
        given.principal,
        given.idempotencyKey,
        clock(),
        judged.kind,
        judged.subject,
        hash,
        answer.status,
        JSON.stringify(answer.body),
      ],
    });
  };

  const decide = async (given: HandIn, judged: Judged): Promise<DeskAnswer> => {
    const { kind, subject, fault: why } = judged;
    const roles = mayHandIn[kind];
    if (roles !== undefined && !roles.includes(given.role)) {
      return refusal(403, fault("not-allowed", `a ${given.role} may not hand in a ${kind}`));
    }
    if (why !== undefined && !harmless.has(why.code)) return refusal(422, why);
    if (why !== undefined) return { status: 200, body: { kind, subject, already: true } };
    const { principal, note, more, file } = given;
    if (file !== undefined) {
      await files.keep(principal, clock(), file);
      await deps.kept?.();
    }
    await deps.send(laneTopic(lane), JSON.stringify({ v: 1, kind, note, more }));
    return { status: 202, body: { kind, subject } };
  };

  /** Hands a signed note in. An answer 202 says that the lane has it, not how it decides. */
  const handIn = async (given: HandIn): Promise<DeskAnswer> => {
    const hash = hashOf(given);
    const before = await known(given);
    if (before !== undefined && before.hash !== hash) {
      return refusal(422, fault("key-reused", "another note was handed in under this key"));
    }
    if (before !== undefined) {
      return { status: before.status, body: JSON.parse(before.answer) as DeskAnswer["body"] };
    }
    const state = deps.books();
    const keys = deps.keys();
    const read = readNote(given.note);
    if (!read.ok) return refusal(400, fault(read.code, read.detail));
    if (state === undefined || keys === undefined) {
      return refusal(503, fault("no-books", "the books are not read yet"));
    }
    const timeMs = Math.max(state.logTimeMs, clock());
    const judged = await besideFile(
      judge({ state, keys, given, note: read.note, origin, timeMs }),
      given,
    );
    const answer = await decide(given, judged);
    const { statement, fault: why } = judged;
    const refused = answer.status === 422 && why !== undefined && aboutLines.has(why.code);
    if (statement !== undefined && refused) await deps.onRefusedLines?.(statement, why);
    await keep(given, judged, hash, answer);
    await deps.kept?.();
    return answer;
  };

  /** Who did what, the newest first. @param before the last of the page before */
  const trail = async (before: TimeCursor | undefined, limit: number) => {
    type Action = {
      principal: string;
      idempotency_key: string;
      at_ms: bigint;
      kind: string;
      subject: string;
      hash: string;
      status: number;
      answer: string;
    };
    const { rows } = await sql.query<Action>({
      name: "action-list",
      text: `select principal, idempotency_key, at_ms, kind, subject, hash, status, answer
        from action
        where $1::int8 is null or (at_ms, principal, idempotency_key) < ($1, $2::text, $3::text)
        order by at_ms desc, principal desc, idempotency_key desc limit $4`,
      values: [...(before ?? [null, null, null]), limit],
    });
    return rows;
  };

  return { handIn, trail };
};

export type Desk = ReturnType<typeof makeDesk>;
