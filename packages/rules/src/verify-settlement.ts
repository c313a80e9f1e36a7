// Entries about settlement, judged one by one: who has signed, and what they post, which follows from
// their text. Whether they are what the log comes to is the fold's to say (`audit-settlement.ts`).
import {
  adjustmentSchema,
  bankStatementSchema,
  carriedSchema,
  liquidityOutSchema,
  liquiditySchema,
  settlementAbortSchema,
  settlementSchema,
  slotsOutSchema,
  windowCutSchema,
  windowDefaultSchema,
  windowNetSchema,
  type Adjustment,
  type BankStatement,
  type Carried,
  type DerivedStatement,
  type LiquidityOut,
  type Posting,
  type SettlementAbort,
  type SlotsOut,
  type WindowCut,
  type readStatement,
  type WindowDefault,
} from "@sealane/protocol";
import type { CarriedEntry } from "./carried.ts";
import type { KeyState } from "./key-state.ts";
import { liquidityInPostings, liquidityOutPostings, type LetGo } from "./settlement/lane-moves.ts";
import type { SlotsGone } from "./settlement/slots.ts";
import { adjustmentPostings, defaultPostings, derivedPostings } from "./settlement/postings.ts";
import { derivedParticipants, settlementOperators } from "./settlement-statements.ts";

/** What `readStatement` reads a body by. */
type Schema<T> = Parameters<typeof readStatement<T>>[2];

export type SettlementEntry =
  | { readonly kind: "window-cut"; readonly body: WindowCut }
  | { readonly kind: "bank-statement"; readonly body: BankStatement }
  | { readonly kind: "window-default"; readonly body: WindowDefault }
  | { readonly kind: "settlement-abort"; readonly body: SettlementAbort }
  | { readonly kind: "adjustment"; readonly body: Adjustment }
  | { readonly kind: "liquidity-out"; readonly body: LiquidityOut }
  | { readonly kind: "liquidity-in"; readonly body: Carried; readonly letGo: LetGo }
  | { readonly kind: "slots-out"; readonly body: SlotsOut }
  | { readonly kind: "slots-in"; readonly body: Carried; readonly gone: SlotsGone }
  | DerivedStatement;

export const settlementKinds = [
  "window-cut",
  "bank-statement",
  "window-default",
  "settlement-abort",
  "adjustment",
  "liquidity-out",
  "liquidity-in",
  "slots-out",
  "slots-in",
  "window-net",
  "settlement",
  "liquidity",
] as const satisfies readonly SettlementEntry["kind"][];

type Fault = { readonly ok: false; readonly code: string; readonly detail: string };

/** What the verifier of entries lends: it has opened the note and knows the keys of its place. */
export type SettlementTools = {
  readonly keys: KeyState;
  readonly read: <T>(
    schema: Schema<T>,
  ) => { readonly body: T; readonly inner: string | undefined } | Fault;
  /** A line of this participant's key for bank statements, in force, that verifies. */
  readonly bankSigned: (bank: string) => Fault | undefined;
  /** How many distinct operators signed. */
  readonly operators: () => number;
  /** Whether the corridor's scheduler signed. */
  readonly schedulerSigned: (corridor: string) => boolean;
  /** Whether the ledger's entry key signed the inner note. */
  readonly entrySigned: () => boolean;
  readonly signatures: boolean;
  /** The entry of another lane that stands below, judged with its proof. */
  readonly carried: (body: Carried, inner: string | undefined) => CarriedEntry | Fault;
};

export type FoundSettlement = {
  readonly settlement: SettlementEntry;
  readonly postings: readonly Posting[];
  readonly participants: readonly string[];
};

const missing = (detail: string): Fault => ({ ok: false, code: "signature-missing", detail });

const isFault = <T extends object>(value: T | Fault): value is Fault => "ok" in value;

const bySome = ({ signatures, operators }: SettlementTools, needed: number): Fault | undefined =>
  signatures && operators() < needed ? missing(`${needed} operators must sign`) : undefined;

const derived = (tools: SettlementTools, one: DerivedStatement): FoundSettlement | Fault => {
  if (tools.signatures && !tools.entrySigned()) return missing("the ledger itself must sign it");
  return {
    settlement: one,
    postings: derivedPostings(tools.keys.ledger?.operator ?? "", one),
    participants: derivedParticipants(tools.keys, one.body.participant),
  };
};

const cut = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(windowCutSchema);
  if (isFault(read)) return read;
  const { body } = read;
  const bad = bySome(tools, 1);
  if (bad !== undefined && !tools.schedulerSigned(body.corridor)) return bad;
  return { settlement: { kind: "window-cut", body }, postings: [], participants: [] };
};

const statement = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(bankStatementSchema);
  if (isFault(read)) return read;
  const { body } = read;
  const bad = tools.signatures ? tools.bankSigned(body.bank) : undefined;
  return bad ?? { settlement: { kind: "bank-statement", body }, postings: [], participants: [] };
};

const byDefault = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(windowDefaultSchema);
  if (isFault(read)) return read;
  const { body } = read;
  const postings = defaultPostings(tools.keys.ledger?.operator ?? "", body);
  const participants = derivedParticipants(tools.keys, body.participant);
  const settlement = { kind: "window-default", body } as const;
  return bySome(tools, settlementOperators) ?? { settlement, postings, participants };
};

const abort = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(settlementAbortSchema);
  if (isFault(read)) return read;
  const settlement = { kind: "settlement-abort", body: read.body } as const;
  return bySome(tools, settlementOperators) ?? { settlement, postings: [], participants: [] };
};

const adjustment = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(adjustmentSchema);
  if (isFault(read)) return read;
  const { body } = read;
  const postings = adjustmentPostings(tools.keys.ledger?.operator ?? "", body);
  const participants = derivedParticipants(tools.keys, body.participant);
  const settlement = { kind: "adjustment", body } as const;
  return bySome(tools, settlementOperators) ?? { settlement, postings, participants };
};

const liquidityOut = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(liquidityOutSchema);
  if (isFault(read)) return read;
  const { body } = read;
  const participants = derivedParticipants(tools.keys, body.participant);
  const settlement = { kind: "liquidity-out", body } as const;
  const postings = liquidityOutPostings(body);
  return bySome(tools, settlementOperators) ?? { settlement, postings, participants };
};

/** What an entry that is carried lets go, or why it lets nothing go. */
export const letGoOf = (from: string, { entry, leaf }: CarriedEntry): LetGo | Fault => {
  const { settlement, context } = entry;
  if (settlement?.kind === "liquidity-out") {
    return { from, seq: context.seq, body: settlement.body, leaf };
  }
  const detail = `a ${entry.kind} lets nothing go`;
  return { ok: false, code: "statement-malformed", detail };
};

/** Which slots an entry that is carried lets go, or why it lets none go. */
export const slotsGoneOf = (from: string, { entry, leaf }: CarriedEntry): SlotsGone | Fault => {
  const { settlement, context } = entry;
  if (settlement?.kind === "slots-out") {
    return { from, seq: context.seq, body: settlement.body, leaf };
  }
  const detail = `a ${entry.kind} lets no slots go`;
  return { ok: false, code: "statement-malformed", detail };
};

const alone = { postings: [], participants: [] } as const;

const slotsOut = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(slotsOutSchema);
  if (isFault(read)) return read;
  if (tools.signatures && !tools.entrySigned()) return missing("the ledger itself must sign it");
  return { settlement: { kind: "slots-out", body: read.body }, ...alone };
};

const slotsIn = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(carriedSchema);
  if (isFault(read)) return read;
  const { body, inner } = read;
  if (tools.signatures && !tools.entrySigned()) return missing("the ledger itself must sign it");
  const carried = tools.carried(body, inner);
  const gone = isFault(carried) ? carried : slotsGoneOf(body.from, carried);
  return isFault(gone) ? gone : { settlement: { kind: "slots-in", body, gone }, ...alone };
};

const liquidityIn = (tools: SettlementTools): FoundSettlement | Fault => {
  const read = tools.read(carriedSchema);
  if (isFault(read)) return read;
  const { body, inner } = read;
  if (tools.signatures && !tools.entrySigned()) return missing("the ledger itself must sign it");
  const carried = tools.carried(body, inner);
  const letGo = isFault(carried) ? carried : letGoOf(body.from, carried);
  if (isFault(letGo)) return letGo;
  return {
    settlement: { kind: "liquidity-in", body, letGo },
    postings: liquidityInPostings(letGo.body),
    participants: derivedParticipants(tools.keys, letGo.body.participant),
  };
};

const fromSchema = <T>(
  tools: SettlementTools,
  schema: Schema<T>,
  toDerived: (body: T) => DerivedStatement,
): FoundSettlement | Fault => {
  const read = tools.read(schema);
  return isFault(read) ? read : derived(tools, toDerived(read.body));
};

/** Judges an entry of one of the kinds above. */
export const findSettlement = (
  kind: SettlementEntry["kind"],
  tools: SettlementTools,
): FoundSettlement | Fault => {
  switch (kind) {
    case "window-cut":
      return cut(tools);
    case "bank-statement":
      return statement(tools);
    case "window-default":
      return byDefault(tools);
    case "settlement-abort":
      return abort(tools);
    case "adjustment":
      return adjustment(tools);
    case "liquidity-out":
      return liquidityOut(tools);
    case "liquidity-in":
      return liquidityIn(tools);
    case "slots-out":
      return slotsOut(tools);
    case "slots-in":
      return slotsIn(tools);
    case "window-net":
      return fromSchema(tools, windowNetSchema, (body) => ({ kind, body }));
    case "settlement":
      return fromSchema(tools, settlementSchema, (body) => ({ kind, body }));
    case "liquidity":
      return fromSchema(tools, liquiditySchema, (body) => ({ kind, body }));
    default:
      return kind satisfies never;
  }
};
