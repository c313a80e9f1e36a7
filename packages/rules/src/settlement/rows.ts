// Settlement's state as rows: a name and one line of JSON, so that a service stores what changed and
// nothing else, and goes on from there without reading the log again.
import { noteSlotMove } from "./slots.ts";
import type { NetState, SettlementState } from "./state.ts";

export type SettlementRow = {
  readonly name: string;
  /** Undefined: the row is gone. */
  readonly body: string | undefined;
};

/** Kept as text with an `n`, as JSON has no such numbers. */
const big = (_key: string, value: unknown): unknown => {
  if (typeof value === "bigint") return `${value}n`;
  return value instanceof Map ? [...value] : value;
};

const toBig = (text: string): bigint => BigInt(text.slice(0, -1));

const bodyOf = (state: SettlementState, name: string): unknown => {
  if (name === "due") return state.due.length === 0 ? undefined : state.due;
  if (name === "crossings") return state.crossings.length === 0 ? undefined : state.crossings;
  if (name === "partial") return state.partial;
  if (name === "slots") return state.slots;
  const [table = "", ...rest] = name.split(" ");
  const key = rest.join(" ");
  if (table === "open") return state.open.get(key);
  if (table === "closed") return state.closed.get(key);
  if (table === "advance") return state.unbacked.get(key);
  if (table === "move") return state.moves.get(key);
  if (table === "moved") return state.unbackedMoved.get(key);
  if (table === "slot-move") return state.slotMoves.get(key);
  if (table === "returned") return state.returned.get(key);
  if (table === "recall") return state.recalls.get(key);
  return state.seen.get(key);
};

/** What changed since the rows were last taken; the state belongs to one writer, who stores them. */
export const takeSettlementRows = (state: SettlementState): SettlementRow[] => {
  const rows = [...state.dirty].map((name): SettlementRow => {
    const body = bodyOf(state, name);
    return { name, body: body === undefined ? undefined : JSON.stringify(body, big) };
  });
  state.dirty.clear();
  return rows;
};

type Stored = { readonly name: string; readonly body: string };

/** JSON drops what is undefined; the order of fields is that of a state that was never stored. */
const restoredNet = (net: NetState): NetState => {
  const { participant, totals, legs, status, why, reason, booked } = net;
  return { participant, totals, legs, status, why, reason, booked };
};

/** Fills a fresh state from stored rows. */
export const restoreSettlement = (state: SettlementState, rows: readonly Stored[]): void => {
  for (const { name, body } of rows) {
    const value = JSON.parse(body) as never;
    const [table = "", ...rest] = name.split(" ");
    const key = rest.join(" ");
    if (name === "due") state.due = value;
    else if (name === "partial") state.partial = value;
    else if (name === "slots") state.slots = value;
    else if (name === "crossings") {
      const list = value as { minor: string }[];
      state.crossings = list.map((one) => ({ ...one, minor: toBig(one.minor) })) as never;
    } else if (table === "open") {
      const { flows, ...window } = value as { flows: [string, string][] };
      const kept = new Map(flows.map(([flow, minor]) => [flow, toBig(minor)]));
      state.open.set(key, { ...window, flows: kept } as never);
    } else if (table === "closed") {
      const { nets, ...window } = value as { nets: [string, NetState][] };
      const kept = nets.map(([who, net]) => [who, restoredNet(net)] as const);
      state.closed.set(key, { ...window, nets: new Map(kept) } as never);
    } else if (table === "advance") {
      const one = value as { minor: string };
      state.unbacked.set(key, { ...one, minor: toBig(one.minor) } as never);
    } else if (table === "moved") state.unbackedMoved.set(key, toBig(value));
    else if (table === "move") state.moves.set(key, value);
    else if (table === "slot-move") state.slotMoves.set(key, value);
    else if (table === "returned") {
      const one = value as { minor: string };
      state.returned.set(key, { ...one, minor: toBig(one.minor) } as never);
    } else if (table === "recall") state.recalls.set(key, value);
    else state.seen.set(key, value);
  }
  const slotMoves = [...state.slotMoves].toSorted(([, one], [, other]) => one.seq - other.seq);
  for (const [key, move] of slotMoves) noteSlotMove(state, key, move);
  sortByEnd(state.returned);
  sortByEnd(state.recalls);
};

/** Rows come in any order; what is forgotten first comes first. */
const sortByEnd = <T extends { readonly keepUntilMs: number }>(map: Map<string, T>): void => {
  const sorted = [...map].sort(
    ([a, one], [b, other]) => one.keepUntilMs - other.keepUntilMs || (a < b ? -1 : 1),
  );
  map.clear();
  for (const [key, value] of sorted) map.set(key, value);
};
