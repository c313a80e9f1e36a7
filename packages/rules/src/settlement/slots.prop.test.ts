// The model of slots that move: the key log gives them here and there, intents go to whichever lane, carriers
// lose, repeat and come late, and a lane's process dies between any two batches. At no moment do two lanes
// decide a slot, no id is open or ends in both, and in the end every slot is decided and every move is found.
import { slotCount, slotOf } from "@sealane/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { restoreSettlement, takeSettlementRows } from "./rows.ts";
import { decidesSlot } from "./slots.ts";
import { emptySettlement } from "./state.ts";
import { auditEntry } from "../audit.ts";
import { compareMoves, lanesMoves } from "../audit-moves.ts";
import { sealedBy } from "../carried.ts";
import {
  begin,
  carriedFrom,
  lanesRecord,
  makeFundedWorld,
  makeWorld,
  policyOfTwo,
  slotsIn,
  testKeys,
  type World,
} from "../testing/index.ts";

type Side = 0 | 1;
const other = (side: Side): Side => (side === 0 ? 1 : 0);

type Lane = { readonly world: World; readonly rows: Map<string, string> };
type Lanes = readonly [Lane, Lane];

const side = fc.constantFrom<Side>(0, 1);
const keyCount = 3;
const key = fc.integer({ min: 0, max: keyCount - 1 }).map((at) => `slot-key-${at}`);
const step = fc.oneof(
  fc.record({ do: fc.constant("send" as const), side, key }),
  fc.record({ do: fc.constant("accept" as const), side, key }),
  fc.record({ do: fc.constant("give" as const), at: fc.constantFrom(0, 256, 512, 1_024), side }),
  fc.record({ do: fc.constant("carry" as const), side, pick: fc.nat() }),
  fc.record({ do: fc.constant("tick" as const), side }),
  fc.record({ do: fc.constant("move" as const), side }),
  fc.record({ do: fc.constant("die" as const), side }),
);

const store = ({ world, rows }: Lane): void => {
  for (const { name, body } of takeSettlementRows(world.state.settlement)) {
    if (body === undefined) rows.delete(name);
    else rows.set(name, body);
  }
};

/** What both lanes find in their tables: how ids ended, and where. */
const look = (lanes: Lanes, to: Side): void => {
  const from = lanes[other(to)].world.known;
  for (const [id, ended] of from) {
    if (!lanes[to].world.known.has(id)) {
      lanes[to].world.known.set(id, { ...ended, lane: ended.lane ?? other(to) });
    }
  }
};

const run = (lanes: Lanes, at: Side, commands: Parameters<World["run"]>[0]): void => {
  look(lanes, at);
  lanes[at].world.run(commands);
  store(lanes[at]);
};

const die = ({ world, rows }: Lane): void => {
  const fresh = emptySettlement();
  const stored = [...rows].map(([name, body]) => ({ name, body }));
  restoreSettlement(fresh, stored);
  const { slots, slotMoves, openIds, heldIds } = world.state.settlement;
  expect(fresh).toMatchObject({ slots, slotMoves, openIds, heldIds });
  Object.assign(world.state, { settlement: fresh });
};

const give = ([{ world: first }, { world: second }]: Lanes, at: number, lower: Side): void => {
  const halves = [[{ from: 0, to: at }], [{ from: at, to: slotCount }]] as const;
  const record = lower === 0 ? lanesRecord(...halves) : lanesRecord(halves[1], halves[0]);
  const nowMs = Math.max(first.nowMs(), second.nowMs());
  // A text counts once in a key log: each record has a period of its own name.
  const period = `2026.${first.keyLog.entries.length}`;
  first.keyLog.log("lanes", { ...record, period }, [testKeys.alice, testKeys.bob], nowMs);
};

const outsOf = ({ world }: Lane): number[] =>
  world.entries.flatMap((note, seq) =>
    note.split("\n")[2]?.endsWith("/slots-out/v1") ? [seq] : [],
  );

const carry = (lanes: Lanes, to: Side, seq: number): void => {
  const { world } = lanes[to];
  const history = world.keyLog.history();
  const checks = { origin: world.origin, history, signatures: true, sealed: sealedBy(policyOfTwo) };
  run(lanes, to, [slotsIn(world.keys(), checks, carriedFrom(lanes[other(to)].world, seq))]);
};

const holds = (lanes: Lanes): void => {
  const [first, second] = lanes.map(({ world }) => world) as [World, World];
  const decides = ({ state, keys }: World, slot: number): boolean =>
    decidesSlot(state.settlement, keys(), state.origin, slot);
  for (let slot = 0; slot < slotCount; slot += 32) {
    expect(decides(first, slot) && decides(second, slot)).toBe(false);
  }
  for (const id of first.state.open.keys()) {
    expect(second.state.open.has(id)).toBe(false);
    expect(second.known.get(id)?.lane ?? 0).toBe(0);
  }
};

const begun = (): Lanes => {
  const first = makeFundedWorld({ twoLanes: true });
  const second = makeWorld({ twoLanes: true }, { lane: 1, keyLog: first.keyLog });
  second.fund();
  second.publishSheet();
  const lanes = [first, second].map((world) => ({ world, rows: new Map<string, string>() }));
  for (const lane of lanes) store(lane);
  return lanes as unknown as Lanes;
};

/** Everything goes to one lane, without a hitch. */
const moveAll = (lanes: Lanes, to: Side): void => {
  give(lanes, slotCount, to);
  run(lanes, other(to), []);
  for (const seq of outsOf(lanes[other(to)])) carry(lanes, to, seq);
};

const take = (lanes: Lanes, one: typeof step extends fc.Arbitrary<infer T> ? T : never): void => {
  if (one.do === "give") return give(lanes, one.at, one.side);
  if (one.do === "move") return moveAll(lanes, one.side);
  const { world } = lanes[one.side];
  if (one.do === "die") return die(lanes[one.side]);
  if (one.do === "tick") return run(lanes, one.side, []);
  if (one.do === "send") return run(lanes, one.side, [world.intent({ key: one.key })]);
  if (one.do === "accept") {
    const { id } = world.terms({ key: one.key });
    return world.state.open.has(id) ? run(lanes, one.side, [world.accept(id)]) : undefined;
  }
  const outs = outsOf(lanes[other(one.side)]);
  const seq = outs[one.pick % Math.max(1, outs.length)];
  return seq === undefined ? undefined : carry(lanes, one.side, seq);
};

/** Nothing new is said: what is on its way arrives. */
const settle = (lanes: Lanes): void => {
  for (let round = 0; round < 4; round += 1) {
    for (const to of [0, 1] as const) {
      run(lanes, to, []);
      for (const seq of outsOf(lanes[other(to)])) carry(lanes, to, seq);
    }
  }
};

test("no slot has two lanes, no id ends twice, and every slot that left arrives", () => {
  let moves = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 6, maxLength: 30 }), (steps) => {
      const lanes = begun();
      for (const one of steps) {
        take(lanes, one);
        holds(lanes);
      }
      settle(lanes);
      holds(lanes);
      const worlds = lanes.map(({ world }) => world);
      for (const at of Array.from({ length: keyCount }, (_, index) => `slot-key-${index}`)) {
        const slot = slotOf(worlds[0]?.terms({ key: at }).id ?? "");
        const deciding = worlds.filter(({ state, keys }) =>
          decidesSlot(state.settlement, keys(), state.origin, slot),
        );
        expect(deciding).toHaveLength(1);
      }
      const audits = worlds.map((world) => {
        const state = { ...begin(world), sealed: sealedBy(policyOfTwo) };
        for (const note of world.entries) {
          expect(auditEntry(state, note)).toMatchObject({ ok: true });
        }
        expect(state.settlement.slots).toEqual(world.state.settlement.slots);
        return lanesMoves(state);
      });
      const verdict = compareMoves(audits);
      expect(verdict).toMatchObject({ ok: true, inTransit: [], notCompared: 0 });
      moves += verdict.ok ? verdict.moved : 0;
    }),
    { numRuns: 25 },
  );
  expect(moves).toBeGreaterThan(20);
});
