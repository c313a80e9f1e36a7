// From references to messages: one message per participant and batch, one for the operator's own
// services, all in one produce request. Bodies come from the batch itself, or from the tables when
// something is told again. Publishing twice is harmless: receivers dedupe by number.
import {
  deadLetterTopic,
  entriesTopic,
  formatTime,
  inboxTopic,
  type DeadLetter,
  type EntriesMessage,
  type EntryItem,
  type InboxBatch,
  type InboxItem,
  type InboxSeal,
} from "@sealane/protocol";
import type { OpenTransfer } from "@sealane/rules";
import { composeNote, toBase64 } from "@sealane/tlog";
import type { AssembledEntry, StoredMessage } from "./batch-to-save.ts";
import type { LaneStore } from "./lane-store.ts";

export type Outgoing = {
  readonly topic: string;
  readonly key: string;
  readonly value: string | Buffer;
};

/** What the messages of one batch may refer to, by reference. */
export type Bodies = {
  readonly entries: ReadonlyMap<number, EntryItem>;
  readonly open: ReadonlyMap<string, OpenTransfer>;
  readonly refusalNotes: readonly string[];
  /** Traces to go on with, by transfer id. */
  readonly traces: ReadonlyMap<string, string>;
};

export const entryItem = (entry: AssembledEntry, trace: string | undefined): EntryItem => ({
  type: "entry",
  seq: entry.seq,
  note: entry.note,
  ...(trace === undefined ? {} : { trace }),
});

/** An entry goes to three inboxes and to the operator's services: written as JSON, in UTF-8, once. */
const written = new WeakMap<InboxItem, Buffer>();

const bytesOf = (item: InboxItem): Buffer => {
  const known = written.get(item);
  if (known !== undefined) return known;
  const bytes = Buffer.from(JSON.stringify(item), "utf8");
  written.set(item, bytes);
  return bytes;
};

const comma = Buffer.from(",");

/** A frame around items that are JSON already: its only empty list is where they go. */
const withItems = (frame: InboxBatch | EntriesMessage, items: readonly InboxItem[]): Buffer => {
  const text = JSON.stringify(frame);
  const at = text.indexOf("[]") + 1;
  const between = items.flatMap((item, n) => (n === 0 ? [bytesOf(item)] : [comma, bytesOf(item)]));
  return Buffer.concat([Buffer.from(text.slice(0, at)), ...between, Buffer.from(text.slice(at))]);
};

const batchBytes = ({ items, ...frame }: InboxBatch): Buffer =>
  withItems({ ...frame, items: [] }, items);

const noBodies: Bodies = {
  entries: new Map(),
  open: new Map(),
  refusalNotes: [],
  traces: new Map(),
};

/** Builds the messages that stored references stand for; a proposal that has ended is left out. */
export const makeMessageBuilder = (store: LaneStore, lane: number) => {
  const readEntry = async (seq: number): Promise<EntryItem> => {
    const [bytes] = await store.readEntries(seq, seq + 1);
    if (bytes === undefined) throw new Error(`broken invariant: entry ${seq} is not stored`);
    return { type: "entry", seq, note: bytes.toString("utf8") };
  };

  const item = async (
    ref: StoredMessage["refs"][number],
    bodies: Bodies,
  ): Promise<InboxItem | undefined> => {
    switch (ref.type) {
      case "entry":
        return bodies.entries.get(ref.seq) ?? readEntry(ref.seq);
      case "reserved":
        return { type: "reserved", id: ref.id, time: formatTime(ref.timeMs) };
      case "refusal": {
        const fresh = ref.index === undefined ? undefined : bodies.refusalNotes[ref.index];
        const note = fresh ?? (await store.readRefusal(ref.id));
        const trace = bodies.traces.get(ref.id);
        if (note === undefined) return undefined;
        return { type: "refusal", note, ...(trace === undefined ? {} : { trace }) };
      }
      case "proposal": {
        const open = bodies.open.get(ref.id);
        if (open === undefined) return undefined;
        const trace = bodies.traces.get(ref.id) ?? open.trace;
        return {
          type: "proposal",
          note: composeNote(open.text, open.lines),
          ...(open.envelope === undefined ? {} : { envelope: open.envelope }),
          ...(trace === undefined ? {} : { trace }),
        };
      }
      case "renumbered":
        return { type: "renumbered" };
      default:
        return ref satisfies never;
    }
  };

  const inboxBatch = async (
    message: StoredMessage,
    bodies: Bodies = noBodies,
  ): Promise<InboxBatch> => {
    const items: InboxItem[] = [];
    for (const ref of message.refs) {
      const found = await item(ref, bodies);
      if (found !== undefined) items.push(found);
    }
    return {
      v: 1,
      type: "batch",
      lane,
      to: message.participant,
      n: message.n,
      time: formatTime(message.timeMs),
      items,
    };
  };

  const inboxMessages = async (
    messages: readonly StoredMessage[],
    bodies: Bodies,
  ): Promise<Outgoing[]> => {
    const built: Outgoing[] = [];
    for (const message of messages) {
      built.push({
        topic: inboxTopic(message.participant),
        key: message.participant,
        value: batchBytes(await inboxBatch(message, bodies)),
      });
    }
    return built;
  };

  return { inboxBatch, inboxMessages };
};

/** The broker takes 1 MiB; what is measured in characters here is escaped once more on the way. */
export const mostMessageChars = 400_000;

/** Cuts a list into runs whose sizes stay below `most` together; a larger one stands alone. */
export const cutBySize = <T>(
  list: readonly T[],
  most: number,
  sizeOf: (one: T) => number,
): T[][] => {
  const runs: T[][] = [];
  let room = 0;
  for (const one of list) {
    const size = sizeOf(one);
    const last = runs.at(-1);
    if (last === undefined || size > room) {
      runs.push([one]);
      room = most - size;
    } else {
      last.push(one);
      room -= size;
    }
  }
  return runs;
};

/** Entries for the operator's services, in messages below the broker's limit. */
export const entriesMessages = (
  lane: number,
  from: number,
  entries: readonly EntryItem[],
  checkpoint?: string,
): Outgoing[] => {
  const message = (at: number, part: readonly EntryItem[]): Outgoing => {
    const body: EntriesMessage = {
      v: 1,
      lane,
      from: at,
      entries: [],
      ...(checkpoint === undefined ? {} : { checkpoint }),
    };
    return { topic: entriesTopic(lane), key: String(lane), value: withItems(body, part) };
  };
  if (entries.length === 0) return [message(from, [])];
  return cutBySize(entries, mostMessageChars, ({ note }) => note.length).map((part) =>
    message(part[0]?.seq ?? from, part),
  );
};

export type SealedEntry = {
  readonly seq: number;
  readonly chains: readonly { readonly participant: string; readonly n: number }[];
};

/** Tells each participant which of its entries a quorum has cosigned, with their proofs. */
export const sealMessages = (
  lane: number,
  checkpoint: string,
  entries: readonly SealedEntry[],
  proofOf: (seq: number) => readonly Uint8Array[],
): Outgoing[] => {
  const perParticipant = new Map<string, { fromN: number; toN: number; seqs: number[] }>();
  for (const { seq, chains } of entries) {
    for (const { participant, n } of chains) {
      const known = perParticipant.get(participant);
      if (known === undefined) perParticipant.set(participant, { fromN: n, toN: n, seqs: [seq] });
      else {
        known.toN = n;
        known.seqs.push(seq);
      }
    }
  }
  const proofs = new Map<number, { seq: number; hashes: string[] }>();
  const proof = (seq: number) => {
    const known = proofs.get(seq);
    if (known !== undefined) return known;
    const made = { seq, hashes: proofOf(seq).map(toBase64) };
    proofs.set(seq, made);
    return made;
  };
  return [...perParticipant].flatMap(([to, { fromN, toN, seqs }]) => {
    const parts: Outgoing[] = [];
    const most = 300;
    for (let at = 0; at < seqs.length; at += most) {
      const part = seqs.slice(at, at + most);
      const seal: InboxSeal = {
        v: 1,
        type: "seal",
        lane,
        to,
        fromN: fromN + at,
        toN: at + most >= seqs.length ? toN : fromN + at + most - 1,
        checkpoint,
        proofs: part.map(proof),
      };
      parts.push({ topic: inboxTopic(to), key: to, value: JSON.stringify(seal) });
    }
    return parts;
  });
};

export const deadLetterMessage = (service: string, letter: DeadLetter): Outgoing => ({
  topic: deadLetterTopic(service),
  key: letter.hash,
  value: JSON.stringify(letter),
});
