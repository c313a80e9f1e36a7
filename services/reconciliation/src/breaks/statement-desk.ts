// Where providers' statements and banks' refused lines come in: under the lock, once for one key, with a
// row in the trail of who did what.
import { providerStatementSchema, slotOf, type ProviderStatement } from "@sealane/protocol";
import type { BankStatement } from "@sealane/protocol";
import {
  minorOf,
  unmatchedBankLines,
  type AuditState,
  type Finding,
  type KeyState,
  type Tolerance,
} from "@sealane/rules";
import type { DeskAnswer } from "../desk.ts";
import { hashOf, keepAnswer, keptAnswer } from "./break-desk.ts";
import { writeCases } from "./case-writer.ts";
import { followOnce } from "./follow.ts";
import type { OneAtATime } from "./one-at-a-time.ts";
import { takeStatement, type TakeDeps } from "./take-statement.ts";

export { providerStatementSchema };

export type StatementDeskDeps = {
  readonly one: OneAtATime;
  readonly origin: string;
  readonly keys: () => KeyState | undefined;
  readonly books: () => AuditState | undefined;
  readonly tolerance: Tolerance;
};

export type StatementGiven = {
  readonly principal: string;
  readonly idempotencyKey: string;
  readonly statement: ProviderStatement;
};

export type StatementDesk = ReturnType<typeof makeStatementDesk>;

export const makeStatementDesk = (deps: StatementDeskDeps) => {
  const { one, origin, tolerance } = deps;

  const takingWith = (keys: KeyState): TakeDeps => ({
    tolerance,
    isParticipant: (name) => keys.participants.has(name),
    isOurs: (transferId) => {
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
      const taken = await takeStatement(under, { statement, hash, principal }, takingWith(keys));
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
    while (await one((under) => followOnce(under, tolerance)));
  };

  /** A bank's statement was refused: each of its lines that nothing answers to becomes a break. */
  const refusedBankStatement = async (statement: BankStatement): Promise<void> => {
    const keys = deps.keys();
    const books = deps.books();
    if (keys === undefined || books === undefined) return;
    const { bank, reference, lines } = statement;
    const unmatched = unmatchedBankLines(books.settlement, keys, statement);
    const findings = unmatched.map(({ line, detail }): Finding => {
      const { side, currency, account, amount, status } = line;
      const decimals = detail.startsWith(`${amount} has not`);
      return {
        kind: "unmatched-bank-line",
        between: "log-bank",
        subject: `line ${lines.indexOf(line)} ${line.reference} ${side} ${account}`,
        side,
        currency,
        ...(decimals ? {} : { foundMinor: minorOf(amount, currency) }),
        detail: `${status} ${amount} ${currency}: ${detail}`,
      };
    });
    const matter = `bank ${reference}`;
    await one((under) =>
      writeCases(under, [{ participant: bank, matter, transferId: undefined, findings }]),
    );
  };

  return { take, follow, refusedBankStatement };
};
