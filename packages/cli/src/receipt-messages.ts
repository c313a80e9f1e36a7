// What a sealed entry is in the banks' language: a transfer's order and its end, a return, a recall, the
// answer to one. Pure: it reads what stands in the entry, and judges nothing of it.
import {
  recallCamt029,
  recallCamt056,
  returnPacs004,
  transferPacs002,
  transferPacs008,
  type Message,
  type OriginalFacts,
  type TransferFacts,
} from "@sealane/iso20022";
import {
  cancellationSchema,
  formatTime,
  headerOf,
  readInnerNote,
  readStatement,
  recallRefusalSchema,
  recallSchema,
  rejectionSchema,
  returnSchema,
  termsSchema,
  type Terms,
} from "@sealane/protocol";
import { readOriginal } from "@sealane/rules";
import type { SealedEntry } from "./verify-seal.ts";

type Read<T> = { readonly body: T; readonly inner: string } | undefined;

const read = <T>(
  note: string,
  kind: string,
  schema: Parameters<typeof readStatement<T>>[2],
): Read<T> => {
  const parsed = readInnerNote(note);
  const found = parsed.ok ? readStatement(parsed.note, kind, schema) : undefined;
  return found?.ok === true
    ? { body: found.statement.body, inner: found.statement.inner ?? "" }
    : undefined;
};

const transferMessages = ({ context }: SealedEntry, terms: Terms | undefined): Message[] => {
  const { outcome, reason, time: logTime } = context;
  if (terms === undefined || outcome === "recorded") return [];
  const facts: TransferFacts = {
    transferId: terms.id,
    payer: terms.payer.participant,
    payee: terms.payee.participant,
    sent: terms.send,
    received: terms.receive,
    fees: terms.fees,
    converted: terms.converted,
    rate: terms.rate,
    outcome,
    reason,
    logTime,
  };
  return [
    { kind: "pacs.008", body: transferPacs008(facts) },
    { kind: "pacs.002", body: transferPacs002(facts) },
  ];
};

const originalOf = (origin: string, entry: string): OriginalFacts | undefined => {
  const original = readOriginal(origin, entry);
  if (original === undefined) return undefined;
  const { id, payer, payee, receive } = original.terms;
  return {
    transferId: id,
    payer: payer.participant,
    payee: payee.participant,
    received: receive,
    date: formatTime(original.timeMs).slice(0, 10),
  };
};

const returnMessages = ({ origin, inner, context }: SealedEntry): Message[] => {
  const found = read(inner, "return", returnSchema);
  const original = originalOf(origin, found?.inner ?? "");
  if (found === undefined || original === undefined) return [];
  const { id, amount, back, reason, recall } = found.body;
  const logTime = context.time;
  const body = returnPacs004({ id, original, amount, back, reason, logTime });
  const answer = recall === undefined ? undefined : { id: recall, original, logTime };
  return [
    { kind: "pacs.004", body },
    ...(answer === undefined ? [] : [{ kind: "camt.029", body: recallCamt029(answer) } as const]),
  ];
};

const recallMessages = ({ origin, inner, context }: SealedEntry): Message[] => {
  const found = read(inner, "recall", recallSchema);
  const original = originalOf(origin, found?.inner ?? "");
  if (found === undefined || original === undefined) return [];
  const { id, amount, reason } = found.body;
  const body = recallCamt056({ id, original, amount, reason, logTime: context.time });
  return [{ kind: "camt.056", body }];
};

const refusalMessages = ({ origin, inner, context }: SealedEntry): Message[] => {
  const found = read(inner, "recall-refusal", recallRefusalSchema);
  const recall = read(found?.inner ?? "", "recall", recallSchema);
  const original = originalOf(origin, recall?.inner ?? "");
  if (found === undefined || original === undefined) return [];
  const { recall: id, reason } = found.body;
  return [
    { kind: "camt.029", body: recallCamt029({ id, original, reason, logTime: context.time }) },
  ];
};

/** None for an entry of another kind, or one that does not have the terms in it. */
export const messagesOf = (sealed: SealedEntry): Message[] => {
  const { inner } = sealed;
  const termsIn = (note: string | undefined): Terms | undefined =>
    read(note ?? "", "transfer", termsSchema)?.body;
  switch (headerOf(inner)?.kind) {
    case "transfer":
      return transferMessages(sealed, termsIn(inner));
    case "rejection":
      return transferMessages(sealed, termsIn(read(inner, "rejection", rejectionSchema)?.inner));
    case "cancellation":
      return transferMessages(
        sealed,
        termsIn(read(inner, "cancellation", cancellationSchema)?.inner),
      );
    case "return":
      return returnMessages(sealed);
    case "recall":
      return recallMessages(sealed);
    case "recall-refusal":
      return refusalMessages(sealed);
    default:
      return [];
  }
};
