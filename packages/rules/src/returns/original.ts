// The transfer that a return gives back, read from its entry, which stands whole below the return and
// below a recall. Reading proves nothing: the lane holds the bytes against its own entry of that place,
// an auditor their hash, and who has nothing but a receipt judges the entry's signatures.
import {
  entryContextSchema,
  parseTime,
  readNote,
  readStatement,
  termsSchema,
  type OriginalRef,
  type Terms,
} from "@sealane/protocol";
import { leafHash, toBase64 } from "@sealane/tlog";

export type Original = {
  readonly terms: Terms;
  readonly seq: number;
  /** Leaf hash of its entry, base64. */
  readonly hash: string;
  /** Log time of its entry. */
  readonly timeMs: number;
  /** Its number in the payee's own chain: a credited statement from there on covers it. */
  readonly payeeN: number;
};

/** A committed transfer, read from its entry as published; undefined when it is none of this log. */
export const readOriginal = (origin: string, note: string): Original | undefined => {
  const outer = readNote(note);
  if (!outer.ok) return undefined;
  const entry = readStatement(outer.note, "entry", entryContextSchema);
  if (!entry.ok || entry.statement.origin !== origin) return undefined;
  const { body: context, inner } = entry.statement;
  const signed = readNote(inner ?? "");
  if (!signed.ok || context.outcome !== "committed") return undefined;
  const read = readStatement(signed.note, "transfer", termsSchema);
  if (!read.ok || read.statement.origin !== origin) return undefined;
  const terms = read.statement.body;
  const link = context.chains.find(({ participant }) => participant === terms.payee.participant);
  if (link === undefined) return undefined;
  const hash = toBase64(leafHash(note));
  return { terms, seq: context.seq, hash, timeMs: parseTime(context.time), payeeN: link.n };
};

/** How a return or a recall names it. */
export const refOf = ({ terms, seq, hash }: Original): OriginalRef => ({ id: terms.id, seq, hash });

export const isNamed = (original: Original, ref: OriginalRef): boolean =>
  ref.id === original.terms.id && ref.seq === original.seq && ref.hash === original.hash;
