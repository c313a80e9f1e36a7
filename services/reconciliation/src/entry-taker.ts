// Takes one entry into the fold. What the fold lacks is fetched and the entry judged again: an
// older hash from Postgres, newer keys from the key log. What came by the topic and does not stand
// is looked up in the log itself, for the topic's frame proves nothing; what is in the log and does
// not stand ends the books there.
import type { KeyWatch, LogReader } from "@sealane/client";
import { entryContextSchema, readNote, readStatement } from "@sealane/protocol";
import { auditEntry, lendHead, lendLeaf, type AuditRefusal } from "@sealane/rules";
import { OperationalError } from "@sealane/runtime";
import { toBase64 } from "@sealane/tlog";
import { BooksFault, pendingOf, type Books, type Fault } from "./books.ts";
import type { BooksStore } from "./books-store.ts";

export type EntryTakerDeps = {
  readonly store: Pick<BooksStore, "headOf" | "leafAt">;
  readonly log: Pick<LogReader, "entries">;
  readonly keys: Pick<KeyWatch, "history" | "reach">;
  /** A place that is known not to stand, found out when it was stored. */
  readonly known: () => Fault | undefined;
  /** The topic carried something that the log does not have. */
  readonly onStray: (seq: number, detail: string) => void;
};

export type EntryTaker = {
  /** @throws BooksFault; OperationalError to be tried again */
  take(books: Books, note: string, from: "topic" | "log", trace?: string): Promise<void>;
};

/** Size of the key log that an entry cites, or 0 when that cannot be read. */
const citedSize = (entry: string): number => {
  const note = readNote(entry);
  const read = note.ok ? readStatement(note.note, "entry", entryContextSchema) : undefined;
  return read?.ok === true ? read.statement.body.keys.size : 0;
};

export const makeEntryTaker = (deps: EntryTakerDeps): EntryTaker => {
  const { store, log, keys } = deps;

  const reachKeys = async ({ state }: Books, size: number): Promise<void> => {
    await keys.reach(size);
    const history = keys.history();
    if (history === undefined || history.size < size) {
      const message = `the key log has ${history?.size ?? 0} entries, not ${size}`;
      throw new OperationalError("key-log-behind", message, { retryable: true });
    }
    state.history = history;
  };

  /** Fetches what the refusal asks for. @returns whether it is worth judging again */
  const supply = async (books: Books, note: string, why: AuditRefusal): Promise<boolean> => {
    if (why.needs !== undefined) {
      const { participant, n } = why.needs;
      const hash = await store.headOf(participant, n);
      if (hash !== undefined) lendHead(books.state, participant, n, hash);
      return hash !== undefined;
    }
    if (why.needsLeaf !== undefined) {
      const waiting = books.pending.find(({ seq }) => seq === why.needsLeaf)?.leafHash;
      const hash = waiting === undefined ? await store.leafAt(why.needsLeaf) : toBase64(waiting);
      if (hash !== undefined) lendLeaf(books.state, why.needsLeaf, hash);
      return hash !== undefined;
    }
    const size = citedSize(note);
    if (size <= books.state.history.size) return false;
    await reachKeys(books, size);
    return true;
  };

  const judge = async (books: Books, note: string): Promise<AuditRefusal | undefined> => {
    const { state } = books;
    const newest = keys.history();
    if (newest !== undefined && newest.size > state.history.size) state.history = newest;
    for (;;) {
      const result = auditEntry(state, note);
      if (!result.ok) {
        if (await supply(books, note, result)) continue;
        return result;
      }
      const cited = state.history.states[result.entry.context.keys.size];
      books.pending.push(pendingOf(result.entry, cited, result.leafHash, undefined));
      books.trees.add(state.range, state.logTimeMs);
      return undefined;
    }
  };

  const take: EntryTaker["take"] = async (books, note, from, trace) => {
    const position = books.state.next;
    const known = deps.known();
    if (known?.position === position) throw new BooksFault(known);
    const why = await judge(books, note);
    if (why === undefined) {
      const last = books.pending.at(-1);
      if (last !== undefined && trace !== undefined) {
        books.pending[books.pending.length - 1] = { ...last, trace };
      }
      return;
    }
    if (from === "topic") {
      const [logged] = await log.entries(position, position + 1);
      if (logged !== undefined && logged !== note) {
        deps.onStray(position, `${why.code}: ${why.detail}`);
        return take(books, logged, "log", trace);
      }
    }
    throw new BooksFault({ position, code: why.code, detail: why.detail });
  };

  return { take };
};
