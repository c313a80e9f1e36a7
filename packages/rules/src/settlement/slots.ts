// Which lane decides an id, slot by slot. The key log says who should; a slot leaves its lane by an entry
// that names the ids still open there, and is decided by the other lane from the entry on that takes it in.
// In between nobody decides it. So no id is decided twice, whatever each lane has read of the key log.
import { slotCount, slotOf, type LanesRecord, type SlotsOut } from "@sealane/protocol";
import type { KeyState } from "../key-state.ts";
import type { SettlementState, SlotMove, SlotRange } from "./state.ts";

type SettlementFault = { readonly code: string; readonly detail: string };

const no = (code: string, detail: string): SettlementFault => ({ code, detail });

type Owners = readonly (string | undefined)[];

/** More ids than these, and an entry around the entry would be too large: such a slot leaves later. */
export const mostOpenIds = 400;
const mostRanges = 64;

const slotsIn = (ranges: readonly SlotRange[]): number[] =>
  ranges.flatMap(({ from, to }) =>
    Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at),
  );

const tables = new WeakMap<object, Owners>();

const ownersIn = (key: object, records: readonly LanesRecord[]): Owners => {
  const known = tables.get(key);
  if (known !== undefined) return known;
  const table = Array.from({ length: slotCount }, (): string | undefined => undefined);
  const given = records.flatMap(({ lanes }) => lanes);
  for (const { origin, slots } of given) {
    for (const slot of slotsIn(slots)) table[slot] ??= origin;
  }
  tables.set(key, table);
  return table;
};

/** Whom the key log gave each slot first: it had nobody to take it over from. */
const firstOwners = ({ laneRecords }: KeyState): Owners => ownersIn(laneRecords, laneRecords);

/** Whom the key log gives each slot now. */
const ownersNow = ({ lanes }: KeyState): Owners =>
  lanes === undefined ? [] : ownersIn(lanes, [lanes]);

const includes = (ranges: readonly SlotRange[], slot: number): boolean =>
  ranges.some(({ from, to }) => from <= slot && slot < to);

/** Whether this lane decides a slot: given first and not let go, or taken in and not let go since. */
export const decidesSlot = (
  { slots }: SettlementState,
  keys: KeyState,
  origin: string,
  slot: number,
): boolean => (slots === undefined ? firstOwners(keys)[slot] === origin : includes(slots, slot));

/** Whether an id was open in another lane when that one let its slot go: it ends there. */
export const heldElsewhere = ({ heldIds }: SettlementState, id: string): string | undefined =>
  heldIds.size === 0 ? undefined : heldIds.get(id);

/** Whether an entry of this lane may be about an id: its slot is decided here, or was, with it open. */
export const mayEndHere = (
  state: SettlementState,
  keys: KeyState,
  origin: string,
  id: string,
): boolean =>
  decidesSlot(state, keys, origin, slotOf(id)) ||
  (state.slots !== undefined && state.openIds.has(id));

const rangesOf = (slots: readonly number[]): SlotRange[] => {
  const ranges: SlotRange[] = [];
  for (const slot of slots) {
    const last = ranges.at(-1);
    if (last?.to === slot) ranges[ranges.length - 1] = { from: last.from, to: slot + 1 };
    else ranges.push({ from: slot, to: slot + 1 });
  }
  return ranges;
};

export type SlotsLeaving = {
  readonly out: readonly SlotsOut[];
  /** Some have to leave that have too many open transfers: later. */
  readonly crowded: boolean;
};

/** Cuts the slots that leave for one lane into entries that fit. */
const cut = (
  to: string,
  slots: readonly number[],
  open: ReadonlyMap<number, string[]>,
): SlotsLeaving => {
  const out: SlotsOut[] = [];
  let crowded = false;
  let [own, ids]: [number[], string[]] = [[], []];
  const flush = (): void => {
    if (own.length > 0) out.push({ to, slots: rangesOf(own), open: ids.toSorted() });
    [own, ids] = [[], []];
  };
  for (const slot of slots) {
    const here = open.get(slot) ?? [];
    if (here.length > mostOpenIds) {
      crowded = true;
      continue;
    }
    const fits = ids.length + here.length <= mostOpenIds && rangesOf(own).length < mostRanges;
    if (!fits) flush();
    own.push(slot);
    ids.push(...here);
  }
  flush();
  return { out, crowded };
};

/**
 * What has to leave this lane by the key log as it is now.
 * @param openIds of transfers that are open in the lane
 */
export const slotsLeaving = (
  state: SettlementState,
  keys: KeyState,
  origin: string,
  openIds: () => Iterable<string>,
): SlotsLeaving => {
  const leaving = new Map<string, number[]>();
  for (const [slot, to] of ownersNow(keys).entries()) {
    if (to === undefined || to === origin || !decidesSlot(state, keys, origin, slot)) continue;
    leaving.set(to, [...(leaving.get(to) ?? []), slot]);
  }
  if (leaving.size === 0) return { out: [], crowded: false };
  const open = new Map<number, string[]>();
  // What is open elsewhere stays so, whoever decides the slot next.
  for (const id of new Set([...openIds(), ...state.heldIds.keys()])) {
    const slot = slotOf(id);
    open.set(slot, [...(open.get(slot) ?? []), id]);
  }
  const cuts = [...leaving].map(([to, slots]) => cut(to, slots, open));
  return { out: cuts.flatMap(({ out }) => out), crowded: cuts.some(({ crowded }) => crowded) };
};

/** Why slots may not leave, or undefined. */
export const slotsOutFault = (
  state: SettlementState,
  keys: KeyState,
  origin: string,
  { to, slots, open }: SlotsOut,
): SettlementFault | undefined => {
  const now = ownersNow(keys);
  const all = slotsIn(slots);
  if (to === origin || all.length === 0) return no("slots-malformed", "it lets nothing go");
  const strange = all.find((slot) => now[slot] !== to || !decidesSlot(state, keys, origin, slot));
  if (strange !== undefined)
    return no("wrong-lane", `slot ${strange} does not go from here to ${to}`);
  const sorted = JSON.stringify([...new Set(open)].toSorted()) === JSON.stringify(open);
  const inside = open.every((id) => all.includes(slotOf(id)));
  if (sorted && inside && new Set(all).size === all.length) return undefined;
  return no("slots-malformed", "slots or ids are twice, out of order or of other slots");
};

/** Slots that another lane let go, as its entry says. */
export type SlotsGone = {
  readonly from: string;
  readonly seq: number;
  readonly body: SlotsOut;
  readonly leaf: string;
};

const slotsInKey = ({ from, seq }: SlotsGone): string => `in ${from} ${seq}`;

/** Why slots may not be taken in, or undefined. `statement-repeated`: they were, which is no harm. */
export const slotsInFault = (
  state: SettlementState,
  keys: KeyState,
  origin: string,
  gone: SlotsGone,
): SettlementFault | undefined => {
  const { body, leaf } = gone;
  if (body.to !== origin) return no("wrong-lane", `they were let go for ${body.to}`);
  const before = state.slotMoves.get(slotsInKey(gone));
  if (before !== undefined) {
    return before.hash === leaf
      ? no("statement-repeated", `entry ${gone.seq} of ${gone.from}`)
      : no("statement-reused", `another entry ${gone.seq} of ${gone.from} was taken in`);
  }
  const twice = slotsIn(body.slots).find((slot) => decidesSlot(state, keys, origin, slot));
  return twice === undefined
    ? undefined
    : no("wrong-lane", `slot ${twice} is decided here already`);
};

const keep = (state: SettlementState, key: string, move: SlotMove): void => {
  state.slotMoves.set(key, move);
  noteSlotMove(state, key, move);
  state.dirty.add(`slot-move ${key}`);
  state.dirty.add("slots");
};

/** What follows from a move that is remembered: ids that are others', or still this lane's to end. */
export const noteSlotMove = (
  state: SettlementState,
  key: string,
  { lane, body }: SlotMove,
): void => {
  for (const id of body.open) {
    if (key.startsWith("out ")) state.openIds.add(id);
    else if (!state.openIds.has(id)) state.heldIds.set(id, lane);
  }
};

const slotsOf = (state: SettlementState, keys: KeyState, origin: string): number[] =>
  Array.from({ length: slotCount }, (_, slot) => slot).filter((slot) =>
    decidesSlot(state, keys, origin, slot),
  );

/** Slots leave in which nothing is at fault. @param seq place of the entry */
export const applySlotsOut = (
  state: SettlementState,
  keys: KeyState,
  origin: string,
  body: SlotsOut,
  seq: number,
): void => {
  const left = slotsOf(state, keys, origin).filter((slot) => !includes(body.slots, slot));
  state.slots = rangesOf(left);
  keep(state, `out ${seq}`, { seq, outSeq: seq, lane: body.to, body, hash: "" });
};

/** Slots come in. @param seq place of the entry that takes them in */
export const applySlotsIn = (
  state: SettlementState,
  keys: KeyState,
  origin: string,
  gone: SlotsGone,
  seq: number,
): void => {
  const { from, body, leaf, seq: outSeq } = gone;
  const all = [...slotsOf(state, keys, origin), ...slotsIn(body.slots)];
  state.slots = rangesOf(all.toSorted((one, other) => one - other));
  keep(state, slotsInKey(gone), { seq, outSeq, lane: from, body, hash: leaf });
};
