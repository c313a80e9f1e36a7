// Slots that move between two lanes: who decides an id before, between and after the two entries, what
// becomes of transfers that were open, and that no id ends in both lanes, whatever is said where.
import { slotOf } from "@sealane/protocol";
import { expect, test } from "vitest";
import { restoreSettlement, takeSettlementRows } from "./rows.ts";
import { mostOpenIds, slotsLeaving } from "./slots.ts";
import { emptySettlement } from "./state.ts";
import { auditEntry } from "../audit.ts";
import { compareMoves, lanesMoves } from "../audit-moves.ts";
import { sealedBy } from "../carried.ts";
import type { KnownTransfer } from "../lane-state.ts";
import {
  begin,
  carriedFrom,
  deadCodes,
  innerKinds,
  lanesRecord,
  makeFundedWorld,
  makeWorld,
  policyOfTwo,
  slotsIn,
  testKeys,
  type Batch,
  type World,
} from "../testing/index.ts";

type Lanes = { readonly first: World; readonly second: World };

/** Both lanes with cover and a sheet; the test transfers' ids are of the first one's half, or so divided. */
const twoLanes = (): Lanes => {
  const first = makeFundedWorld({ twoLanes: true });
  const second = makeWorld({ twoLanes: true }, { lane: 1, keyLog: first.keyLog });
  second.fund();
  second.publishSheet();
  return { first, second };
};

/** A key of a transfer whose id is in this lane's half. */
const keyOf = (lane: 0 | 1, world: World, skip = 0): string => {
  const keys = Array.from({ length: 200 }, (_, at) => `key-${at}`).filter((key) => {
    const half = slotOf(world.terms({ key }).id) < 512 ? 0 : 1;
    return half === lane;
  });
  return keys[skip] ?? "";
};

/** The key log gives all slots to one lane. */
const giveAll = ({ first }: Lanes, lane: 0 | 1): void => {
  const all = [{ from: 0, to: 1_024 }];
  const body = lane === 0 ? lanesRecord(all, []) : lanesRecord([], all);
  first.keyLog.log("lanes", body, [testKeys.alice, testKeys.bob], first.nowMs());
};

const checksOf = (world: World) => ({
  origin: world.origin,
  history: world.keyLog.history(),
  signatures: true,
  sealed: sealedBy(policyOfTwo),
});

const placeOf = (world: World, kind: string): number =>
  world.entries.findLastIndex((note) => note.split("\n")[2]?.includes(`/${kind}/v1`));

const takeIn = (from: World, to: World): Batch =>
  to.run([slotsIn(to.keys(), checksOf(to), carriedFrom(from, placeOf(from, "slots-out")))]);

/** What the lanes' tables share: how ids ended, and where. */
const share = ({ first, second }: Lanes): void => {
  for (const [from, to, lane] of [
    [first, second, 0],
    [second, first, 1],
  ] as const) {
    for (const [id, ended] of [...from.known] as [string, KnownTransfer][]) {
      if (!to.known.has(id)) to.known.set(id, { lane, ...ended });
    }
  }
};

const codes = ({ outcome }: Batch): string[] => outcome.refusals.map(({ code }) => code);

const audited = ({ first, second }: Lanes) =>
  [first, second].map((world) => {
    const state = { ...begin(world), sealed: sealedBy(policyOfTwo) };
    for (const note of world.entries) expect(auditEntry(state, note)).toMatchObject({ ok: true });
    return state;
  });

/** As a process that dies finds them again. */
const restored = (world: World): void => {
  const fresh = emptySettlement();
  const rows = takeSettlementRows(world.state.settlement);
  restoreSettlement(
    fresh,
    rows.flatMap(({ name, body }) => (body === undefined ? [] : { name, body })),
  );
  const { slots, slotMoves, openIds, heldIds } = world.state.settlement;
  expect(fresh).toMatchObject({ slots, slotMoves, openIds, heldIds });
};

test("nobody decides a slot between the lane that lets it go and the one that takes it in", () => {
  const lanes = twoLanes();
  const { first, second } = lanes;
  const key = keyOf(0, first);
  expect(codes(second.run([second.intent({ key })]))).toEqual(["wrong-lane"]);
  giveAll(lanes, 1);
  const left = first.run([first.intent({ key })]);
  expect([innerKinds(left), codes(left)]).toEqual([["slots-out"], ["wrong-lane"]]);
  expect(codes(second.run([second.intent({ key })]))).toEqual(["wrong-lane"]);
  expect(innerKinds(takeIn(first, second))).toEqual(["slots-in"]);
  const decided = second.run([second.intent({ key })]);
  expect(decided.outcome.reserved).toHaveLength(1);
  expect(codes(first.run([first.intent({ key })]))).toEqual(["wrong-lane"]);
  audited(lanes);
  restored(first);
  restored(second);
});

test("what was open ends where it is, and is never decided by the other lane", () => {
  const lanes = twoLanes();
  const { first, second } = lanes;
  const key = keyOf(0, first);
  const open = first.intent({ key });
  const { id } = open.body;
  first.run([open]);
  giveAll(lanes, 1);
  expect(first.run([]).outcome.entries[0]?.inner).toContain(id);
  takeIn(first, second);
  expect(codes(second.run([second.intent({ key })]))).toEqual(["wrong-lane"]);
  const early = second.run([second.cancel(id, {})]);
  expect([early.outcome.ended, deadCodes(early)]).toEqual([[], ["wrong-log"]]);
  expect(innerKinds(first.run([first.accept(id)]))).toEqual(["transfer"]);
  share(lanes);
  // Said again, it is told by the lane that ended it, and by no other.
  expect(codes(second.run([second.intent({ key })]))).toEqual(["wrong-lane"]);
  expect(first.run([first.intent({ key })]).outcome.refusals).toEqual([]);
  const [one, other] = audited(lanes);
  expect(one?.ids?.has(id)).toBe(true);
  expect(other?.ids?.has(id)).toBe(false);
});

test("an audit refuses a transfer of a slot that has left, unless it was open then", () => {
  const lanes = twoLanes();
  const { first } = lanes;
  giveAll(lanes, 1);
  first.run([]);
  // A ledger that goes on as if it had let nothing go.
  first.state.settlement.slots = [{ from: 0, to: 512 }];
  first.transfer({ key: keyOf(0, first) });
  const state = begin(first);
  const results = first.entries.map((note) => auditEntry(state, note));
  expect(results.find(({ ok }) => !ok)).toMatchObject({ code: "wrong-lane" });
});

test("slots go back, and every move is found in both lanes' audits", () => {
  const lanes = twoLanes();
  const { first, second } = lanes;
  giveAll(lanes, 1);
  first.run([]);
  takeIn(first, second);
  expect(takeIn(first, second).outcome.entries).toEqual([]);
  giveAll(lanes, 0);
  expect(innerKinds(second.run([]))).toEqual(["slots-out"]);
  expect(innerKinds(takeIn(second, first))).toEqual(["slots-in"]);
  const key = keyOf(1, first);
  expect(first.run([first.intent({ key })]).outcome.reserved).toHaveLength(1);
  const moves = audited(lanes).map(lanesMoves);
  expect(compareMoves(moves)).toMatchObject({ ok: true, moved: 2, inTransit: [] });
});

test("a slot with more open transfers than an entry names leaves when they have ended", () => {
  const lanes = twoLanes();
  const { first } = lanes;
  giveAll(lanes, 1);
  const ids = Array.from({ length: mostOpenIds + 1 }, (_, at) => {
    const tail = String(at).padStart(12, "0");
    return `00000000-0000-4000-8000-${tail}`;
  });
  const { settlement, origin } = first.state;
  const crowded = slotsLeaving(settlement, first.keys(), origin, () => ids);
  expect(crowded.crowded).toBe(true);
  expect(crowded.out.flatMap(({ slots }) => slots)).toEqual([{ from: 1, to: 512 }]);
  const fits = slotsLeaving(settlement, first.keys(), origin, () => ids.slice(1));
  expect([fits.crowded, fits.out.map(({ open }) => open.length)]).toEqual([false, [mostOpenIds]]);
});

test("a record that would leave a slot without a lane is refused", () => {
  const { first } = twoLanes();
  const body = lanesRecord([{ from: 0, to: 512 }], [{ from: 513, to: 1_024 }]);
  const log = () => first.keyLog.log("lanes", body, [testKeys.alice, testKeys.bob], first.nowMs());
  expect(log).toThrow("slot 512 had a lane");
});
