// Where providers' statements and banks' refused lines come in: under the lock, once for one key, with a
// row in the trail of who did what.
import { providerStatementSchema, slotOf, type ProviderStatement } from "@sealane/protocol";
import type { BankStatement } from "@sealane/protocol";
import {
  isAmount,
  minorOf,
  refusedBankLines,
  type AuditState,
  type EarlierStatement,
  type Finding,
  type KeyState,
  type RefusedLine,
  type SettlementFault,
  type Tolerance,
} from "@sealane/rules";
import type { DeskAnswer } from "../desk.ts";
import { hashOf, keepAnswer, keptAnswer } from "./break-desk.ts";
import { writeCases } from "./case-writer.ts";
import { followOnce } from "./follow.ts";
import type { OneAtATime, Under } from "./one-at-a-time.ts";
import { takeStatement, type TakeDeps } from "./take-statement.ts";

export { providerStatementSchema };

export type StatementDeskDeps = {
  readonly one: OneAtATime;
  readonly origin: string;
  readonly keys: () => KeyState | undefined;
  readonly books: () => AuditState | undefined;
  readonly tolerance: Tolerance;
  /** What banks have said of a window before, and the lane has taken. */
  readonly earlier: (
    window: NonNullable<BankStatement["window"]>,
  ) => Promise<readonly (EarlierStatement & { readonly attempt: number })[]>;
};

export type StatementGiven = {
  readonly principal: string;
  readonly idempotencyKey: string;
  readonly statement: ProviderStatement;
};

export type StatementDesk = ReturnType<typeof makeStatementDesk>;

const lineFinding = ({ lines }: BankStatement, { line, kind, detail }: RefusedLine): Finding => {
  const { side, currency, account, amount, status } = line;
  return {
    kind,
    between: "log-bank",
    subject: `line ${lines.indexOf(line)} ${line.reference} ${side} ${account}`,
    side,
    currency,
    ...(isAmount(amount, currency) ? { foundMinor: minorOf(amount, currency) } : {}),
    detail: `${status} ${amount} ${currency}: ${detail}`,
  };
};

/** Where all of a statement was booked before, the statement is the duplicate, not each of its lines. */
const repeated = (
  { lines, reference }: BankStatement,
  refused: readonly RefusedLine[],
): Finding[] | undefined => {
  const [first] = refused;
  const all = refused.length === lines.length && refused.every(({ kind }) => kind === "duplicate");
  if (first === undefined || !all) return undefined;
  const { side, currency } = first.line;
  const detail = `${reference} says again what was booked: ${lines.length} lines, ${first.detail}`;
  return [{ kind: "duplicate", between: "log-bank", subject: "statement", side, currency, detail }];
};

/** Each line has its counterpart, and yet they cannot stand together: one is missing, or not covered. */
const whole = ({ lines, reference }: BankStatement, { code, detail }: SettlementFault): Finding => {
  const { side = "credit", currency = "" } = lines[0] ?? {};
  return {
    kind: "unmatched-bank-line",
    between: "log-bank",
    subject: "statement",
    side,
    currency,
    detail: `${reference} was refused: ${code}, ${detail}`,
  };
};

/** The lane that is asked, and in which lane each transfer ended. */
type Decided = { readonly lane: number; readonly lanes: ReadonlyMap<string, number> };

/** Once slots have moved, a transfer's is no longer told by its id: the books of all lanes know. */
const decidedIn = async (
  { sql, lane }: Under,
  { lines }: ProviderStatement,
  { laneRecords }: KeyState,
): Promise<Decided> => {
  if (laneRecords.length < 2) return { lane, lanes: new Map() };
  const ids = lines.flatMap(({ transfer }) => transfer ?? []);
  const { rows } = await sql.query<{ ended_id: string; lane: number }>({
    name: "statement-lanes",
    text: "select ended_id, lane from entry where ended_id = any($1::uuid[])",
    values: [ids],
  });
  return { lane, lanes: new Map(rows.map((row) => [row.ended_id, row.lane])) };
};

export const makeStatementDesk = (deps: StatementDeskDeps) => {
  const { one, origin, tolerance } = deps;

  const takingWith = (keys: KeyState, decided: Decided): TakeDeps => ({
    tolerance,
    isParticipant: (name) => keys.participants.has(name),
    isOurs: (transferId) => {
      const by = decided.lanes.get(transferId);
      if (by !== undefined) return by === decided.lane;
      const slot = slotOf(transferId);
      const lanes = keys.lanes?.lanes ?? [];
      const lane = lanes.find(({ slots }) =>
        slots.some(({ from, to }) => from <= slot && slot < to),
      );
      // An id that no lane decides on is nobody else's either: it is missing here.
      return lane === undefined || lane.origin === origin;
    },
  });

  /** Takes a provider's statement, and compares at once all that it covers. */
  const take = async (given: StatementGiven): Promise<DeskAnswer> => {
    const keys = deps.keys();
    if (keys === undefined) {
      const detail = "the key log is not read yet";
      return { status: 503, body: { code: "no-books", detail } };
    }
    const { principal, idempotencyKey: key, statement } = given;
    const hash = hashOf(statement);
    const answer = await one(async (under): Promise<DeskAnswer> => {
      const before = await keptAnswer(under.sql, principal, key, hash);
      if (before !== undefined) return before;
      const deciding = takingWith(keys, await decidedIn(under, statement, keys));
      const taken = await takeStatement(under, { statement, hash, principal }, deciding);
      const told: DeskAnswer = taken.ok
        ? {
            status: taken.already ? 200 : 201,
            body: {
              participant: statement.participant,
              reference: statement.reference,
              already: taken.already,
              newLines: taken.lines,
              asOf: taken.position,
              coveredUntil: new Date(taken.coveredUntilMs).toISOString(),
            },
          }
        : { status: taken.status, body: { code: taken.code, detail: taken.detail } };
      // What may be right a moment later is not kept.
      if (told.status === 503) return told;
      const subject = `${statement.participant} ${statement.reference}`;
      const action = { principal, key, hash, kind: "provider-statement", subject };
      await keepAnswer(under, action, told);
      return told;
    });
    if (answer.status < 300) await follow();
    return answer;
  };

  /** Goes on with all that is new on either side. */
  const follow = async (): Promise<void> => {
    while (await one((under) => followOnce(under, tolerance, origin)));
  };

  /**
   * A bank's statement was refused: each of its lines that nothing answers to becomes a break; one that
   * says again what was booked before is one break, whole.
   */
  const refusedBankStatement = async (
    statement: BankStatement,
    why: SettlementFault,
  ): Promise<void> => {
    const keys = deps.keys();
    const books = deps.books();
    if (keys === undefined || books === undefined) return;
    const { bank, reference, window } = statement;
    const said = window === undefined ? [] : await deps.earlier(window);
    const earlier = said.filter(({ attempt }) => attempt === window?.attempt);
    const refused = refusedBankLines(books.settlement, keys, statement, earlier);
    const lines = refused.map((line) => lineFinding(statement, line));
    const findings =
      repeated(statement, refused) ?? (lines.length > 0 ? lines : [whole(statement, why)]);
    const matter = `bank ${reference}`;
    await one((under) =>
      writeCases(under, [{ participant: bank, matter, transferId: undefined, findings }]),
    );
  };

  return { take, follow, refusedBankStatement };
};
