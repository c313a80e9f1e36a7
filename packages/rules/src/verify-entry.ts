// An entry, judged by a verifier: place, history, keys in force, the floor of signatures that no
// policy lowers, and postings and chains recomputed. The same code serves a participant that
// checks its own entries, reconciliation, `sealane verify` and `sealane audit`.
import {
  advanceSchema,
  cancellationSchema,
  carriedKinds,
  chainStatementSchema,
  creditedSchema,
  entryContextSchema,
  headerOf,
  parseTime,
  rateSheetSchema,
  rateWithdrawalSchema,
  readInnerNote,
  readNote,
  readStatement,
  rejectionSchema,
  termsSchema,
  type EntryContext,
  type Posting,
  type Terms,
} from "@sealane/protocol";
import type { Note } from "@sealane/tlog";
import { carriedEntry } from "./carried.ts";
import { derivedFault, laneFault, reasonFault } from "./entry-checks.ts";
import type { EntryChecks, EntryKind, EntryResult, VerifiedEntry } from "./entry-types.ts";
import { citedState } from "./key-history.ts";
import {
  no,
  operatorCount,
  participantSigned,
  signedBy,
  wrongLine,
  type EntryFault,
} from "./entry-signatures.ts";
import type { KeyState } from "./key-state.ts";
import {
  advancePostings,
  rulesVersion,
  transferParticipants,
  transferPostings,
} from "./postings.ts";
import { boundElsewhere, operatorsNeeded } from "./policy.ts";
import { conversionFault } from "./conversion.ts";
import { returnKinds } from "./returns/kinds.ts";
import { findReturn, type ReturnEntry } from "./verify-returns.ts";
import {
  findSettlement,
  settlementKinds,
  type SettlementEntry,
  type SettlementTools,
} from "./verify-settlement.ts";

export type { EntryFault, SignatureJudge } from "./entry-signatures.ts";
export type { EntryChecks, EntryKind, EntryResult, VerifiedEntry } from "./entry-types.ts";

type Opened = {
  readonly kind: EntryKind;
  readonly note: Note;
  readonly state: KeyState;
  readonly context: EntryContext;
  readonly checks: EntryChecks;
  readonly inner: string;
};

type Said = Exclude<keyof VerifiedEntry, "context" | "timeMs" | "kind" | "inner">;

type Found = Partial<Pick<VerifiedEntry, Said>> & {
  readonly postings: readonly Posting[];
  readonly participants: readonly string[] | undefined;
};

const isFault = <T extends object>(value: T | EntryFault): value is EntryFault => "ok" in value;

/** Statements that answer another, which stands whole below them. */
const answering: ReadonlySet<string> = new Set([
  "rejection",
  "cancellation",
  ...carriedKinds,
  ...returnKinds,
]);

const body = <T>(opened: Opened, schema: Parameters<typeof readStatement<T>>[2]) => {
  const read = readStatement(opened.note, opened.kind, schema);
  if (!read.ok) return no(read.code, read.detail);
  if (read.statement.origin !== opened.checks.origin) {
    return no("wrong-log", `the statement is for ${read.statement.origin}`);
  }
  if (!answering.has(opened.kind) && read.statement.inner !== undefined) {
    return no("statement-malformed", `a ${opened.kind} answers no other statement`);
  }
  return read.statement;
};

const transfer = (opened: Opened): Found | EntryFault => {
  const { state, context, checks } = opened;
  const read = body(opened, termsSchema);
  if (isFault(read)) return read;
  const terms = read.body;
  const payer = terms.payer.participant;
  const payee = terms.payee.participant;
  const common = { terms, transferId: terms.id, participants: transferParticipants(terms) };
  if (context.outcome === "expired") {
    if (parseTime(context.time) < parseTime(terms.expiresAt)) return no("not-expired", terms.id);
    const fault = checks.signatures
      ? participantSigned(opened, payer, "transfer", true)
      : undefined;
    return fault ?? { ...common, postings: [] };
  }
  if (context.outcome !== "committed") return no("outcome-mismatch", context.outcome);
  if (parseTime(context.time) >= parseTime(terms.expiresAt)) return no("expired", terms.id);
  if (payer === payee) return no("same-participant", payer);
  if (checks.signatures) {
    const fault =
      participantSigned(opened, payer, "transfer") ?? participantSigned(opened, payee, "transfer");
    if (fault !== undefined) return fault;
  }
  if (state.participants.get(payee)?.suspended === true) return no("payee-suspended", payee);
  const bound = boundElsewhere(state, terms);
  if (bound !== undefined) return no("policy-bound", `${bound} binds ${payer}`);
  const needed = operatorsNeeded(state.policies.get(terms.policy), terms.send);
  if (needed === undefined) return no("policy-unknown", terms.policy);
  if (checks.signatures && needed > 0 && operatorCount(opened) < needed) {
    return no("policy-unmet", `${needed} operators must sign at this amount`);
  }
  const fault = conversionFault(terms, state, checks);
  if (fault !== undefined) return fault;
  return { ...common, postings: transferPostings(terms) };
};

type Answered = { readonly terms: Terms; readonly note: Note };
/** Terms inside a statement that answers them. */
const answeredTerms = (opened: Opened, inner: string | undefined): Answered | undefined => {
  if (inner === undefined) return undefined;
  const note = readInnerNote(inner);
  if (!note.ok) return undefined;
  const read = readStatement(note.note, "transfer", termsSchema);
  return read.ok && read.statement.origin === opened.checks.origin
    ? { terms: read.statement.body, note: note.note }
    : undefined;
};

/** The payer did sign what the payee rejects; a revoked key never stops a release. */
const payerSigned = (opened: Opened, { terms, note }: Answered): EntryFault | undefined => {
  const below = { ...opened, note };
  return wrongLine(below) ?? participantSigned(below, terms.payer.participant, "transfer", true);
};

const rejection = (opened: Opened): Found | EntryFault => {
  const read = body(opened, rejectionSchema);
  if (isFault(read)) return read;
  const { id, participant, reason } = read.body;
  const answered = answeredTerms(opened, read.inner);
  if (answered?.terms.id !== id) return no("statement-malformed", "answers no terms");
  const { terms } = answered;
  if (terms.payee.participant !== participant) return no("signature-missing", "not the payee");
  if (opened.context.outcome !== "rejected" || opened.context.reason !== reason) {
    return no("outcome-mismatch", opened.context.outcome);
  }
  const fault = opened.checks.signatures
    ? (participantSigned(opened, participant, "transfer") ?? payerSigned(opened, answered))
    : undefined;
  return (
    fault ?? { terms, transferId: id, postings: [], participants: transferParticipants(terms) }
  );
};

const cancellation = (opened: Opened): Found | EntryFault => {
  const read = body(opened, cancellationSchema);
  if (isFault(read)) return read;
  const { id, participant, reason } = read.body;
  if (opened.context.outcome !== "cancelled" || opened.context.reason !== reason) {
    return no("outcome-mismatch", opened.context.outcome);
  }
  const terms = answeredTerms(opened, read.inner)?.terms;
  if (terms === undefined && read.inner !== undefined) {
    return no("statement-malformed", "it answers something that is no terms");
  }
  const own = terms === undefined || (terms.id === id && terms.payer.participant === participant);
  if (!own) return no("statement-malformed", "it cancels other terms");
  const fault = opened.checks.signatures
    ? participantSigned(opened, participant, "transfer", true)
    : undefined;
  if (terms === undefined && opened.context.chains[0]?.participant !== participant) {
    return no("chains-mismatch", "the payer that cancels comes first");
  }
  const participants = terms === undefined ? undefined : transferParticipants(terms);
  return fault ?? { terms, transferId: id, postings: [], participants };
};

const recorded = (opened: Opened): Found | EntryFault => {
  const { state, context, checks, kind } = opened;
  if (context.outcome !== "recorded") return no("outcome-mismatch", context.outcome);
  const by = (participant: string, purpose: "transfer" | "rate-sheet", found: Partial<Found>) => {
    const fault = checks.signatures ? participantSigned(opened, participant, purpose) : undefined;
    return fault ?? { postings: [], participants: [participant], ...found };
  };
  if (kind === "rate-sheet") {
    const read = body(opened, rateSheetSchema);
    return isFault(read) ? read : by(read.body.provider, "rate-sheet", { sheet: read.body });
  }
  if (kind === "rate-withdrawal") {
    const read = body(opened, rateWithdrawalSchema);
    return isFault(read) ? read : by(read.body.provider, "rate-sheet", { withdrawal: read.body });
  }
  if (kind === "credited") {
    const read = body(opened, creditedSchema);
    return isFault(read) ? read : by(read.body.participant, "transfer", { credited: read.body });
  }
  if (kind === "statement") {
    const read = body(opened, chainStatementSchema);
    if (isFault(read)) return read;
    const found = { statement: read.body };
    const said = by(read.body.participant, "transfer", found);
    // A liquidity provider has no key for transfers.
    const other = isFault(said) && said.code === "key-purpose";
    return other ? by(read.body.participant, "rate-sheet", found) : said;
  }
  const read = body(opened, advanceSchema);
  if (isFault(read)) return read;
  if (checks.signatures && operatorCount(opened) < 2) {
    return no("signature-missing", "two operators must sign an advance");
  }
  const postings = advancePostings(state.ledger?.operator ?? "", read.body);
  return { advance: read.body, postings, participants: [read.body.participant] };
};

const onSettlement = (opened: Opened, kind: SettlementEntry["kind"]): Found | EntryFault => {
  const { note, state, context, checks } = opened;
  const { signatures } = checks;
  if (context.outcome !== "recorded") return no("outcome-mismatch", context.outcome);
  const tools: SettlementTools = {
    keys: state,
    signatures,
    read: (schema) => body(opened, schema),
    bankSigned: (bank) => participantSigned(opened, bank, "bank-statement"),
    operators: () => operatorCount(opened),
    schedulerSigned: (corridor) => {
      const key = state.corridors.get(corridor)?.schedulerKey;
      return key !== undefined && signedBy(note, key, checks);
    },
    entrySigned: () => state.ledger !== undefined && signedBy(note, state.ledger.entry, checks),
    carried: (said, inner) => carriedEntry(checks, state, said, inner, verifyEntry),
  };
  return findSettlement(kind, tools);
};

const onReturn = (opened: Opened, kind: ReturnEntry["kind"]): Found | EntryFault => {
  const { state, context, checks } = opened;
  const { origin, signatures, sheetOf } = checks;
  if (context.outcome !== "recorded") return no("outcome-mismatch", context.outcome);
  return findReturn(kind, {
    origin,
    keys: state,
    seq: context.seq,
    timeMs: parseTime(context.time),
    read: (schema) => body(opened, schema),
    signed: (who) => (signatures ? participantSigned(opened, who, "transfer") : undefined),
    judge: (entry) => verifyEntry(entry, { ...checks, sheetOf: undefined }),
    sheetOf,
  });
};

const find = (opened: Opened): Found | EntryFault => {
  switch (opened.kind) {
    case "transfer":
      return transfer(opened);
    case "rejection":
      return rejection(opened);
    case "cancellation":
      return cancellation(opened);
    case "rate-sheet":
    case "rate-withdrawal":
    case "credited":
    case "statement":
    case "advance":
      return recorded(opened);
    case "return":
    case "recall":
    case "recall-refusal":
      return onReturn(opened, opened.kind);
    default:
      return onSettlement(opened, opened.kind);
  }
};

const kinds: ReadonlySet<string> = new Set<EntryKind>([
  "transfer",
  "rejection",
  "cancellation",
  "rate-sheet",
  "rate-withdrawal",
  "credited",
  "statement",
  "advance",
  ...settlementKinds,
  ...returnKinds,
]);

const open = (text: string, checks: EntryChecks): Opened | EntryFault => {
  const outer = readNote(text);
  if (!outer.ok) return no(outer.code, outer.detail);
  const read = readStatement(outer.note, "entry", entryContextSchema);
  if (!read.ok) return no(read.code, read.detail);
  const { origin, body: context, inner } = read.statement;
  if (origin !== checks.origin) return no("wrong-log", `the entry is of ${origin}`);
  if (context.rules !== rulesVersion) return no("rules-unknown", `version ${context.rules}`);
  const state = citedState(checks.history, context.keys);
  if (state === undefined) return no("keys-unknown", `key log at ${context.keys.size}`);
  if (state.ledger === undefined) return no("keys-unknown", "the ledger is not registered");
  if (checks.signatures && !signedBy(outer.note, state.ledger.entry, checks)) {
    return no("signature-missing", "the entry key has not signed");
  }
  const note = readInnerNote(inner ?? "");
  if (!note.ok || inner === undefined) return no("statement-malformed", "no inner note");
  const kind = headerOf(note.note.text)?.kind ?? "";
  if (!kinds.has(kind)) return no("statement-kind", `unknown kind ${kind}`);
  const opened = { kind: kind as EntryKind, note: note.note, state, context, checks, inner };
  return (checks.signatures ? wrongLine(opened) : undefined) ?? opened;
};

/**
 * Judges one entry by itself. Its place in the tree and the previous hashes are the caller's:
 * they need the neighbours (`checkLinks`).
 */
export const verifyEntry = (text: string, checks: EntryChecks): EntryResult => {
  const opened = open(text, checks);
  if (isFault(opened)) return opened;
  const found = find(opened);
  if (isFault(found)) return found;
  const { context } = opened;
  const { transferId } = found;
  const fault =
    reasonFault(context) ??
    laneFault(opened.state, checks.origin, transferId) ??
    derivedFault(context, found);
  if (fault !== undefined) return fault;
  return {
    ok: true,
    entry: {
      context,
      timeMs: parseTime(context.time),
      kind: opened.kind,
      inner: opened.inner,
      terms: found.terms,
      sheet: found.sheet,
      withdrawal: found.withdrawal,
      credited: found.credited,
      statement: found.statement,
      advance: found.advance,
      settlement: found.settlement,
      returns: found.returns,
      transferId,
    },
  };
};
