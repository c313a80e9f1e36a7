// From records of `entries.<lane>` to the books: duplicates are skipped, gaps are fetched from the
// ledger's published log, checkpoints are judged. The position is the books' own, so a crash anywhere
// repeats work and never loses or doubles it.
import type { IncomingRecord } from "@sealane/messaging";
import type { LogReader } from "@sealane/client";
import { entriesMessageSchema, parseStrictJson, type EntriesMessage } from "@sealane/protocol";
import { fromUtf8, TlogError } from "@sealane/tlog";
import type { Books } from "./books.ts";
import { sizeOf } from "./seals.ts";

export type FollowerDeps = {
  readonly lane: number;
  readonly books: Books;
  readonly log: LogReader;
  /** A record that is no message of entries: it is skipped, what it should have said is fetched. */
  readonly onUnreadable: (record: IncomingRecord, code: string, detail: string) => Promise<void>;
};

/** Entries in one transaction of the database. */
const mostEntries = 1_000;
/** Entries fetched at once: four bundles. */
const fetchStep = 1_024;

type Parsed =
  | { readonly ok: true; readonly message: EntriesMessage }
  | { readonly ok: false; readonly code: string; readonly detail: string };

const parse = (value: Uint8Array | null, lane: number): Parsed => {
  const no = (code: string, detail: string): Parsed => ({ ok: false, code, detail });
  if (value === null) return no("message-empty", "the record has no value");
  let text: string;
  try {
    text = fromUtf8(value);
  } catch (error) {
    if (error instanceof TlogError) return no("message-not-utf8", error.message);
    throw error;
  }
  const json = parseStrictJson(text, 8);
  if (!json.ok) return no(json.code, json.detail);
  const frame = entriesMessageSchema.safeParse(json.value);
  if (!frame.success) {
    const issue = frame.error.issues[0];
    return no("message-schema", `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`);
  }
  const { data } = frame;
  if (data.lane !== lane) return no("message-lane", `it is of lane ${data.lane}`);
  const inOrder = data.entries.every(({ seq }, at) => seq === data.from + at);
  return inOrder
    ? { ok: true, message: data }
    : no("message-order", "its entries are not in order");
};

/** What is collected until it is worth a transaction. */
type Pending = {
  from: number;
  notes: string[];
  boundaries: Set<number>;
  seal: string | undefined;
  nextOffset: bigint | undefined;
};

export type Follower = {
  /** Takes records in order; returns when all of it is stored, or the books have stopped. */
  take(records: readonly IncomingRecord[]): Promise<void>;
  /** Judges a checkpoint that was fetched, and stores what is newer than what is stored. */
  takeCheckpoint(note: string): Promise<void>;
  /** The largest size that anybody spoke of. */
  heard(): number;
};

export const makeFollower = ({ lane, books, log, onUnreadable }: FollowerDeps): Follower => {
  let heard = 0;

  const fetchGap = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to && books.trouble() === undefined;) {
      const end = Math.min(at - (at % fetchStep) + fetchStep, to);
      const notes = await log.entries(at, end);
      const boundaries = new Set([end]);
      await books.follow({ from: at, notes, boundaries, nextOffset: undefined });
      at = end;
    }
  };

  const flush = async (pending: Pending): Promise<void> => {
    const { from, notes, boundaries, nextOffset, seal } = pending;
    if (notes.length > 0) await books.follow({ from, notes, boundaries, nextOffset });
    else if (nextOffset !== undefined) books.reached(nextOffset);
    if (books.trouble() === undefined && seal !== undefined) await books.seal(seal);
    const next = from + notes.length;
    Object.assign(pending, { from: next, notes: [], boundaries: new Set(), seal: undefined });
  };

  const takeMessage = async (pending: Pending, message: EntriesMessage): Promise<void> => {
    const { from, entries, checkpoint } = message;
    const wanted = pending.from + pending.notes.length;
    if (from > wanted) {
      await flush(pending);
      await fetchGap(pending.from, from);
      pending.from = from;
    }
    if (books.trouble() !== undefined) return;
    const next = pending.from + pending.notes.length;
    const to = from + entries.length;
    heard = Math.max(heard, to);
    if (to > next) {
      for (const { note } of entries.slice(next - from)) pending.notes.push(note);
      pending.boundaries.add(to);
    }
    pending.seal = checkpoint ?? pending.seal;
  };

  const take = async (records: readonly IncomingRecord[]): Promise<void> => {
    const { nextSeq } = await books.position();
    const pending: Pending = {
      from: nextSeq,
      notes: [],
      boundaries: new Set(),
      seal: undefined,
      nextOffset: undefined,
    };
    for (const record of records) {
      const parsed = parse(record.value, lane);
      if (parsed.ok) await takeMessage(pending, parsed.message);
      else await onUnreadable(record, parsed.code, parsed.detail);
      if (books.trouble() !== undefined) return;
      pending.nextOffset = record.offset + 1n;
      if (pending.notes.length >= mostEntries) await flush(pending);
      if (books.trouble() !== undefined) return;
    }
    await flush(pending);
  };

  /** One at a time: the books have one state. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };

  return {
    take: (records) => inTurn(() => take(records)),
    takeCheckpoint: (note) =>
      inTurn(async () => {
        heard = Math.max(heard, sizeOf(note) ?? 0);
        if (books.trouble() === undefined) await books.seal(note);
        await books.keep();
      }),
    heard: () => heard,
  };
};
