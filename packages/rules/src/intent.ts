// An intent: one ladder of refusals in order of precedence (replay, authenticity, parties, time,
// price, limits, funds), then a line after which nothing may fail (cf. TigerBeetle).
import {
  formatTime,
  isoReasonOf,
  parseTime,
  slotOf,
  type RefusalCode,
  type Terms,
} from "@sealane/protocol";
import { utf8 } from "@sealane/tlog";
import { remember, tell, type BatchOutcome, type KeysCited } from "./batch-outcome.ts";
import type { CheckedLine, IntentCommand } from "./commands.ts";
import type { KeyPurpose, KeyState, Participant } from "./key-state.ts";
import {
  sheetKey,
  type KnownTransfer,
  type LaneState,
  type OpenTransfer,
  type SheetState,
} from "./lane-state.ts";
import { boundElsewhere, operatorsNeeded } from "./policy.ts";
import { applyPostings, minorOf, standingOf } from "./positions.ts";
import { transferPostings } from "./postings.ts";
import { checkPrice } from "./pricing.ts";
import { returnKinds } from "./returns/kinds.ts";
import { endedElsewhere, isOurs } from "./who-decides.ts";

/** No terms expire later than this after the log time at which they are reserved. */
export const maxExpiryMs = 300_000;
/** What one payer may have pending in one lane. */
export const maxPendingPerPayer = 20_000;

export type Refused = { readonly code: RefusalCode; readonly detail: string };

export type BatchContext = {
  readonly state: LaneState;
  readonly keys: KeyState;
  /** By id: what had ended before this batch, and what ends in it. */
  readonly known: Map<string, KnownTransfer>;
  /** Quote id → transfer id. */
  readonly usedQuotes: Map<string, string>;
  readonly cited: KeysCited;
  readonly outcome: BatchOutcome;
  readonly timeMs: number;
  readonly mayReserve: boolean;
  readonly clockOff?: boolean | undefined;
  readonly recoveredTo?: bigint | undefined;
  /** Leaf hash of a participant's entry n, base64; undefined when there is no such entry. */
  readonly headOf?: ((participant: string, n: number) => string | undefined) | undefined;
  /** A participant's link in the entry at a place, with that entry's leaf hash. */
  readonly linkAt?: LinkReader | undefined;
  readonly entryAt?: EntryReader | undefined;
};

export type EntryReader = (seq: number) => string | undefined;

export type LinkReader = (
  participant: string,
  seq: number,
) => { readonly n: number; readonly head: string } | undefined;

const refused = (code: RefusalCode, detail: string): Refused => ({ code, detail });

/** The good lines of one participant by keys in force for `purpose`, or why there is none. */
export const linesOf = (
  lines: readonly CheckedLine[],
  participant: string,
  purpose: KeyPurpose,
): { readonly ok: true; readonly lines: CheckedLine[] } | ({ readonly ok: false } & Refused) => {
  const own = lines.filter(({ key }) => key.participant === participant);
  if (own.length === 0) {
    return { ok: false, ...refused("signature-missing", `no signature of ${participant}`) };
  }
  const bad = own.find(({ good }) => !good);
  if (bad !== undefined) {
    return { ok: false, ...refused("signature-wrong", `the signature of ${bad.key.key.name}`) };
  }
  const revoked = own.find(({ key }) => key.revokedAt !== undefined);
  if (revoked !== undefined) {
    const at = `${revoked.key.key.name} was revoked at ${revoked.key.revokedAt} of the key log`;
    return { ok: false, ...refused("key-revoked", at) };
  }
  const other = own.find(({ key }) => key.purpose !== purpose);
  if (other !== undefined) {
    const is = `${other.key.key.name} is for ${other.key.purpose}, not ${purpose}`;
    return { ok: false, ...refused("key-purpose", is) };
  }
  return { ok: true, lines: own };
};

/** An entry is at most 32 KiB: this leaves room for the context around the largest statement. */
export const maxStatementBytes = 24 * 1024;

const answering: ReadonlySet<string> = new Set(["rejection", "cancellation", ...returnKinds]);

/** What no schema says: statements that answer nothing carry nothing, and fit into an entry. */
export const statementFault = (command: {
  readonly kind: string;
  readonly note: string;
  readonly inner: string | undefined;
}): Refused | undefined => {
  const { kind, note, inner } = command;
  if (inner !== undefined && !answering.has(kind)) {
    return refused("terms-malformed", `a statement of kind ${kind} answers no other`);
  }
  const small = note.length * 3 <= maxStatementBytes;
  if (small || utf8(note).length <= maxStatementBytes) return undefined;
  return refused("entry-too-large", `a statement has at most ${maxStatementBytes} bytes`);
};

const checkParties = (keys: KeyState, terms: Terms): Refused | undefined => {
  const payer = keys.participants.get(terms.payer.participant);
  const payee = keys.participants.get(terms.payee.participant);
  if (payer === undefined) return refused("payer-unknown", terms.payer.participant);
  if (payee === undefined || !payee.roles.includes("wallet")) {
    return refused("payee-unknown", terms.payee.participant);
  }
  if (payer === payee) return refused("same-participant", payer.participant);
  if (payer.suspended) return refused("payer-suspended", payer.participant);
  if (payee.suspended) return refused("payee-suspended", payee.participant);
  const { send, receive } = terms;
  if (!payer.currencies.includes(send.currency)) {
    return refused("currency-not-served", `${payer.participant} does not serve ${send.currency}`);
  }
  if (!payee.currencies.includes(receive.currency)) {
    return refused(
      "currency-not-served",
      `${payee.participant} does not serve ${receive.currency}`,
    );
  }
  return undefined;
};

const checkTime = (terms: Terms, timeMs: number): Refused | undefined => {
  const expiresAtMs = parseTime(terms.expiresAt);
  if (!(timeMs < expiresAtMs)) return refused("expired", `expired at ${terms.expiresAt}`);
  if (expiresAtMs > timeMs + maxExpiryMs) {
    const latest = formatTime(timeMs + maxExpiryMs);
    return refused("expiry-too-far", `may expire at ${latest} at the latest`);
  }
  return undefined;
};

/** The sheet that terms cite, for their pair of currencies, when it holds now. */
export const findSheet = (
  { state, keys, timeMs }: BatchContext,
  terms: Pick<Terms, "sheet" | "send" | "receive">,
): { readonly ok: true; readonly sheet: SheetState } | ({ readonly ok: false } & Refused) => {
  const { provider, number, hash } = terms.sheet;
  const pair = { from: terms.send.currency, to: terms.receive.currency };
  const found = state.sheets
    .get(sheetKey(provider, pair))
    ?.find((candidate) => candidate.sheet.number === number && candidate.hash === hash);
  const no = (code: RefusalCode, detail: string) =>
    ({ ok: false, ...refused(code, detail) }) as const;
  if (found === undefined)
    return no("sheet-unknown", `${provider} ${number} ${pair.from}/${pair.to}`);
  const owner = keys.participants.get(provider);
  if (owner === undefined || owner.suspended)
    return no("sheet-withdrawn", `${provider} is suspended`);
  if (found.withdrawn) return no("sheet-withdrawn", `sheet ${number} was withdrawn`);
  if (found.endsAtMs !== undefined && timeMs >= found.endsAtMs) {
    return no("sheet-superseded", `sheet ${number} ended at ${formatTime(found.endsAtMs)}`);
  }
  if (timeMs < parseTime(found.sheet.from))
    return no("sheet-unknown", "the sheet is not yet in force");
  if (timeMs >= parseTime(found.sheet.honourUntil)) {
    return no("sheet-expired", `honoured until ${found.sheet.honourUntil}`);
  }
  return { ok: true, sheet: found };
};

const checkLimits = (
  { state, keys }: BatchContext,
  terms: Terms,
  { sheet, usedMinor }: SheetState,
): Refused | undefined => {
  const { currency } = terms.send;
  const converted = minorOf(terms.converted, currency);
  if (minorOf(terms.send.amount, currency) > minorOf(sheet.maxTransfer, currency)) {
    return refused(
      "sheet-limit",
      `the sheet's largest transfer is ${sheet.maxTransfer} ${currency}`,
    );
  }
  if (usedMinor + converted > minorOf(sheet.totalPerLane, currency)) {
    return refused("sheet-exhausted", `the sheet's total is ${sheet.totalPerLane} ${currency}`);
  }
  const pending = state.pendingByPayer.get(terms.payer.participant) ?? 0;
  if (pending >= maxPendingPerPayer) {
    return refused("pending-limit", `${pending} transfers are pending`);
  }
  const payer = keys.participants.get(terms.payer.participant) as Participant;
  const provider = keys.participants.get(terms.sheet.provider) as Participant;
  const own = standingOf(state.balances, payer, currency, state.settlement);
  if (minorOf(terms.send.amount, currency) > own.headroom) {
    if (own.cap !== undefined && own.cap < own.liquidity) {
      return refused("cap-reached", `${payer.participant} is at its cap in ${currency}`);
    }
    return refused(
      "insufficient-funds",
      `${payer.participant} has too little cover in ${currency}`,
    );
  }
  const paid = terms.receive.currency;
  const theirs = standingOf(state.balances, provider, paid, state.settlement);
  if (minorOf(terms.receive.amount, paid) > theirs.headroom) {
    return refused(
      "insufficient-liquidity",
      `${provider.participant} has too little cover in ${paid}`,
    );
  }
  return undefined;
};

/** The ladder below the replay check, in documented order. */
const check = (
  context: BatchContext,
  command: IntentCommand,
): { readonly ok: true; readonly sheet: SheetState } | ({ readonly ok: false } & Refused) => {
  const { keys, usedQuotes, timeMs } = context;
  const terms = command.body;
  const no = (fault: Refused) => ({ ok: false, ...fault }) as const;
  const shape = statementFault(command);
  if (shape !== undefined) return no(shape);
  const parties = checkParties(keys, terms);
  if (parties !== undefined) return no(parties);
  const bound = boundElsewhere(keys, terms);
  if (bound !== undefined) return no(refused("policy-bound", `${bound} binds the payer`));
  const needed = operatorsNeeded(keys.policies.get(terms.policy), terms.send);
  if (needed === undefined) return no(refused("policy-unknown", terms.policy));
  const approved = command.approvals?.length ?? 0;
  if (approved < needed) {
    const detail = `${needed} operators must sign at this amount, ${approved} did`;
    return no(refused("policy-unmet", detail));
  }
  const time = checkTime(terms, timeMs);
  if (time !== undefined) return no(time);
  const quoteOwner = usedQuotes.get(terms.quote);
  if (quoteOwner !== undefined && quoteOwner !== terms.id)
    return no(refused("quote-used", terms.quote));
  const sheet = findSheet(context, terms);
  if (!sheet.ok) return sheet;
  const price = checkPrice(
    terms,
    sheet.sheet.sheet,
    keys.schedules.get(terms.fees[0]?.schedule ?? ""),
  );
  if (price !== undefined) return no(price);
  const limits = checkLimits(context, terms, sheet.sheet);
  if (limits !== undefined) return no(limits);
  return sheet;
};

export const refuseIntent = (
  context: BatchContext,
  command: IntentCommand,
  { code, detail }: Refused,
  final: boolean,
): void => {
  const { outcome, timeMs } = context;
  const { id, request, payer } = command.body;
  outcome.refusals.push({
    id,
    request,
    participant: payer.participant,
    code,
    reason: isoReasonOf(code),
    detail: detail.slice(0, 300),
    time: formatTime(timeMs),
    final,
  });
  const index = outcome.refusals.length - 1;
  tell(outcome, payer.participant, { type: "refusal", id, index });
  if (final) {
    const ended = { id, request, payer: payer.participant, seq: undefined };
    remember(context, { ...ended, outcome: "refused" });
  }
};

/** The same request gets the same answer again; of an id that another payer holds nothing is told. */
const replay = (context: BatchContext, command: IntentCommand): boolean => {
  const { state, known, outcome } = context;
  const { id, request, payer } = command.body;
  const open = state.open.get(id);
  const ended = known.get(id);
  const before = open ?? ended;
  if (before === undefined) return false;
  const elsewhere = endedElsewhere(context, ended);
  if (elsewhere !== undefined) {
    refuseIntent(context, command, refused("wrong-lane", `it ended in lane ${elsewhere}`), false);
    return true;
  }
  const own = (open?.terms.payer.participant ?? ended?.payer) === payer.participant;
  if (!own || (before.request !== undefined && before.request !== request)) {
    const what = own ? "another request was made" : "another participant has an id";
    const fault = refused("request-mismatch", `${what} under this idempotency key`);
    refuseIntent(context, command, fault, false);
  } else if (open !== undefined) {
    tell(outcome, payer.participant, { type: "reserved", id, timeMs: open.reservedAtMs });
  } else if (ended?.seq !== undefined) {
    tell(outcome, payer.participant, { type: "entry", seq: ended.seq });
  } else {
    const index = outcome.refusals.findIndex((refusal) => refusal.id === id && refusal.final);
    const place = index < 0 ? undefined : index;
    tell(outcome, payer.participant, { type: "refusal", id, index: place });
  }
  return true;
};

/**
 * An intent of before a recovery that has no entry: whether it was reserved or refused is lost, and the
 * payee may have said yes to it. It ends here for good, and both sides are told.
 */
const refuseLost = (context: BatchContext, command: IntentCommand): void => {
  const { id, payee } = command.body;
  const fault = refused("recovered", "the ledger was rebuilt after this was sent");
  refuseIntent(context, command, fault, true);
  const index = context.outcome.refusals.length - 1;
  if (!context.keys.participants.has(payee.participant)) return;
  tell(context.outcome, payee.participant, { type: "refusal", id, index });
};

/** Decides one intent: dead letter, replay, refusal, or a reservation and a proposal. */
export const decideIntent = (context: BatchContext, command: IntentCommand): void => {
  const { state, outcome, timeMs } = context;
  const terms = command.body;
  const signed = linesOf(command.lines, terms.payer.participant, "transfer");
  if (!signed.ok) {
    outcome.deadLetters.push({ offset: command.offset, code: signed.code, detail: signed.detail });
    // A revoked or misused key still names who asks, who then gets an answer that binds nothing.
    if (signed.code === "key-revoked" || signed.code === "key-purpose") {
      refuseIntent(context, command, signed, false);
    }
    return;
  }
  if (command.origin !== state.origin) {
    const detail = `signed for ${command.origin}, this is ${state.origin}`;
    refuseIntent(context, command, refused("wrong-log", detail), false);
    return;
  }
  if (!isOurs(context, terms.id)) {
    const fault = refused(
      "wrong-lane",
      `slot ${slotOf(terms.id)} is not decided by lane ${state.lane}`,
    );
    refuseIntent(context, command, fault, false);
    return;
  }
  if (replay(context, command)) return;
  if (context.recoveredTo !== undefined && command.offset < context.recoveredTo) {
    refuseLost(context, command);
    return;
  }
  if (context.clockOff === true) {
    const fault = refused("lane-clock", "the clock is more than 2 s off the witnesses'");
    refuseIntent(context, command, fault, false);
    return;
  }
  if (!context.mayReserve) {
    const fault = refused("lane-unsealed", "too few witnesses have cosigned for 5 s");
    refuseIntent(context, command, fault, false);
    return;
  }
  const checked = check(context, command);
  if (!checked.ok) {
    refuseIntent(context, command, checked, true);
    return;
  }
  // From here on nothing may fail.
  const open: OpenTransfer = {
    id: terms.id,
    request: terms.request,
    terms,
    text: command.text,
    lines: [...signed.lines, ...(command.approvals ?? [])].map(({ line }) => line),
    envelope: command.envelope,
    trace: command.trace,
    postings: transferPostings(terms),
    reservedAtMs: timeMs,
    expiresAtMs: parseTime(terms.expiresAt),
    proposedAtMs: timeMs,
  };
  applyPostings(state.balances, open.postings, "reserve");
  checked.sheet.usedMinor += minorOf(terms.converted, terms.send.currency);
  outcome.usedSheets.add(checked.sheet);
  const payer = terms.payer.participant;
  state.pendingByPayer.set(payer, (state.pendingByPayer.get(payer) ?? 0) + 1);
  state.open.set(open.id, open);
  outcome.reserved.push(open);
  if (terms.quote !== terms.id) {
    outcome.usedQuotes.push({ quote: terms.quote, id: terms.id });
    context.usedQuotes.set(terms.quote, terms.id);
  }
  tell(outcome, terms.payee.participant, { type: "proposal", id: open.id });
  tell(outcome, payer, { type: "reserved", id: open.id, timeMs });
};
