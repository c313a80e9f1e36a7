// Statements that are entries of their own: rate sheets and withdrawals by liquidity providers,
// credits by payees' providers, advances by two operators.
import { parseCurrency, parseRate } from "@sealane/money";
import { formatTime, parseTime, type RateSheet } from "@sealane/protocol";
import { append, remember, tell } from "./batch-outcome.ts";
import type {
  AdvanceCommand,
  CreditedCommand,
  RateSheetCommand,
  RateWithdrawalCommand,
  StatementCommand,
} from "./commands.ts";
import { linesOf, type BatchContext } from "./intent.ts";
import type { Participant } from "./key-state.ts";
import { sheetKey, type SheetState } from "./lane-state.ts";
import { composeNote } from "./note-text.ts";
import { applyPostings, isAmount, minorOf } from "./positions.ts";
import { advancePostings } from "./postings.ts";

/** A higher number ends the lower after this much log time. */
export const sheetOverlapMs = 2_000;
const maxSheetLifeMs = 24 * 3_600_000;

type Statement = {
  readonly offset: bigint;
  readonly origin: string;
  readonly text: string;
  readonly trace?: string | undefined;
};

const deadLetter = (
  context: BatchContext,
  { offset }: Statement,
  code: string,
  detail: string,
): void => {
  context.outcome.deadLetters.push({ offset, code, detail });
};

const record = (
  context: BatchContext,
  { text, trace }: Statement,
  lines: readonly string[],
  participants: readonly string[],
  postings: ReturnType<typeof advancePostings> = [],
) =>
  append(context.state, context.outcome, {
    keys: context.cited,
    time: formatTime(context.timeMs),
    result: "recorded",
    participants,
    postings,
    inner: composeNote(text, lines),
    trace,
  });

/** A settlement bank only sends: it has no inbox and no chain. */
export const hasInbox = ({ roles }: Pick<Participant, "roles">): boolean =>
  roles.some((role) => role !== "settlement-bank");

const sheetFault = (context: BatchContext, sheet: RateSheet): string | undefined => {
  const from = parseTime(sheet.from);
  const honour = parseTime(sheet.honourUntil);
  const quote = parseTime(sheet.quoteUntil);
  if (parseRate(sheet.rate) === undefined) return "the rate is not a positive decimal";
  if (parseRate(sheet.reference.rate) === undefined) return "the reference rate is not positive";
  const { from: send, to: receive } = sheet.pair;
  if (send === receive) return "a pair has two currencies";
  if (parseCurrency(send) === undefined || parseCurrency(receive) === undefined) {
    return "the pair names a currency that ISO 4217 does not have";
  }
  if (!isAmount(sheet.maxTransfer, send) || !isAmount(sheet.totalPerLane, send)) {
    return `a limit is not an amount in ${send}`;
  }
  const owner = context.keys.participants.get(sheet.provider);
  if (owner === undefined || !owner.roles.includes("liquidity-provider")) return "not a provider";
  if (owner.suspended) return `${sheet.provider} is suspended`;
  if (!owner.currencies.includes(send) || !owner.currencies.includes(receive)) {
    return `${sheet.provider} does not serve ${send}/${receive}`;
  }
  if (!(from <= quote && quote <= honour)) return "from <= quoteUntil <= honourUntil";
  if (honour - from > maxSheetLifeMs) return "honoured for more than a day";
  if (context.timeMs >= quote) return "it was over when it arrived";
  const current = context.state.sheets.get(sheetKey(sheet.provider, sheet.pair))?.[0];
  if (current !== undefined && sheet.number <= current.sheet.number) {
    return `number ${sheet.number} is not above ${current.sheet.number}`;
  }
  return undefined;
};

/** @param hash SHA-256 of the sheet's note, base64: what terms cite */
export const decideRateSheet = (
  context: BatchContext,
  command: RateSheetCommand,
  hash: (note: string) => string,
): void => {
  const { state, timeMs, outcome, keys } = context;
  const sheet = command.body;
  const signed = linesOf(command.lines, sheet.provider, "rate-sheet");
  if (!signed.ok) return deadLetter(context, command, signed.code, signed.detail);
  if (command.origin !== state.origin)
    return deadLetter(context, command, "wrong-log", command.origin);
  const fault = sheetFault(context, sheet);
  if (fault !== undefined) return deadLetter(context, command, "sheet-refused", fault);
  const lines = signed.lines.map(({ line }) => line);
  const entry = record(context, command, lines, [sheet.provider]);
  const key = sheetKey(sheet.provider, sheet.pair);
  const previous = state.sheets.get(key)?.[0];
  if (previous !== undefined) previous.endsAtMs ??= timeMs + sheetOverlapMs;
  const fresh: SheetState = {
    sheet,
    hash: hash(composeNote(command.text, lines)),
    seq: entry.seq,
    endsAtMs: undefined,
    withdrawn: false,
    usedMinor: 0n,
  };
  state.sheets.set(key, previous === undefined ? [fresh] : [fresh, previous]);
  outcome.sheets.push(fresh, ...(previous === undefined ? [] : [previous]));
  for (const participant of keys.participants.values()) {
    if (participant.roles.includes("wallet") || participant.participant === sheet.provider) {
      tell(outcome, participant.participant, { type: "entry", seq: entry.seq });
    }
  }
};

export const decideRateWithdrawal = (
  context: BatchContext,
  command: RateWithdrawalCommand,
): void => {
  const { state, outcome, keys } = context;
  const { provider, pair, number } = command.body;
  const signed = linesOf(command.lines, provider, "rate-sheet");
  if (!signed.ok) return deadLetter(context, command, signed.code, signed.detail);
  if (command.origin !== state.origin)
    return deadLetter(context, command, "wrong-log", command.origin);
  const found = state.sheets
    .get(sheetKey(provider, pair))
    ?.find(({ sheet }) => sheet.number === number);
  if (found === undefined || found.withdrawn) {
    return deadLetter(context, command, "sheet-unknown", `${provider} ${number}`);
  }
  found.withdrawn = true;
  outcome.sheets.push(found);
  const lines = signed.lines.map(({ line }) => line);
  const entry = record(context, command, lines, [provider]);
  for (const participant of keys.participants.values()) {
    if (!hasInbox(participant)) continue;
    tell(outcome, participant.participant, { type: "entry", seq: entry.seq });
  }
};

/** "Credited up to n of my chain, except …": one entry for many transfers, told to their payers. */
export const decideCredited = (context: BatchContext, command: CreditedCommand): void => {
  const { state, outcome } = context;
  const { participant, upTo } = command.body;
  const signed = linesOf(command.lines, participant, "transfer");
  if (!signed.ok) return deadLetter(context, command, signed.code, signed.detail);
  if (command.origin !== state.origin)
    return deadLetter(context, command, "wrong-log", command.origin);
  const before = state.creditedTo.get(participant) ?? 0;
  if (upTo < before) return; // a repeat: it says nothing new
  if (upTo >= (state.chains.get(participant) ?? 0)) {
    return deadLetter(
      context,
      command,
      "credit-ahead",
      `there is no entry ${upTo} of ${participant} yet`,
    );
  }
  if (context.headOf !== undefined && context.headOf(participant, upTo) !== command.body.head) {
    return deadLetter(
      context,
      command,
      "head-mismatch",
      `entry ${upTo} of ${participant} is another`,
    );
  }
  state.creditedTo.set(participant, upTo + 1);
  const waiting = state.uncredited.get(participant) ?? [];
  const payers = new Set<string>();
  let covered = 0;
  for (const { n, payer } of waiting) {
    if (n > upTo) break;
    payers.add(payer);
    covered += 1;
  }
  waiting.splice(0, covered);
  const seqs = state.chainSeqs.get(participant);
  if (seqs !== undefined && upTo > seqs.first) {
    seqs.seqs.splice(0, upTo - seqs.first);
    seqs.first = upTo;
  }
  const lines = signed.lines.map(({ line }) => line);
  const entry = record(context, command, lines, [participant]);
  for (const to of [participant, ...payers]) tell(outcome, to, { type: "entry", seq: entry.seq });
};

/** A provider signs with whichever of its keys it has: a liquidity provider has none for transfers. */
const byAnyPurpose = ({ lines, body }: StatementCommand): ReturnType<typeof linesOf> => {
  const signed = linesOf(lines, body.participant, "transfer");
  if (signed.ok || signed.code !== "key-purpose") return signed;
  return linesOf(lines, body.participant, "rate-sheet");
};

const statementFault = (context: BatchContext, { body }: StatementCommand): string | undefined => {
  const { state, linkAt } = context;
  const { participant, from, to, head, size } = body;
  if (from > to) return `from ${from} to ${to} is nothing`;
  if (to >= (state.chains.get(participant) ?? 0)) return `there is no entry ${to} yet`;
  // What was credited later is not stated earlier: verifiers have let go of those heads.
  const credited = state.creditedTo.get(participant) ?? 0;
  if (to < credited) return `it has credited up to ${credited - 1} already`;
  if (linkAt === undefined) return undefined;
  const link = linkAt(participant, size - 1);
  if (link?.n === to && link.head === head) return undefined;
  return `entry ${to} of ${participant} is not the one at ${size - 1}`;
};

/** "These are all my entries": in the participant's own chain, cosigned like the rest. */
export const decideStatement = (context: BatchContext, command: StatementCommand): void => {
  const signed = byAnyPurpose(command);
  if (!signed.ok) return deadLetter(context, command, signed.code, signed.detail);
  if (command.origin !== context.state.origin) {
    return deadLetter(context, command, "wrong-log", command.origin);
  }
  const fault = statementFault(context, command);
  if (fault !== undefined) return deadLetter(context, command, "statement-refused", fault);
  const { participant } = command.body;
  const lines = signed.lines.map(({ line }) => line);
  const entry = record(context, command, lines, [participant]);
  tell(context.outcome, participant, { type: "entry", seq: entry.seq });
};

/** Two operators vouch for liquidity that no bank statement covers yet: an entry, never SQL. */
export const decideAdvance = (context: BatchContext, command: AdvanceCommand): void => {
  const { state, keys, known, outcome } = context;
  const advance = command.body;
  if (command.operators.length < 2) {
    return deadLetter(context, command, "signature-missing", "two operators must sign an advance");
  }
  if (command.origin !== state.origin)
    return deadLetter(context, command, "wrong-log", command.origin);
  if (known.has(advance.id) || state.open.has(advance.id)) return; // posted before
  const participant = keys.participants.get(advance.participant);
  const operator = keys.ledger?.operator;
  if (participant === undefined || operator === undefined) {
    return deadLetter(context, command, "payee-unknown", advance.participant);
  }
  if (!participant.currencies.includes(advance.currency)) {
    return deadLetter(context, command, "currency-not-served", advance.currency);
  }
  if (!isAmount(advance.amount, advance.currency)) {
    return deadLetter(context, command, "amount-invalid", advance.amount);
  }
  const postings = advancePostings(operator, advance);
  applyPostings(state.balances, postings, "post");
  const lines = command.lines.filter(({ good }) => good).map(({ line }) => line);
  const entry = record(context, command, lines, [advance.participant], postings);
  const { id, currency } = advance;
  const minor = minorOf(advance.amount, currency);
  state.settlement.unbacked.set(id, { participant: advance.participant, currency, minor });
  state.settlement.dirty.add(`advance ${id}`);
  const ended = { id: advance.id, request: undefined, payer: advance.participant, seq: entry.seq };
  remember(context, { ...ended, outcome: "recorded" });
  tell(outcome, advance.participant, { type: "entry", seq: entry.seq });
};
