// The tools of a dishonest operator: take a log apart, change it, and put it together again so that
// every number, hash and operator's signature fits. What an audit then refuses, it refuses for its
// meaning.
import {
  entryContextSchema,
  readNote,
  readStatement,
  statementText,
  zeroHash,
  type EntryContext,
} from "@sealane/protocol";
import { leafHash, toBase64 } from "@sealane/tlog";
import { origin, testKeys } from "./genesis.ts";
import { signed, type TestKey } from "./keys.ts";

export type Piece = { readonly context: EntryContext; readonly inner: string };

/** What an entry says and the note inside it. */
export const takeApart = (note: string): Piece => {
  const outer = readNote(note);
  if (!outer.ok) throw new Error(`test entry: ${outer.detail}`);
  const read = readStatement(outer.note, "entry", entryContextSchema);
  if (!read.ok) throw new Error(`test entry: ${read.detail}`);
  return { context: read.statement.body, inner: read.statement.inner ?? "" };
};

/** An entry of this context as it stands, signed by the ledger's entry key or another. */
export const signPiece = (
  { context, inner }: Piece,
  key: TestKey = testKeys.entry,
  log = origin,
): string => signed(statementText(log, "entry", context, inner), [key]);

/** A log of these pieces: places, chains and hashes are made to fit. */
export const putTogether = (pieces: readonly Piece[], log = origin): string[] => {
  let prev = zeroHash;
  const chains = new Map<string, { n: number; head: string }>();
  return pieces.map(({ context, inner }, seq) => {
    const links = context.chains.map(({ participant }) => {
      const chain = chains.get(participant) ?? { n: 0, head: zeroHash };
      return { participant, n: chain.n, prev: chain.head };
    });
    const said = { ...context, seq, prev, chains: links };
    const note = signPiece({ context: said, inner }, testKeys.entry, log);
    prev = toBase64(leafHash(note));
    for (const { participant, n } of links) chains.set(participant, { n: n + 1, head: prev });
    return note;
  });
};
