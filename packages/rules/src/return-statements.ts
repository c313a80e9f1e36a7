// Returns, recalls and refusals as the lane decides on them: signed by one side, decided at once, in log
// order. The original stands whole below each, and must be, to the byte, the entry of the place that it
// says: nothing has to be remembered of transfers that nobody asks back. Refusals bind the id, as an
// intent's do, so that a statement that arrives twice is not decided twice.
import {
  slotOf,
  formatTime,
  isoReasonOf,
  readNote,
  readStatement,
  recallSchema,
  zeroHash,
  type RefusalCode,
  type Terms,
} from "@sealane/protocol";
import { append, remember, tell } from "./batch-outcome.ts";
import type {
  LaneCommand,
  RecallCommand,
  RecallRefusalCommand,
  ReturnCommand,
} from "./commands.ts";
import { findSheet, linesOf, type BatchContext, type Refused } from "./intent.ts";
import { endedElsewhere, laneServes } from "./who-decides.ts";
import type { SheetState } from "./lane-state.ts";
import { composeNote } from "./note-text.ts";
import { applyPostings, minorOf, standingOf } from "./positions.ts";
import {
  backToday,
  returnParticipants,
  returnPostings,
  returnProvider,
  worthOf,
  type Worth,
} from "./returns/amounts.ts";
import {
  isWhole,
  recallFault,
  refusalFault,
  returnMemoryFault,
  returnShapeFault,
} from "./returns/faults.ts";
import { readOriginal, type Original } from "./returns/original.ts";
import { closeRecall, takeRecall, takeReturn } from "./returns/state.ts";
import { joinWindow } from "./settlement/windows.ts";

type AnyCommand = ReturnCommand | RecallCommand | RecallRefusalCommand;

const refused = (code: RefusalCode, detail: string): Refused => ({ code, detail });

/** The id under which the sender waits for an answer. */
const idOf = (command: AnyCommand): string =>
  command.kind === "recall-refusal" ? command.body.recall : command.body.id;

const refuse = (
  context: BatchContext,
  command: AnyCommand,
  { code, detail }: Refused,
  final: boolean,
): void => {
  const { outcome, timeMs } = context;
  const id = idOf(command);
  const { participant } = command.body;
  outcome.refusals.push({
    id,
    request: zeroHash,
    participant,
    code,
    reason: isoReasonOf(code),
    detail: detail.slice(0, 300),
    time: formatTime(timeMs),
    final,
  });
  tell(outcome, participant, { type: "refusal", id, index: outcome.refusals.length - 1 });
  if (!final) return;
  const ended = { id, request: undefined, payer: participant, seq: undefined };
  remember(context, { ...ended, outcome: "refused" });
};

/** The entry below a statement, when it is the lane's own at the place that the statement says. */
const originalOf = (
  { state, entryAt }: BatchContext,
  entry: string | undefined,
): Original | undefined => {
  const original = entry === undefined ? undefined : readOriginal(state.origin, entry);
  return original !== undefined && entryAt?.(original.seq) === entry ? original : undefined;
};

/** What comes back of a transfer is decided where that was, though its slot has left since. */
const isBeside = (context: BatchContext, command: AnyCommand): boolean => {
  const { inner } = command;
  const entry = command.kind === "recall-refusal" ? recallBelow(inner)?.inner : inner;
  const original = originalOf(context, entry);
  return original !== undefined && slotOf(original.terms.id) === slotOf(idOf(command));
};

/** Good lines of the sender, for this log, and for what this lane decides; else it is answered. */
const admit = (context: BatchContext, command: AnyCommand): readonly string[] | undefined => {
  const { state, outcome } = context;
  const elsewhere = endedElsewhere(context, context.known.get(idOf(command)));
  const signed = linesOf(command.lines, command.body.participant, "transfer");
  if (!signed.ok) {
    outcome.deadLetters.push({ offset: command.offset, code: signed.code, detail: signed.detail });
    return undefined;
  }
  if (command.origin !== state.origin) {
    const detail = `signed for ${command.origin}, this is ${state.origin}`;
    refuse(context, command, refused("wrong-log", detail), false);
    return undefined;
  }
  const serves = laneServes(context, idOf(command)) || isBeside(context, command);
  if (!serves || elsewhere !== undefined) {
    refuse(context, command, refused("wrong-lane", "another lane decides it"), false);
    return undefined;
  }
  return signed.lines.map(({ line }) => line);
};

/** What was decided under this id before is told again. */
const replay = (context: BatchContext, command: ReturnCommand | RecallCommand): boolean => {
  const { id, participant } = command.body;
  const ended = context.known.get(id);
  if (ended === undefined && !context.state.open.has(id)) return false;
  if (ended?.payer !== participant) {
    const detail = `${id} is another's`;
    const letter = { offset: command.offset, code: "signature-missing", detail };
    context.outcome.deadLetters.push(letter);
  } else if (ended.seq !== undefined) {
    tell(context.outcome, participant, { type: "entry", seq: ended.seq });
  } else {
    const refusals = context.outcome.refusals;
    const index = refusals.findIndex((refusal) => refusal.id === id && refusal.final);
    const place = index < 0 ? undefined : index;
    tell(context.outcome, participant, { type: "refusal", id, index: place });
  }
  return true;
};

/** Nothing new while too few witnesses answer, or the clock is off: asked again later. */
const closedFault = ({ clockOff, mayReserve }: BatchContext): Refused | undefined => {
  if (clockOff === true) return refused("lane-clock", "the clock is off the witnesses'");
  if (mayReserve) return undefined;
  return refused("lane-unsealed", "too few witnesses have cosigned for 5 s");
};

type Found = { readonly worth: Worth; readonly sheet: SheetState | undefined };

/** Today's price, from a sheet that holds now and has room for it. */
const priceFault = (
  context: BatchContext,
  { body }: ReturnCommand,
  terms: Terms,
): Refused | SheetState | undefined => {
  if (body.sheet === undefined) return undefined;
  const cited = { sheet: body.sheet, send: body.amount, receive: terms.send };
  const found = findSheet(context, cited);
  if (!found.ok) return found;
  const { sheet, usedMinor } = found.sheet;
  const { currency, amount } = body.amount;
  const minor = minorOf(amount, currency);
  if (minor > minorOf(sheet.maxTransfer, currency)) {
    return refused("sheet-limit", `the sheet's largest transfer is ${sheet.maxTransfer}`);
  }
  if (usedMinor + minor > minorOf(sheet.totalPerLane, currency)) {
    return refused("sheet-exhausted", `the sheet's total is ${sheet.totalPerLane} ${currency}`);
  }
  const back = backToday(body, terms, sheet);
  if (back?.amount === body.back.amount) return found.sheet;
  return refused("amount-mismatch", `at ${sheet.rate} it is ${back?.amount ?? "nothing"}`);
};

/** Nobody goes beyond its cover by what it gives back. */
const coverFault = (
  { state, keys }: BatchContext,
  { body }: ReturnCommand,
  terms: Terms,
  worth: Worth,
): Refused | undefined => {
  const { currency: back } = terms.send;
  const { currency: received } = terms.receive;
  const given = minorOf(body.amount.amount, received) + worth.surcharge;
  const byEarner = body.bearer === "earner";
  const provided = worth.converted + (byEarner ? 0n : worth.fee);
  const provider = returnProvider(body, terms);
  const debits: [who: string, currency: string, minor: bigint, code: RefusalCode][] = [
    [terms.payee.participant, received, given, "insufficient-funds"],
    [provider, back, provided, "insufficient-liquidity"],
    [terms.fees[0]?.to ?? "", back, byEarner ? worth.fee : 0n, "insufficient-funds"],
  ];
  for (const [who, currency, minor, code] of debits) {
    const participant = keys.participants.get(who);
    if (participant === undefined || minor === 0n) continue;
    const { headroom } = standingOf(state.balances, participant, currency, state.settlement);
    if (minor > headroom) return refused(code, `${who} has too little cover in ${currency}`);
  }
  return undefined;
};

const judgeReturn = (
  context: BatchContext,
  command: ReturnCommand,
  original: Original,
): Refused | Found => {
  const { state, keys, timeMs } = context;
  const { body } = command;
  const { terms } = original;
  const shape =
    returnShapeFault(keys, body, original, timeMs) ??
    returnMemoryFault(state.settlement, keys, body, terms);
  if (shape !== undefined) return shape;
  const worth = worthOf(body, terms);
  if (worth === undefined) return refused("amount-mismatch", `not ${body.back.amount}`);
  const priced = priceFault(context, command, terms);
  if (priced !== undefined && "code" in priced) return priced;
  return coverFault(context, command, terms, worth) ?? { worth, sheet: priced };
};

/** The payee's provider gives money back. */
export const decideReturn = (context: BatchContext, command: ReturnCommand): void => {
  const lines = admit(context, command);
  if (lines === undefined || replay(context, command)) return;
  const closed = closedFault(context);
  if (closed !== undefined) return refuse(context, command, closed, false);
  const original = originalOf(context, command.inner);
  if (original === undefined) {
    const why = refused("original-unknown", "what stands below it is no entry of this log");
    return refuse(context, command, why, true);
  }
  const found = judgeReturn(context, command, original);
  if ("code" in found) return refuse(context, command, found, true);
  // From here on nothing may fail.
  const { state, outcome, keys, timeMs, cited } = context;
  const { body } = command;
  const { terms } = original;
  const postings = returnPostings(body, terms, found.worth);
  applyPostings(state.balances, postings, "post");
  joinWindow(state.settlement, keys, terms, postings);
  const minor = minorOf(body.amount.amount, body.amount.currency);
  if (found.sheet !== undefined) {
    found.sheet.usedMinor += minor;
    outcome.usedSheets.add(found.sheet);
  }
  const answers = body.recall !== undefined || isWhole(body, terms);
  takeReturn(state.settlement, terms.id, { minor, answers, timeMs });
  const participants = returnParticipants(body, terms);
  const entry = append(state, outcome, {
    keys: cited,
    time: formatTime(timeMs),
    result: "recorded",
    participants,
    postings,
    inner: composeNote(command.text, lines),
    trace: command.trace,
    transferId: body.id,
  });
  const { id, participant } = body;
  const to = terms.payer.participant;
  const n = entry.chains.find((link) => link.participant === to)?.n ?? 0;
  const waiting = state.uncredited.get(to) ?? [];
  waiting.push({ n, seq: entry.seq, payer: participant, id });
  state.uncredited.set(to, waiting);
  remember(context, {
    id,
    request: undefined,
    payer: participant,
    seq: entry.seq,
    outcome: "recorded",
  });
  for (const who of participants) tell(outcome, who, { type: "entry", seq: entry.seq });
  return undefined;
};

/** An entry that moves nothing, told to both sides. */
const recordFor = (
  { state, outcome, timeMs, cited }: BatchContext,
  { text, trace }: AnyCommand,
  lines: readonly string[],
  { payer, payee }: Terms,
): number => {
  const participants = [payer.participant, payee.participant];
  const entry = append(state, outcome, {
    keys: cited,
    time: formatTime(timeMs),
    result: "recorded",
    participants,
    postings: [],
    inner: composeNote(text, lines),
    trace,
  });
  for (const who of participants) tell(outcome, who, { type: "entry", seq: entry.seq });
  return entry.seq;
};

/** The payer's provider asks for its money back. */
export const decideRecall = (context: BatchContext, command: RecallCommand): void => {
  const lines = admit(context, command);
  if (lines === undefined || replay(context, command)) return;
  const closed = closedFault(context);
  if (closed !== undefined) return refuse(context, command, closed, false);
  const original = originalOf(context, command.inner);
  if (original === undefined) {
    const why = refused("original-unknown", "what stands below it is no entry of this log");
    return refuse(context, command, why, true);
  }
  const { state, keys, timeMs } = context;
  const { terms, payeeN } = original;
  const payee = terms.payee.participant;
  const creditedTo = state.creditedTo.get(payee) ?? 0;
  const { body } = command;
  const why = recallFault(state.settlement, keys, body, original, { timeMs, creditedTo });
  if (why !== undefined) return refuse(context, command, why, true);
  const { id, participant, cancel } = body;
  takeRecall(state.settlement, terms.id, { id, payee, payeeN, cancel }, timeMs);
  const seq = recordFor(context, command, lines, terms);
  remember(context, { id, request: undefined, payer: participant, seq, outcome: "recorded" });
  return undefined;
};

/** The recall that a refusal answers: its own words are enough, for the lane remembers what is open. */
const recallBelow = (inner: string | undefined) => {
  const note = readNote(inner ?? "");
  const read = note.ok ? readStatement(note.note, "recall", recallSchema) : undefined;
  return read?.ok === true ? read.statement : undefined;
};

/** Where the original of such a command stands, by its own words; undefined for any other command. */
export const originalPlace = (command: LaneCommand): number | undefined => {
  if (command.kind === "return" || command.kind === "recall") return command.body.original.seq;
  if (command.kind !== "recall-refusal") return undefined;
  return recallBelow(command.inner)?.body.original.seq;
};

/** The payee's provider says no. */
export const decideRecallRefusal = (context: BatchContext, command: RecallRefusalCommand): void => {
  const lines = admit(context, command);
  if (lines === undefined) return;
  const closed = closedFault(context);
  if (closed !== undefined) return refuse(context, command, closed, false);
  const { state } = context;
  const { body, inner } = command;
  const below = recallBelow(inner);
  const original = originalOf(context, below?.inner);
  if (below === undefined || original === undefined || below.body.id !== body.recall) {
    const why = refused("recall-unknown", "what stands below it is no recall of this log");
    return refuse(context, command, why, false);
  }
  const { terms } = original;
  const creditedTo = state.creditedTo.get(terms.payee.participant) ?? 0;
  const why = refusalFault(state.settlement, body, below.body, creditedTo);
  if (why !== undefined) return refuse(context, command, why, false);
  closeRecall(state.settlement, terms.id);
  recordFor(context, command, lines, terms);
  return undefined;
};
