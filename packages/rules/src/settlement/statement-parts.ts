// A bank's statement that is longer than an entry comes in parts. Each names its place, how many there
// are, and the hash of the one before, so that the last binds all of them. They stand in the log one
// behind the other; nothing is decided before the last, and then by all lines at once.
import { mostStatementParts, noteHash, type BankStatement } from "@sealane/protocol";
import type { SettlementState } from "./state.ts";
import { settlementFault, type SettlementFault } from "./windows.ts";

/** Parts that were read so far: the statement with their lines, and what comes next. */
export type PartialStatement = {
  readonly statement: BankStatement;
  /** Parts so far. */
  readonly taken: number;
  readonly of: number;
  /** Hash of the last one's text. */
  readonly prev: string;
};

export type WholeStatement = {
  readonly statement: BankStatement;
  /** Of the last part's text, which names all parts before it. */
  readonly hash: string;
};

type Step =
  | { readonly ok: true; readonly partial: PartialStatement }
  | ({ readonly ok: false } & SettlementFault);

const no = (detail: string): Step => ({ ok: false, ...settlementFault("part-mismatch", detail) });

const aboutOf = ({ bank, reference, digest, window }: BankStatement): string =>
  JSON.stringify([bank, reference, digest, window?.corridor, window?.number, window?.attempt]);

/** Adds one part. @param text of its note, without signatures */
export const addPart = (
  before: PartialStatement | undefined,
  body: BankStatement,
  text: string,
): Step => {
  const { part, ...statement } = body;
  const number = part?.number ?? 1;
  const of = part?.of ?? 1;
  const next = (before?.taken ?? 0) + 1;
  if (number !== next || of < number || of > mostStatementParts) {
    return no(`part ${number} of ${of}, where part ${next} belongs`);
  }
  if (part?.prev !== before?.prev) return no(`part ${number} names another part before it`);
  const prev = noteHash(text);
  if (before === undefined) return { ok: true, partial: { statement, taken: 1, of, prev } };
  if (of !== before.of || aboutOf(body) !== aboutOf(before.statement)) {
    return no(`part ${number} is of another statement`);
  }
  const lines = [...before.statement.lines, ...body.lines];
  const whole = { ...before.statement, lines };
  return { ok: true, partial: { statement: whole, taken: number, of, prev } };
};

export const isWhole = ({ taken, of }: PartialStatement): boolean => taken === of;

/** Puts parts that came together into one statement, or says why they are none. */
export const joinParts = (
  parts: readonly { readonly body: BankStatement; readonly text: string }[],
): ({ readonly ok: true } & WholeStatement) | ({ readonly ok: false } & SettlementFault) => {
  let partial: PartialStatement | undefined;
  for (const { body, text } of parts) {
    const step: Step = addPart(partial, body, text);
    if (!step.ok) return step;
    partial = step.partial;
  }
  if (partial !== undefined && isWhole(partial)) {
    return { ok: true, statement: partial.statement, hash: partial.prev };
  }
  const detail = `${partial?.taken ?? 0} parts of ${partial?.of ?? 0}`;
  return { ok: false, ...settlementFault("part-missing", detail) };
};

/** Whether the log is in the middle of a statement: only its next part may follow. */
export const partFault = (state: SettlementState): SettlementFault | undefined => {
  if (state.partial === undefined) return undefined;
  const { taken, of, statement } = state.partial;
  return settlementFault("part-missing", `${statement.reference} has part ${taken} of ${of}`);
};
