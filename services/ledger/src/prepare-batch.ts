// Everything a batch needs before it is decided: commands opened, signatures judged, and what is
// remembered under their ids. Runs while the batch before is being saved.
import {
  seqOfChain,
  originalPlace,
  type EntryReader,
  type KeysCited,
  type KeyState,
  type KnownTransfer,
  type LaneState,
  type LinkReader,
} from "@sealane/rules";
import { formatTime, laneTopic, type DeadLetter } from "@sealane/protocol";
import { leafHash, sha256, toBase64 } from "@sealane/tlog";
import { chainsOf } from "./entry-chains.ts";
import type { LaneStore } from "./lane-store.ts";
import type { OpenedCommand, RawCommand } from "./open-command.ts";
import type { SetAsideDesk } from "./set-aside.ts";

export type Prepared = {
  readonly raw: readonly RawCommand[];
  readonly opened: readonly OpenedCommand[];
  readonly keys: KeyState;
  readonly cited: KeysCited;
  readonly known: Map<string, KnownTransfer>;
  readonly usedQuotes: Map<string, string>;
  /** Leaf hashes, base64, of the entries that credited statements name as their heads. */
  readonly headOf: (participant: string, n: number) => string | undefined;
  /** Links in the entries that chain statements name as their heads. */
  readonly linkAt: LinkReader;
  /** Entries that stand below returns, recalls and refusals. */
  readonly entryAt: EntryReader;
};

const idsOf = (opened: readonly OpenedCommand[], state: LaneState) => {
  const ids = new Set<string>();
  const quotes = new Set<string>();
  for (const one of opened) {
    if (!one.ok) continue;
    const command = one.command.kind === "set-aside" ? one.command.of : one.command;
    if (command === undefined || command.kind === "set-aside") continue;
    if (command.kind === "acceptance") ids.add(command.id);
    else if ("id" in command.body) ids.add(command.body.id);
    if (command.kind === "intent" && command.body.quote !== command.body.id) {
      quotes.add(command.body.quote);
    }
  }
  // A transfer that is open has not ended: most acceptances need no look-up.
  for (const id of ids) if (state.open.has(id)) ids.delete(id);
  return { ids: [...ids], quotes: [...quotes] };
};

export const prepareBatch = async (
  store: LaneStore,
  state: LaneState,
  cosigned: { readonly keys: KeyState; readonly cited: KeysCited },
  raw: readonly RawCommand[],
  open: SetAsideDesk["open"],
): Promise<Prepared> => {
  const { keys, cited } = cosigned;
  const opened = await Promise.all(raw.map((record) => open(record, state, keys)));
  const { ids, quotes } = idsOf(opened, state);
  const [found, headOf, linkAt, entryAt] = await Promise.all([
    store.lookUp(ids, quotes),
    readHeads(store, state, opened),
    readLinks(store, opened),
    readOriginals(store, opened),
  ]);
  return { raw, opened, keys, cited, headOf, linkAt, entryAt, ...found };
};

/** Returns are few: each original is read from its place. */
const readOriginals = async (
  store: LaneStore,
  opened: readonly OpenedCommand[],
): Promise<EntryReader> => {
  const entries = new Map<number, string>();
  for (const one of opened) {
    if (!one.ok) continue;
    const seq = originalPlace(one.command);
    if (seq === undefined) continue;
    const [bytes] = await store.readEntries(seq, seq + 1);
    if (bytes !== undefined) entries.set(seq, bytes.toString("utf8"));
  }
  return (seq) => entries.get(seq);
};

/** A few a day and participant: each head is read from its entry. */
const readLinks = async (
  store: LaneStore,
  opened: readonly OpenedCommand[],
): Promise<LinkReader> => {
  const links = new Map<string, { readonly n: number; readonly head: string }>();
  for (const one of opened) {
    if (!one.ok || one.command.kind !== "statement") continue;
    const { size } = one.command.body;
    const [bytes] = await store.readEntries(size - 1, size);
    if (bytes === undefined) continue;
    const head = toBase64(leafHash(bytes));
    for (const { participant, n } of chainsOf(bytes.toString("utf8"))) {
      links.set(`${participant} ${size - 1}`, { n, head });
    }
  }
  return (participant, seq) => links.get(`${participant} ${seq}`);
};

const readHeads = async (
  store: LaneStore,
  state: LaneState,
  opened: readonly OpenedCommand[],
): Promise<Prepared["headOf"]> => {
  const seqs = opened.flatMap((one) => {
    if (!one.ok || one.command.kind !== "credited") return [];
    const { participant, upTo } = one.command.body;
    return seqOfChain(state, participant, upTo) ?? [];
  });
  const leaves = await store.readLeaves(seqs);
  return (participant, n) => {
    const leaf = leaves.get(seqOfChain(state, participant, n) ?? -1);
    return leaf === undefined ? undefined : toBase64(leaf);
  };
};

/** What is kept of input that could not be used: no body. */
export const deadLettersOf = (
  lane: number,
  prepared: Prepared,
  decided: readonly { readonly offset: bigint; readonly code: string; readonly detail: string }[],
  timeMs: number,
): DeadLetter[] => {
  const refused = prepared.opened.flatMap((one) => (one.ok ? [] : [one]));
  if (refused.length + decided.length === 0) return [];
  const values = new Map(prepared.raw.map(({ offset, value }) => [offset, value]));
  return [...refused, ...decided].map(({ offset, code, detail }) => {
    const value = values.get(offset) ?? new Uint8Array();
    return {
      v: 1,
      topic: laneTopic(lane),
      offset: String(offset),
      size: value.length,
      hash: toBase64(sha256(value)),
      code,
      detail: detail.slice(0, 300),
      time: formatTime(timeMs),
    };
  });
};
