// The ledger's answer over HTTP to a reader whose topic has a gap: the inbox's messages by number, made
// from what is stored. A proposal that has ended is left out, as a refusal that bound nothing is.
import { formatTime, type InboxBatch, type InboxItem } from "@sealane/protocol";
import type { InboxRef } from "../batch-outcome.ts";
import type { OpenTransfer } from "../lane-state.ts";
import { composeNote } from "../note-text.ts";
import type { Store, StoredMessage } from "./store.ts";

/** What a reference stands for. @param refusals of the batch itself, when it is at hand */
export const inboxItem = (
  store: Store,
  ref: InboxRef,
  refusals: readonly string[] = [],
): InboxItem | undefined => {
  switch (ref.type) {
    case "entry":
      return { type: "entry", seq: ref.seq, note: store.entries[ref.seq]?.note ?? "" };
    case "reserved":
      return { type: "reserved", id: ref.id, time: formatTime(ref.timeMs) };
    case "refusal": {
      const note = refusals[ref.index ?? -1] ?? store.ended.get(ref.id)?.refusal;
      return note === undefined ? undefined : { type: "refusal", note };
    }
    case "proposal": {
      const body = store.open.get(ref.id);
      if (body === undefined) return undefined;
      const open = JSON.parse(body) as OpenTransfer;
      return { type: "proposal", note: composeNote(open.text, open.lines) };
    }
    case "renumbered":
      return { type: "renumbered" };
    default:
      return ref satisfies never;
  }
};

export const inboxBatch = (
  store: Store,
  { to, n, timeMs, refs }: StoredMessage,
  refusals: readonly string[] = [],
): InboxBatch => {
  const items = refs.flatMap((ref) => inboxItem(store, ref, refusals) ?? []);
  return { v: 1, type: "batch", lane: 0, to, n, time: formatTime(timeMs), items };
};

export const batchReader =
  (store: Store) =>
  (participant: string, from: number, to: number): InboxBatch[] =>
    store.messages
      .filter((message) => message.to === participant && message.n >= from && message.n < to)
      .toSorted((one, other) => one.n - other.n)
      .map((message) => inboxBatch(store, message));
