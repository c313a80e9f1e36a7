// An entry's bytes as people read them. Pure; checks no signature: that is `entry-checks.ts`. What cannot
// be read is shown as what it is, `unreadable`, and never thrown.
import {
  entryContextSchema,
  headerOf,
  readNote,
  readStatement,
  termsSchema,
  type EntryContext,
  type Terms,
} from "@sealane/protocol";
import { amountOf, minorOf } from "@sealane/rules";
import { z } from "zod";
import type { EntryRow, Linked, Money, Signer } from "./api-types.ts";
import { linkedOf } from "./linked-entry.ts";

export type OpenedEntry = {
  readonly seq: number;
  readonly note: string;
  readonly context: EntryContext | undefined;
  readonly inner: string;
  readonly kind: string;
  readonly terms: Terms | undefined;
  /** Of a statement that is about a transfer. */
  readonly transferId: string | undefined;
  /** Of a return, a recall or a refusal. */
  readonly linked: Linked | undefined;
  /** Who gave up a transfer that has no terms at hand. */
  readonly body: unknown;
};

/** With all the decimals of its currency, whoever wrote it. */
export const moneyOf = ({ currency, amount }: Money): Money => {
  try {
    return { currency, amount: amountOf(minorOf(amount, currency), currency) };
  } catch {
    return { currency, amount };
  }
};

/** A statement's kind, body and inner note, whatever its schema. */
const layerOf = (text: string) => {
  const note = readNote(text);
  const kind = headerOf(text)?.kind;
  if (!note.ok || kind === undefined) return undefined;
  const read = readStatement(note.note, kind, z.unknown());
  if (!read.ok) return undefined;
  return { kind, note: note.note, body: read.statement.body, inner: read.statement.inner };
};
type Layer = NonNullable<ReturnType<typeof layerOf>>;

/** The entry, the statement in it, and what that one answers. */
export const layersOf = (note: string): Layer[] => {
  const layers: Layer[] = [];
  let next: string | undefined = note;
  while (next !== undefined && layers.length < 4) {
    const layer = layerOf(next);
    if (layer === undefined) break;
    layers.push(layer);
    next = layer.inner;
  }
  return layers;
};

export const openEntry = (seq: number, note: string): OpenedEntry => {
  const [outer, inner, answered] = layersOf(note);
  const link = linkedOf([inner, answered].filter((layer) => layer !== undefined));
  const context = entryContextSchema.safeParse(outer?.body);
  const termsLayer = [inner, answered].find((layer) => layer?.kind === "transfer");
  const terms = termsSchema.safeParse(termsLayer?.body);
  const body = inner?.body;
  const named = z.object({ id: z.string() }).safeParse(body);
  const isTransfer = ["transfer", "rejection", "cancellation"].includes(inner?.kind ?? "");
  return {
    seq,
    note,
    context: context.data,
    inner: outer?.inner ?? "",
    kind: inner?.kind ?? "unreadable",
    terms: terms.data,
    transferId: terms.data?.id ?? link?.id ?? (isTransfer ? named.data?.id : undefined),
    linked: link === undefined ? undefined : { ...link, seq, time: context.data?.time ?? "" },
    body,
  };
};

export const rowOf = (entry: OpenedEntry, sealedSize: number): EntryRow => {
  const { seq, context, kind, terms, transferId, linked } = entry;
  return {
    seq,
    time: context?.time ?? "",
    kind,
    outcome: context?.outcome ?? "unreadable",
    sealed: seq < sealedSize,
    ...(context?.reason === undefined ? {} : { reason: context.reason }),
    ...(transferId === undefined ? {} : { transferId }),
    ...(terms === undefined
      ? {}
      : {
          payer: terms.payer.participant,
          payee: terms.payee.participant,
          sent: moneyOf(terms.send),
          received: moneyOf(terms.receive),
        }),
    ...(linked?.amount === undefined
      ? {}
      : { payer: linked.participant, sent: linked.amount, reason: linked.reason }),
  };
};

const statementNames: Readonly<Record<string, string>> = {
  entry: "the entry",
  transfer: "the terms",
};

/** Who signed which of the nested statements, from the outermost in. */
export const signersOf = (note: string, terms: Terms | undefined): Signer[] =>
  layersOf(note).flatMap(({ kind, note: signed }) =>
    signed.signatures.map(({ name, keyId }) => ({
      statement: statementNames[kind] ?? `the ${kind.replaceAll("-", " ")}`,
      key: name,
      keyId: keyId.toString(16).padStart(8, "0"),
      party: partyOf(name, kind, terms),
    })),
  );

const partyOf = (key: string, kind: string, terms: Terms | undefined): string => {
  const owner = key.slice(0, key.indexOf("/"));
  if (kind === "entry") return `${owner} (operator)`;
  if (key.includes("/operators/")) return `${key.slice(key.lastIndexOf("/") + 1)} (an operator)`;
  if (owner === terms?.payer.participant) return `${owner} (payer)`;
  if (owner === terms?.payee.participant) return `${owner} (payee)`;
  return owner;
};
