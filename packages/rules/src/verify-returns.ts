// Entries of returns, recalls and refusals, judged one by one: the original that stands inside is judged
// like any entry, and gives what is posted and whose chains are joined. Whether the original stands in
// this log, and how much of it was returned before, is the fold's to say (`audit-returns.ts`).
import {
  readNote,
  readStatement,
  recallRefusalSchema,
  recallSchema,
  returnSchema,
  type Posting,
  type RateSheet,
  type Recall,
  type RecallRefusal,
  type Return,
} from "@sealane/protocol";
import type { KeyState } from "./key-state.ts";
import { backToday, returnParticipants, returnPostings, worthOf } from "./returns/amounts.ts";
import { returnShapeFault } from "./returns/faults.ts";
import { readOriginal, type Original } from "./returns/original.ts";
import type { VerifiedEntry } from "./verify-entry.ts";

export type ReturnEntry =
  | { readonly kind: "return"; readonly body: Return; readonly original: Original }
  | { readonly kind: "recall"; readonly body: Recall; readonly original: Original }
  | {
      readonly kind: "recall-refusal";
      readonly body: RecallRefusal;
      readonly recall: Recall;
      readonly original: Original;
    };

type Fault = { readonly ok: false; readonly code: string; readonly detail: string };

/** What the verifier of entries lends. */
export type ReturnTools = {
  readonly origin: string;
  readonly keys: KeyState;
  readonly seq: number;
  readonly timeMs: number;
  readonly read: <T>(
    schema: Parameters<typeof readStatement<T>>[2],
  ) => { readonly body: T; readonly inner: string | undefined } | Fault;
  /** A line of this participant's key for transfers, in force, that verifies. */
  readonly signed: (participant: string) => Fault | undefined;
  /** An entry that stands inside this one. */
  readonly judge: (
    entry: string,
  ) => { readonly ok: true; readonly entry: Pick<VerifiedEntry, "kind"> } | Fault;
  readonly sheetOf: ((hash: string) => RateSheet | undefined) | undefined;
};

export type FoundReturn = {
  readonly returns: ReturnEntry;
  readonly transferId: string | undefined;
  readonly postings: readonly Posting[];
  readonly participants: readonly string[];
};

const no = (code: string, detail: string): Fault => ({ ok: false, code, detail });

const isFault = <T extends object>(value: T | Fault): value is Fault => "ok" in value;

/** The original's entry below a statement: committed, by itself, and before this one. */
const originalIn = (tools: ReturnTools, inner: string | undefined): Original | Fault => {
  const original = inner === undefined ? undefined : readOriginal(tools.origin, inner);
  if (inner === undefined || original === undefined || original.seq >= tools.seq) {
    return no("original-unknown", "no committed transfer stands below it");
  }
  const judged = tools.judge(inner);
  return judged.ok ? original : judged;
};

/** Today's rate is that of the sheet, where that is at hand. */
const sheetFault = (tools: ReturnTools, body: Return, { terms }: Original): Fault | undefined => {
  const { sheet: cited } = body;
  if (cited === undefined || tools.sheetOf === undefined) return undefined;
  const sheet = tools.sheetOf(cited.hash);
  if (sheet === undefined) return no("sheet-unknown", cited.hash);
  if (sheet.provider !== cited.provider || sheet.number !== cited.number) {
    return no("sheet-mismatch", body.id);
  }
  const back = backToday(body, terms, sheet);
  if (back === undefined) return no("sheet-pair", `${sheet.pair.from}/${sheet.pair.to}`);
  return back.amount === body.back.amount ? undefined : no("amount-mismatch", back.amount);
};

const findOne = (tools: ReturnTools): FoundReturn | Fault => {
  const read = tools.read(returnSchema);
  if (isFault(read)) return read;
  const { body, inner } = read;
  const original = originalIn(tools, inner);
  if ("ok" in original) return original;
  const { terms } = original;
  const shape = returnShapeFault(tools.keys, body, original, tools.timeMs);
  if (shape !== undefined) return no(shape.code, shape.detail);
  const worth = worthOf(body, terms);
  if (worth === undefined) return no("amount-mismatch", `${body.back.amount} comes back`);
  const fault = sheetFault(tools, body, original) ?? tools.signed(body.participant);
  return (
    fault ?? {
      returns: { kind: "return", body, original },
      transferId: body.id,
      postings: returnPostings(body, terms, worth),
      participants: returnParticipants(body, terms),
    }
  );
};

/** Payer and payee, in this order: who asks, and who is asked. */
const bothOf = ({ terms }: Original): string[] => [
  terms.payer.participant,
  terms.payee.participant,
];

const findRecall = (tools: ReturnTools): FoundReturn | Fault => {
  const read = tools.read(recallSchema);
  if (isFault(read)) return read;
  const { body, inner } = read;
  const original = originalIn(tools, inner);
  if ("ok" in original) return original;
  const fault = tools.signed(body.participant);
  return (
    fault ?? {
      returns: { kind: "recall", body, original },
      transferId: body.id,
      postings: [],
      participants: bothOf(original),
    }
  );
};

/** The recall that a refusal answers; who signed it was judged when it was logged. */
const recallIn = (origin: string, inner: string | undefined) => {
  const note = readNote(inner ?? "");
  const read = note.ok ? readStatement(note.note, "recall", recallSchema) : undefined;
  if (read?.ok !== true || read.statement.origin !== origin) return undefined;
  const original = readOriginal(origin, read.statement.inner ?? "");
  return original === undefined ? undefined : { recall: read.statement.body, original };
};

const findRefusal = (tools: ReturnTools): FoundReturn | Fault => {
  const read = tools.read(recallRefusalSchema);
  if (isFault(read)) return read;
  const { body, inner } = read;
  const found = recallIn(tools.origin, inner);
  if (found?.recall.id !== body.recall) return no("recall-unknown", body.recall);
  const { recall, original } = found;
  if (body.participant !== original.terms.payee.participant) {
    return no("return-not-yours", body.participant);
  }
  const fault = tools.signed(body.participant);
  return (
    fault ?? {
      returns: { kind: "recall-refusal", body, recall, original },
      transferId: undefined,
      postings: [],
      participants: bothOf(original),
    }
  );
};

/** Judges an entry of one of the kinds above. */
export const findReturn = (kind: ReturnEntry["kind"], tools: ReturnTools): FoundReturn | Fault => {
  switch (kind) {
    case "return":
      return findOne(tools);
    case "recall":
      return findRecall(tools);
    case "recall-refusal":
      return findRefusal(tools);
    default:
      return kind satisfies never;
  }
};
