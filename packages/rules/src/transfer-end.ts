// The ends of a reserved transfer: committed, rejected, cancelled, expired. The first in log order
// counts; each releases or posts what was reserved, and is one entry that both sides are told.
import {
  expiredReason,
  formatTime,
  isoReasonOf,
  readInnerNote,
  zeroHash,
  type Outcome,
  type RefusalCode,
} from "@sealane/protocol";
import { parseSignatureLine } from "@sealane/tlog";
import { composeNote, readNoteText } from "./note-text.ts";
import { append, remember, tell } from "./batch-outcome.ts";
import type { AcceptanceCommand, CancellationCommand, RejectionCommand } from "./commands.ts";
import { linesOf, type BatchContext } from "./intent.ts";
import { endedElsewhere, laneServes } from "./who-decides.ts";
import { keyIndex, type KeyState } from "./key-state.ts";
import { sheetKey, type OpenTransfer } from "./lane-state.ts";
import { approvalsAmong, boundElsewhere, operatorsNeeded } from "./policy.ts";
import { applyPostings, minorOf } from "./positions.ts";
import { transferParticipants } from "./postings.ts";
import { joinWindow } from "./settlement/windows.ts";

type End = {
  readonly result: Exclude<Outcome, "recorded">;
  readonly reason?: string | undefined;
  readonly inner: string;
};

const releaseSheet = ({ state, outcome }: BatchContext, { terms }: OpenTransfer): void => {
  const pair = { from: terms.send.currency, to: terms.receive.currency };
  const sheet = state.sheets
    .get(sheetKey(terms.sheet.provider, pair))
    ?.find(({ hash }) => hash === terms.sheet.hash);
  if (sheet === undefined) return;
  sheet.usedMinor -= minorOf(terms.converted, terms.send.currency);
  outcome.usedSheets.add(sheet);
};

const end = (context: BatchContext, open: OpenTransfer, { result, reason, inner }: End): void => {
  const { state, outcome, timeMs, cited } = context;
  const { terms } = open;
  const committed = result === "committed";
  applyPostings(state.balances, open.postings, committed ? "commit" : "release");
  if (committed) joinWindow(state.settlement, context.keys, terms, open.postings);
  else {
    releaseSheet(context, open);
    outcome.released.push(open);
  }
  state.open.delete(open.id);
  const payer = terms.payer.participant;
  state.pendingByPayer.set(payer, (state.pendingByPayer.get(payer) ?? 1) - 1);
  const participants = transferParticipants(terms);
  const entry = append(state, outcome, {
    keys: cited,
    time: formatTime(timeMs),
    result,
    reason,
    participants,
    postings: committed ? open.postings : [],
    inner,
    trace: open.trace,
    transferId: open.id,
  });
  if (committed) {
    const payee = terms.payee.participant;
    const n = entry.chains.find((link) => link.participant === payee)?.n ?? 0;
    const waiting = state.uncredited.get(payee) ?? [];
    waiting.push({ n, seq: entry.seq, payer, id: open.id });
    state.uncredited.set(payee, waiting);
  }
  remember(context, { id: open.id, request: open.request, payer, seq: entry.seq, outcome: result });
  for (const to of participants) tell(outcome, to, { type: "entry", seq: entry.seq });
};

const deadLetter = (context: BatchContext, offset: bigint, code: string, detail: string): void => {
  context.outcome.deadLetters.push({ offset, code, detail });
};

/** The name of a payer's key that was in force at the reservation and is no longer, if any. */
const revokedLine = (keys: KeyState, { lines }: OpenTransfer): string | undefined =>
  lines
    .map(parseSignatureLine)
    .find(({ name, keyId }) => keys.keys.get(keyIndex(name, keyId))?.revokedAt !== undefined)?.name;

export const decideAcceptance = (context: BatchContext, command: AcceptanceCommand): void => {
  const { state, keys } = context;
  const { id, offset, line } = command;
  const open = state.open.get(id);
  if (open === undefined) {
    // Too late, or a repeat: whoever is concerned has the end in its inbox.
    if (!context.known.has(id)) deadLetter(context, offset, "transfer-unknown", id);
    return;
  }
  if (line === undefined) {
    deadLetter(context, offset, "key-unknown", "the key log does not know the signing key");
    return;
  }
  const payee = open.terms.payee.participant;
  const signed = linesOf([line], payee, "transfer");
  if (!signed.ok) {
    deadLetter(context, offset, signed.code, signed.detail);
    return;
  }
  if (keys.participants.get(payee)?.suspended === true) {
    deadLetter(context, offset, "payee-suspended", payee);
    return;
  }
  const revoked = revokedLine(keys, open);
  if (revoked !== undefined) {
    // The entry cites the keys of now: under them the payer's signature counts no more.
    deadLetter(context, offset, "key-revoked", `${revoked} was revoked after the reservation`);
    return;
  }
  const bound = boundElsewhere(keys, open.terms);
  if (bound !== undefined) {
    deadLetter(context, offset, "policy-bound", `${bound} binds the payer since the reservation`);
    return;
  }
  const { policy, send } = open.terms;
  const needed = operatorsNeeded(keys.policies.get(policy), send) ?? 0;
  if (needed > 0 && approvalsAmong(keys, open.lines) < needed) {
    // An operator who approved is none any more: the entry cites the keys of now.
    deadLetter(context, offset, "policy-unmet", `${needed} operators in force must have signed`);
    return;
  }
  const inner = composeNote(open.text, [...open.lines, line.line]);
  end(context, open, { result: "committed", inner });
};

const hasLines = (inner: string | undefined, { text, lines }: OpenTransfer): boolean => {
  const below = inner?.slice(text.length + 1).split("\n") ?? [];
  return below.toSorted().join("\n") === ["", ...lines].toSorted().join("\n");
};

export const decideRejection = (context: BatchContext, command: RejectionCommand): void => {
  const { id, participant, reason } = command.body;
  const open = context.state.open.get(id);
  if (open === undefined) {
    if (!context.known.has(id)) deadLetter(context, command.offset, "transfer-unknown", id);
    return;
  }
  const payee = open.terms.payee.participant;
  const signed = linesOf(command.lines, payee, "transfer");
  if (participant !== payee || !signed.ok) {
    const detail = signed.ok ? `${participant} is not the payee` : signed.detail;
    deadLetter(context, command.offset, signed.ok ? "signature-missing" : signed.code, detail);
    return;
  }
  if (command.origin !== context.state.origin || readNoteText(command.inner) !== open.text) {
    deadLetter(context, command.offset, "wrong-log", "it does not answer these terms");
    return;
  }
  // Whole: with the payer's lines, so that the entry itself shows that there was something to reject; and with
  // no line more, which nobody has judged: a bad one would make an entry that every verifier refuses.
  if (!hasLines(command.inner, open)) {
    const detail = "the terms below it do not have the lines with which they were reserved";
    deadLetter(context, command.offset, "signature-missing", detail);
    return;
  }
  const inner = composeNote(
    command.text,
    signed.lines.map(({ line }) => line),
  );
  end(context, open, { result: "rejected", reason, inner });
};

const refuseCancellation = (
  context: BatchContext,
  command: CancellationCommand,
  code: RefusalCode,
  final: boolean,
): void => {
  const { id, participant } = command.body;
  context.outcome.refusals.push({
    id,
    request: zeroHash,
    participant,
    code,
    reason: isoReasonOf(code),
    detail: final ? "cancelled before its intent arrived" : "it has ended already",
    time: formatTime(context.timeMs),
    final,
  });
  const index = context.outcome.refusals.length - 1;
  tell(context.outcome, participant, { type: "refusal", id, index });
};

/** A cancellation counts even for an id that was never seen: a late intent is then refused. */
export const decideCancellation = (context: BatchContext, command: CancellationCommand): void => {
  const { id, participant } = command.body;
  const open = context.state.open.get(id);
  const payer = open?.terms.payer.participant ?? participant;
  const signed = linesOf(command.lines, payer, "transfer");
  const released = command.lines.some(
    ({ key, good }) => good && key.participant === payer && key.purpose === "transfer",
  );
  if (!signed.ok && !(signed.code === "key-revoked" && released)) {
    // A revoked key never stops a release of funds, but it binds no new id.
    deadLetter(context, command.offset, signed.code, signed.detail);
    return;
  }
  if (command.origin !== context.state.origin || participant !== payer) {
    deadLetter(context, command.offset, "wrong-log", "it is not for this log or this payer");
    return;
  }
  if (open !== undefined) {
    const isOther = command.inner !== undefined && readNoteText(command.inner) !== open.text;
    if (isOther || (command.inner !== undefined && !readInnerNote(command.inner).ok)) {
      deadLetter(context, command.offset, "wrong-log", "it does not answer these terms");
      return;
    }
    const lines = command.lines.filter(({ good }) => good).map(({ line }) => line);
    const inner = composeNote(command.text, lines);
    end(context, open, { result: "cancelled", reason: command.body.reason, inner });
    return;
  }
  const ended = context.known.get(id);
  const elsewhere = endedElsewhere(context, ended);
  if (elsewhere !== undefined) {
    deadLetter(context, command.offset, "wrong-lane", `${id} ended in lane ${elsewhere}`);
    return;
  }
  if (ended !== undefined) {
    if (ended.payer !== participant) {
      deadLetter(context, command.offset, "signature-missing", "it is not the payer who cancels");
      return;
    }
    if (ended.seq === undefined)
      tell(context.outcome, participant, { type: "refusal", id, index: undefined });
    else tell(context.outcome, participant, { type: "entry", seq: ended.seq });
    refuseCancellation(context, command, "not-cancellable", false);
    return;
  }
  if (!signed.ok) {
    deadLetter(context, command.offset, signed.code, signed.detail);
    return;
  }
  if (!laneServes(context, id)) {
    // An id that another lane decides is not bound here.
    deadLetter(context, command.offset, "wrong-lane", `another lane decides ${id}`);
    return;
  }
  refuseCancellation(context, command, "cancelled", true);
  remember(context, { id, request: undefined, payer, seq: undefined, outcome: "refused" });
};

/** Ends whatever is due at the batch's log time, before its commands: `time >= expiresAt`. */
export const expireDue = (context: BatchContext): void => {
  for (const open of context.state.open.values()) {
    if (context.timeMs < open.expiresAtMs) continue;
    const inner = composeNote(open.text, open.lines);
    end(context, open, { result: "expired", reason: expiredReason, inner });
  }
};

/** Proposals are repeated until answered or expired (`decisions.md`, Kafka). */
export const repeatProposals = (context: BatchContext, everyMs: number): void => {
  for (const open of context.state.open.values()) {
    if (context.timeMs - open.proposedAtMs < everyMs) continue;
    open.proposedAtMs = context.timeMs;
    tell(context.outcome, open.terms.payee.participant, { type: "proposal", id: open.id });
  }
};
