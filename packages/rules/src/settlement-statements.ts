// Statements about settlement, as the lane decides on them: a cut, a bank's statement, a default, an
// abort. What follows from a cause is appended right behind it in the same batch, so that no crash can
// come between them, and what is half done never shows.
import { formatTime, noteHash, statementText, type DerivedStatement } from "@sealane/protocol";
import { append, tell } from "./batch-outcome.ts";
import type {
  AdjustmentCommand,
  BankStatementCommand,
  LiquidityInCommand,
  LiquidityOutCommand,
  SettlementAbortCommand,
  SettlementCommand,
  WindowCutCommand,
  WindowDefaultCommand,
} from "./commands.ts";
import { linesOf, statementFault, type BatchContext } from "./intent.ts";
import type { KeyState } from "./key-state.ts";
import { composeNote } from "./note-text.ts";
import { applyPostings, standingOf } from "./positions.ts";
import { hasInbox } from "./provider-statements.ts";
import {
  abortFault,
  adjustmentFault,
  adjustmentPostings,
  applyAbort,
  applyAdjustment,
  applyDefault,
  applyLiquidityIn,
  applyLiquidityOut,
  bankStatementFault,
  cutFault,
  cutWindow,
  defaultFault,
  defaultPostings,
  derivedPostings,
  joinParts,
  liquidityInFault,
  liquidityInPostings,
  liquidityOutFault,
  liquidityOutPostings,
  takeBankStatement,
  type SettlementFault,
  type StatementContext,
} from "./settlement/index.ts";

/** How many operators must sign what moves money without a bank. */
export const settlementOperators = 2;

/** The same once more: it says nothing new, and harms nobody. */
const harmless: ReadonlySet<string> = new Set(["window-closed", "statement-repeated"]);

const refuse = (
  context: BatchContext,
  { offset }: { readonly offset: bigint },
  { code, detail }: SettlementFault,
): void => {
  if (!harmless.has(code)) context.outcome.deadLetters.push({ offset, code, detail });
};

/** Whose chain a derived entry joins: the operator itself, who earns fees, has none. */
export const derivedParticipants = (keys: KeyState, participant: string): string[] => {
  const record = keys.participants.get(participant);
  return record !== undefined && hasInbox(record) ? [participant] : [];
};

const record = (
  context: BatchContext,
  command: SettlementCommand,
  lines: readonly string[],
  participants: readonly string[] = [],
  postings: ReturnType<typeof defaultPostings> = [],
) => {
  const entry = append(context.state, context.outcome, {
    keys: context.cited,
    time: formatTime(context.timeMs),
    result: "recorded",
    participants,
    postings,
    inner: composeNote(command.text, lines),
    trace: command.trace,
  });
  for (const to of participants) tell(context.outcome, to, { type: "entry", seq: entry.seq });
  return entry;
};

const appendDerived = (context: BatchContext, derived: readonly DerivedStatement[]): void => {
  const { state, outcome, keys } = context;
  for (const one of derived) {
    const postings = derivedPostings(keys.ledger?.operator ?? "", one);
    applyPostings(state.balances, postings, "post");
    const participants = derivedParticipants(keys, one.body.participant);
    const entry = append(state, outcome, {
      keys: context.cited,
      time: formatTime(context.timeMs),
      result: "recorded",
      participants,
      postings,
      inner: statementText(state.origin, one.kind, one.body),
      ownInner: true,
    });
    for (const to of participants) tell(outcome, to, { type: "entry", seq: entry.seq });
  }
};

const goodLines = ({ lines }: SettlementCommand): string[] =>
  lines.filter(({ good }) => good).map(({ line }) => line);

const decideCut = (context: BatchContext, command: WindowCutCommand): void => {
  const { state, keys, timeMs } = context;
  const { body, operators, schedulers } = command;
  const scheduler = keys.corridors.get(body.corridor)?.schedulerKey?.name;
  const signers = {
    operators: operators.length,
    scheduler: scheduler !== undefined && schedulers.includes(scheduler),
  };
  const at = { origin: state.origin, keys, seq: state.size, timeMs };
  const fault = cutFault(state.settlement, body, at, signers);
  if (fault !== undefined) return refuse(context, command, fault);
  record(context, command, goodLines(command));
  return appendDerived(context, cutWindow(state.settlement, body, at));
};

const statementContext = ({ state, keys }: BatchContext): StatementContext => {
  const { balances, settlement } = state;
  return {
    keys,
    balances,
    mayLeave: (name, currency) => {
      const participant = keys.participants.get(name);
      if (participant === undefined) return 0n;
      return standingOf(balances, participant, currency, settlement).headroom;
    },
  };
};

const decideBankStatement = (context: BatchContext, command: BankStatementCommand): void => {
  const parts = [command, ...(command.more ?? [])];
  const lines: string[][] = [];
  for (const part of parts) {
    const signed = linesOf(part.lines, part.body.bank, "bank-statement");
    const other =
      part.origin === command.origin
        ? undefined
        : { code: "wrong-log", detail: `a part is signed for ${part.origin}` };
    const bad = signed.ok ? (other ?? statementFault({ ...part, kind: command.kind })) : signed;
    if (bad !== undefined) return refuse(context, command, bad);
    lines.push(signed.ok ? signed.lines.map(({ line }) => line) : []);
  }
  const whole = joinParts(parts);
  if (!whole.ok) return refuse(context, command, whole);
  const { statement, hash } = whole;
  const { settlement } = context.state;
  const seen = statementContext(context);
  const fault = bankStatementFault(settlement, seen, statement, hash);
  if (fault !== undefined) return refuse(context, command, fault);
  for (const [at, { text }] of parts.entries()) {
    record(context, { ...command, text }, lines[at] ?? []);
  }
  const seq = context.state.size - 1;
  return appendDerived(context, takeBankStatement(settlement, seen, statement, { hash, seq }));
};

type TwoSign = "window-default" | "settlement-abort" | "adjustment" | "liquidity-out";

const signedByTwo = ({ operators }: Extract<SettlementCommand, { kind: TwoSign }>) =>
  operators.length >= settlementOperators
    ? undefined
    : { code: "signature-missing", detail: "two operators must sign" };

const decideDefault = (context: BatchContext, command: WindowDefaultCommand): void => {
  const { state, keys, timeMs } = context;
  const { body } = command;
  const { settlement, balances } = state;
  const fault = signedByTwo(command) ?? defaultFault(settlement, body, { keys, balances, timeMs });
  if (fault !== undefined) return refuse(context, command, fault);
  const postings = defaultPostings(keys.ledger?.operator ?? "", body);
  applyPostings(balances, postings, "post");
  applyDefault(settlement, body);
  const participants = derivedParticipants(keys, body.participant);
  record(context, command, goodLines(command), participants, postings);
  return undefined;
};

const decideAbort = (context: BatchContext, command: SettlementAbortCommand): void => {
  const { state } = context;
  const fault = signedByTwo(command) ?? abortFault(state.settlement, command.body);
  if (fault !== undefined) return refuse(context, command, fault);
  record(context, command, goodLines(command));
  return applyAbort(state.settlement, command.body, state.origin);
};

const decideAdjustment = (context: BatchContext, command: AdjustmentCommand): void => {
  const { state, keys } = context;
  const { body, text } = command;
  const hash = noteHash(text);
  const fault =
    signedByTwo(command) ??
    adjustmentFault(state.settlement, statementContext(context), body, hash);
  if (fault !== undefined) return refuse(context, command, fault);
  const postings = adjustmentPostings(keys.ledger?.operator ?? "", body);
  applyPostings(state.balances, postings, "post");
  applyAdjustment(state.settlement, body, hash);
  const participants = derivedParticipants(keys, body.participant);
  record(context, command, goodLines(command), participants, postings);
  return undefined;
};

const decideLiquidityOut = (context: BatchContext, command: LiquidityOutCommand): void => {
  const { state, keys, timeMs } = context;
  const { body, text } = command;
  const { settlement, origin } = state;
  const hash = noteHash(text);
  const at = { ...statementContext(context), origin, timeMs };
  const fault = signedByTwo(command) ?? liquidityOutFault(settlement, at, body, hash);
  if (fault !== undefined) return refuse(context, command, fault);
  const postings = liquidityOutPostings(body);
  applyPostings(state.balances, postings, "post");
  const participants = derivedParticipants(keys, body.participant);
  const { seq } = record(context, command, goodLines(command), participants, postings);
  return applyLiquidityOut(settlement, body, { seq, hash });
};

/** Takes in what another lane has let go; the entry is the ledger's own, around the other lane's. */
export const decideLiquidityIn = (context: BatchContext, command: LiquidityInCommand): void => {
  const { state, keys, outcome } = context;
  const { body, letGo, entry } = command;
  const fault = liquidityInFault(state.settlement, state, letGo);
  if (fault !== undefined) return refuse(context, command, fault);
  const postings = liquidityInPostings(letGo.body);
  applyPostings(state.balances, postings, "post");
  const participants = derivedParticipants(keys, letGo.body.participant);
  const { seq } = append(state, outcome, {
    keys: context.cited,
    time: formatTime(context.timeMs),
    result: "recorded",
    participants,
    postings,
    inner: statementText(state.origin, command.kind, body, entry),
    ownInner: true,
    trace: command.trace,
  });
  for (const to of participants) tell(outcome, to, { type: "entry", seq });
  return applyLiquidityIn(state.settlement, letGo, seq);
};

/** Decides one statement about settlement: refused with a reason, or logged with all that follows. */
export const decideSettlement = (context: BatchContext, command: SettlementCommand): void => {
  const { origin } = context.state;
  if (command.origin !== origin) {
    const detail = `signed for ${command.origin}, this is ${origin}`;
    return refuse(context, command, { code: "wrong-log", detail });
  }
  switch (command.kind) {
    case "window-cut":
      return decideCut(context, command);
    case "bank-statement":
      return decideBankStatement(context, command);
    case "window-default":
      return decideDefault(context, command);
    case "settlement-abort":
      return decideAbort(context, command);
    case "liquidity-out":
      return decideLiquidityOut(context, command);
    case "adjustment":
      return decideAdjustment(context, command);
    default:
      return command satisfies never;
  }
};
