// The lane's tables. A batch is saved by one compare-and-swap on size and epoch, with all of its rows, or
// not at all; the answer to a commit can be lost. Rows are copies: nobody shares memory with them.
import type { EntryDraft } from "@sealane/protocol";
import { toBase64, type CompactRange } from "@sealane/tlog";
import type { BatchOutcome, InboxRef } from "../batch-outcome.ts";
import {
  firstUncredited,
  laneChanges,
  restoreEntry,
  restoreOpen,
  restoreSheets,
} from "../lane-rows.ts";
import {
  emptyLaneState,
  type KnownTransfer,
  type LaneState,
  type OpenTransfer,
  type SheetState,
} from "../lane-state.ts";
import type { Balance } from "../positions.ts";
import { restoreSettlement } from "../settlement/rows.ts";
import { origin } from "../testing/genesis.ts";
import { compareRows } from "./row-oracle.ts";
import { BrokenPromise, type Sim } from "./sim.ts";

export type LogHead = {
  readonly last: string;
  readonly range: CompactRange;
  /** Leaf hash of each participant's newest entry, base64. */
  readonly chains: ReadonlyMap<string, string>;
};

export type StoredEntry = {
  readonly note: string;
  readonly hash: Uint8Array;
  readonly chains: EntryDraft["chains"];
};

export type StoredMessage = {
  readonly to: string;
  readonly n: number;
  readonly batch: number;
  readonly timeMs: number;
  readonly refs: readonly InboxRef[];
};

export type BatchToSave = {
  readonly epoch: number;
  readonly oldSize: number;
  readonly state: LaneState;
  readonly outcome: BatchOutcome;
  readonly entries: readonly StoredEntry[];
  readonly refusals: readonly string[];
  readonly head: LogHead;
  readonly batch: number;
  readonly publishedBatch: number;
  readonly sealedSize: number;
  readonly inputOffset: number;
  readonly inbox: readonly StoredMessage[];
};

export type LoadedLane = {
  readonly state: LaneState;
  readonly head: LogHead;
  readonly batch: number;
  readonly publishedBatch: number;
  readonly sealedSize: number;
  readonly inputOffset: number;
};

export type EndedRow = KnownTransfer & { readonly outcome: string; readonly refusal?: string };

type Participants = Record<
  string,
  { readonly n: number; readonly inbox: number; readonly creditedTo: number }
>;

/** What the tables' keys refuse. */
const unique = (condition: boolean, detail: string): void => {
  if (!condition) throw new BrokenPromise(2, detail);
};

const emptyRange: CompactRange = { size: 0, hashes: [] };

export type Store = ReturnType<typeof makeStore>;

export type Saved = "saved" | "fenced" | "unknown";

/** @param onSaved sees each batch that was made, in order */
export const makeStore = (sim: Sim, onSaved: (batch: BatchToSave) => void) => {
  const lane = {
    epoch: 0,
    holder: "",
    leaseUntilMs: 0,
    size: 0,
    logTimeMs: 0,
    batch: 0,
    publishedBatch: 0,
    sealedSize: 0,
    inputOffset: 0,
    uncreditedFrom: 0,
  };
  let head: LogHead = { last: toBase64(new Uint8Array(32)), range: emptyRange, chains: new Map() };
  let participants: Participants = {};
  const entries: StoredEntry[] = [];
  const open = new Map<string, string>();
  const ended = new Map<string, EndedRow>();
  const quotes = new Map<string, string>();
  const balances = new Map<string, Balance>();
  const sheets = new Map<number, SheetState>();
  const messages: StoredMessage[] = [];
  const settlement = new Map<string, string>();

  const acquire = (holder: string, leaseMs: number): number | undefined => {
    if (lane.leaseUntilMs >= sim.now && lane.holder !== holder) return undefined;
    lane.epoch += 1;
    lane.holder = holder;
    lane.leaseUntilMs = sim.now + leaseMs;
    return lane.epoch;
  };

  const renew = (epoch: number, leaseMs: number): boolean => {
    if (lane.epoch !== epoch) return false;
    lane.leaseUntilMs = sim.now + leaseMs;
    return true;
  };

  const load = (epoch: number): LoadedLane | undefined => {
    if (lane.epoch !== epoch) return undefined;
    const state = emptyLaneState(origin, 0);
    state.size = lane.size;
    state.logTimeMs = lane.logTimeMs;
    for (const [participant, row] of Object.entries(participants)) {
      state.chains.set(participant, row.n);
      state.inboxes.set(participant, row.inbox);
      state.creditedTo.set(participant, row.creditedTo);
    }
    for (const [key, balance] of balances) state.balances.set(key, { ...balance });
    restoreOpen(
      state,
      [...open.values()].map((body) => JSON.parse(body) as OpenTransfer),
    );
    restoreSheets(
      state,
      [...sheets.values()].toReversed().map((sheet) => ({ ...sheet })),
    );
    const rows = [...settlement].map(([name, body]) => ({ name, body }));
    restoreSettlement(state.settlement, rows);
    for (const { note } of entries.slice(lane.uncreditedFrom)) {
      restoreEntry(state, sim.verified(note));
    }
    const { batch, publishedBatch, sealedSize, inputOffset } = lane;
    return { state, head, batch, publishedBatch, sealedSize, inputOffset };
  };

  const write = (batch: BatchToSave): void => {
    const { state, outcome } = batch;
    const changes = laneChanges(state, outcome);
    lane.size = state.size;
    lane.logTimeMs = outcome.timeMs;
    lane.batch = batch.batch;
    lane.publishedBatch = Math.max(lane.publishedBatch, batch.publishedBatch);
    lane.sealedSize = Math.max(lane.sealedSize, batch.sealedSize);
    lane.inputOffset = batch.inputOffset;
    lane.uncreditedFrom = firstUncredited(state);
    head = batch.head;
    participants = {};
    for (const one of new Set([...state.chains.keys(), ...state.inboxes.keys()])) {
      participants[one] = {
        n: state.chains.get(one) ?? 0,
        inbox: state.inboxes.get(one) ?? 0,
        creditedTo: state.creditedTo.get(one) ?? 0,
      };
    }
    entries.push(...batch.entries);
    for (const one of changes.opened) {
      unique(!open.has(one.id), `${one.id} is reserved twice`);
      open.set(one.id, JSON.stringify(one));
    }
    for (const one of outcome.ended) {
      unique(!ended.has(one.id), `${one.id} ends twice`);
      open.delete(one.id);
      const at = outcome.refusals.findIndex(({ id, final }) => final && id === one.id);
      const refusal = at < 0 ? {} : { refusal: batch.refusals[at] ?? "" };
      ended.set(one.id, { ...one, ...refusal });
    }
    for (const { quote, id } of outcome.usedQuotes) {
      unique(!quotes.has(quote), `quote ${quote} is used twice`);
      quotes.set(quote, id);
    }
    for (const balance of changes.balances) {
      balances.set(`${balance.account} ${balance.currency}`, { ...balance });
    }
    for (const sheet of changes.sheets) sheets.set(sheet.seq, { ...sheet });
    for (const { name, body } of changes.settlement) {
      if (body === undefined) settlement.delete(name);
      else settlement.set(name, body);
    }
    messages.push(...batch.inbox);
    const again = sim.dice("rows").chance(0.06) ? load(lane.epoch) : undefined;
    if (again !== undefined) compareRows(state, again.state);
    onSaved(batch);
  };

  const save = (batch: BatchToSave): Saved => {
    const lost = sim.hits("unknown-commit", 0.03);
    if (lost && sim.dice("commit").chance(0.5)) return "unknown";
    if (lane.epoch !== batch.epoch || lane.size !== batch.oldSize) return "fenced";
    write(batch);
    return lost ? "unknown" : "saved";
  };

  return {
    lane: lane as Readonly<typeof lane>,
    entries: entries as readonly StoredEntry[],
    ended: ended as ReadonlyMap<string, EndedRow>,
    balances: balances as ReadonlyMap<string, Balance>,
    open: open as ReadonlyMap<string, string>,
    settlement: settlement as ReadonlyMap<string, string>,
    quotes: quotes as ReadonlyMap<string, string>,
    messages: messages as readonly StoredMessage[],
    sheets: sheets as ReadonlyMap<number, SheetState>,
    acquire,
    renew,
    load,
    save,
    /** Notes what was published and told when no batch carries it. */
    saveProgress: (epoch: number, publishedBatch: number, sealedSize: number): void => {
      if (lane.epoch !== epoch) return;
      lane.publishedBatch = Math.max(lane.publishedBatch, publishedBatch);
      lane.sealedSize = Math.max(lane.sealedSize, sealedSize);
    },
  };
};
