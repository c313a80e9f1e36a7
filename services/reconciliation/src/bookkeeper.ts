// Keeps the books: takes the topic's messages in order, fetches what they leave out, checks every
// entry and every checkpoint, and stores a batch with one statement. One thing at a time. Whatever
// goes wrong throws the books in memory away; they are loaded again from Postgres, and nothing is
// skipped or posted twice. A fault of the log ends the work at its position.
import { setImmediate as breathe } from "node:timers/promises";
import { LogReadError, type KeyWatch, type LogReader } from "@sealane/client";
import type { EntriesMessage } from "@sealane/protocol";
import { sealedBy, type AuditState } from "@sealane/rules";
import { OperationalError } from "@sealane/runtime";
import type { TlogPolicy } from "@sealane/tlog";
import { BooksFault, type Books, type Fault, type PendingEntry } from "./books.ts";
import type { BooksStore } from "./books-store.ts";
import { makeEntryTaker } from "./entry-taker.ts";
import { readMessage } from "./read-message.ts";
import { makeSealTaker } from "./seal-taker.ts";

export type Incoming = { readonly offset: bigint; readonly value: Uint8Array | null };

export type BookkeeperDeps = {
  readonly lane: number;
  readonly origin: string;
  readonly policy: TlogPolicy;
  /** Whether entries' signatures are judged; checkpoints' always are. */
  readonly signatures: boolean;
  readonly store: BooksStore;
  readonly log: Pick<LogReader, "entries" | "checkpoint">;
  readonly keys: Pick<KeyWatch, "history" | "reach">;
  /** A message, or a part of one, that was not used; undefined: it came from the log itself. */
  readonly onDeadLetter: (record: Incoming | undefined, code: string, detail: string) => void;
  /** Entries are stored. */
  readonly onStored: (entries: readonly PendingEntry[], startedMs: number) => void;
  readonly onFault: (fault: Fault) => void;
  readonly clock: () => number;
};

/** How far the books are, for gauges and readiness. */
export type Standing = {
  readonly applied: number;
  readonly sealedSize: number;
  readonly sealedAtMs: number;
  readonly logTimeMs: number;
};

export type Bookkeeper = ReturnType<typeof makeBookkeeper>;

/** Entries that are folded at most before they are stored, and fetched at once. */
const mostPending = 2_048;
/** Hash chains and signatures hold the thread; after so many entries others may run. */
const entriesAtATime = 32;
/** How often a gap is asked for that the log says it does not have. */
const mostGapTries = 20;

export const makeBookkeeper = (deps: BookkeeperDeps) => {
  const { lane, store, log, keys } = deps;
  let books: Books | undefined;
  let standing: Standing | undefined;
  let fault: Fault | undefined;
  let known: Fault | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let gap = { offset: -1n, tries: 0 };
  let current: Incoming | undefined;
  let storing = false;

  const stray = (code: string, detail: string): void => deps.onDeadLetter(current, code, detail);
  const entries = makeEntryTaker({
    store,
    log,
    keys,
    known: () => known,
    onStray: (seq, detail) => stray("entry-not-in-log", `entry ${seq}: ${detail}`),
  });
  const seals = makeSealTaker({ policy: deps.policy, origin: deps.origin, store });

  /** The books, loaded where they are not at hand. */
  const open = async (): Promise<Books> => {
    if (books !== undefined) return books;
    const history = keys.history();
    if (history === undefined) {
      throw new OperationalError("keys-unread", "no key log yet", { retryable: true });
    }
    const headsKept = 100_000;
    books = await store.load({
      history,
      signatures: deps.signatures,
      sealed: sealedBy(deps.policy),
      keepIds: false,
      headsKept,
    });
    stand(books);
    return books;
  };

  const stand = ({ state, seal }: Books): void => {
    standing = {
      applied: state.next,
      sealedSize: seal.size,
      sealedAtMs: seal.atMs,
      logTimeMs: state.logTimeMs,
    };
  };

  const save = async (at: Books, startedMs: number): Promise<void> => {
    const { pending } = at;
    if (pending.length === 0 && !at.dirty) return;
    storing = true;
    await store.save(at);
    storing = false;
    stand(at);
    deps.onStored(pending, startedMs);
  };

  /** Takes entries from the log until the next one is `to`. @throws LogReadError */
  const fill = async (at: Books, to: number, startedMs: number): Promise<void> => {
    while (at.state.next < to) {
      const from = at.state.next;
      const upTo = Math.min(to, from - (from % 256) + 1_024);
      const notes = await log.entries(from, upTo);
      if (notes.length === 0) throw new LogReadError("log-refused", `the log has no entry ${from}`);
      for (const note of notes.slice(0, upTo - from)) {
        await entries.take(at, note, "log");
        if (at.state.next % entriesAtATime === 0) await breathe();
      }
      if (at.pending.length >= mostPending) await save(at, startedMs);
    }
  };

  const takeCheckpoint = async (at: Books, note: string, startedMs: number): Promise<void> => {
    const judged = seals.judge(note);
    if (!judged.ok) return stray(judged.code, judged.detail);
    await fill(at, judged.checkpoint.size, startedMs);
    await seals.take(at, note, judged);
  };

  /** What a message leaves out before its first entry. @returns false where the log lacks it too */
  const fillGap = async (at: Books, to: number, startedMs: number): Promise<boolean> => {
    try {
      await fill(at, to, startedMs);
      return true;
    } catch (error) {
      const refused = error instanceof LogReadError && error.code === "log-refused";
      const offset = current?.offset ?? -1n;
      gap = { offset, tries: gap.offset === offset ? gap.tries + 1 : 1 };
      if (!refused || gap.tries < mostGapTries) throw error;
      stray("gap-not-in-log", `it begins at ${to}, the log ends before`);
      return false;
    }
  };

  const takeMessage = async (at: Books, message: EntriesMessage, startedMs: number) => {
    if (!(await fillGap(at, message.from, startedMs))) return;
    for (const { seq, note, trace } of message.entries) {
      if (seq < at.state.next) continue; // told again
      await entries.take(at, note, "topic", trace);
      if (seq % entriesAtATime === 0) await breathe();
    }
    if (message.checkpoint !== undefined) await takeCheckpoint(at, message.checkpoint, startedMs);
  };

  const takeRecord = async (at: Books, record: Incoming, startedMs: number): Promise<void> => {
    if (at.nextOffset !== undefined && record.offset < at.nextOffset) return;
    current = record;
    const read = readMessage(record.value, lane);
    if (read.ok) await takeMessage(at, read.message, startedMs);
    else stray(read.code, read.detail);
    at.nextOffset = record.offset + 1n;
    at.dirty = true;
    if (at.pending.length >= mostPending) await save(at, startedMs);
  };

  const stop = (found: Fault): void => {
    fault = found;
    deps.onFault(found);
  };

  /** What stands before the fault is stored; the fault itself is told once. */
  const end = async (at: Books | undefined, found: Fault, startedMs: number): Promise<void> => {
    // The unique index refused it: load again, and stop just before it.
    if (storing && found.code === "ended-twice") {
      known = found;
      return;
    }
    if (!storing && at !== undefined) await save(at, startedMs);
    stop(found);
  };

  /** One piece of work on the books, alone; they are let go when it fails. */
  const work = (job: (at: Books, startedMs: number) => Promise<void>): Promise<void> => {
    const run = async (): Promise<void> => {
      if (fault !== undefined) throw new BooksFault(fault);
      const startedMs = deps.clock();
      storing = false;
      let at: Books | undefined;
      try {
        at = await open();
        await job(at, startedMs);
        await save(at, startedMs);
      } catch (error) {
        books = undefined;
        if (error instanceof BooksFault) await end(at, error.fault, startedMs);
        throw error;
      } finally {
        current = undefined;
      }
    };
    const result = queue.then(run);
    queue = result.catch(() => undefined);
    return result;
  };

  return {
    /** Messages of the topic, in order. @throws when they must be given again */
    take: (records: readonly Incoming[]): Promise<void> =>
      work(async (at, startedMs) => {
        for (const record of records) await takeRecord(at, record, startedMs);
      }),
    /** Looks at the log's own newest checkpoint, and takes what the topic did not bring. */
    catchUp: (): Promise<void> =>
      work(async (at, startedMs) => {
        const note = await log.checkpoint();
        if (note !== at.seal.note) await takeCheckpoint(at, note, startedMs);
      }),
    /** Where the topic is to be read from; `lost`: the stored offset is not in the topic any more. */
    nextOffset: async (lost: boolean): Promise<bigint | undefined> => {
      let next: bigint | undefined;
      await work((at) => {
        if (lost) at.nextOffset = undefined;
        next = at.nextOffset;
        return Promise.resolve();
      });
      return next;
    },
    /** Compares every balance with its postings; a difference ends the books. @returns the accounts */
    check: async (): Promise<readonly string[]> => {
      const accounts = await store.differences();
      const position = standing?.applied ?? 0;
      const detail = `not the sum of their postings: ${accounts.join(", ")}`;
      if (accounts.length > 0) stop({ position, code: "balances-differ", detail });
      return accounts;
    },
    standing: (): Standing | undefined => standing,
    /** The fold as it is now; undefined while the books are not loaded. To be read at once. */
    state: (): AuditState | undefined => books?.state,
    fault: (): Fault | undefined => fault,
  };
};
