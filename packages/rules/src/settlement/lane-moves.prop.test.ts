// The model of moves between lanes: operators order, carriers die and come again, whatever is sent is lost,
// repeated and late, and a lane's process dies after any batch and goes on from its rows. Against it stands
// a ledger of three numbers. Cover is never in both lanes and never lost, and retries end every move.
import fc from "fast-check";
import { expect, test } from "vitest";
import { emptySettlement, type SettlementState } from "./state.ts";
import { restoreSettlement, takeSettlementRows } from "./rows.ts";
import { inKey, outKey } from "./lane-moves.ts";
import { auditEntry } from "../audit.ts";
import { sealedBy } from "../carried.ts";
import {
  balanceIn,
  begin,
  carriedFrom,
  hk,
  liquidityIn,
  liquidityOut,
  makeWorld,
  policyOfTwo,
  say,
  type World,
} from "../testing/index.ts";

type Side = 0 | 1;
const other = (side: Side): Side => (side === 0 ? 1 : 0);

type Step =
  | { readonly do: "order"; readonly side: Side; readonly move: number; readonly amount: number }
  | { readonly do: "carry"; readonly side: Side; readonly pick: number }
  | { readonly do: "die"; readonly side: Side };

const side = fc.constantFrom<Side>(0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("order" as const),
    side,
    move: fc.integer({ min: 0, max: 5 }),
    amount: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ do: fc.constant("carry" as const), side, pick: fc.nat() }),
  fc.record({ do: fc.constant("die" as const), side }),
);

/** A lane and the rows that a process has stored of it: what another goes on from. */
type Lane = { readonly world: World; readonly rows: Map<string, string> };

const store = ({ world, rows }: Lane): void => {
  for (const { name, body } of takeSettlementRows(world.state.settlement)) {
    if (body === undefined) rows.delete(name);
    else rows.set(name, body);
  }
};

/** The process dies: what it held is made again from the rows. */
const die = ({ world, rows }: Lane): void => {
  const fresh: SettlementState = emptySettlement();
  restoreSettlement(
    fresh,
    [...rows].map(([name, body]) => ({ name, body })),
  );
  const held = world.state.settlement;
  expect(fresh.moves).toEqual(held.moves);
  expect(fresh.unbackedMoved).toEqual(held.unbackedMoved);
  Object.assign(world.state, { settlement: fresh });
};

const coverOf = ({ world }: Lane): bigint => balanceIn(world, `${hk}:liquidity`, "HKD");
const transitOf = ({ world }: Lane): bigint => balanceIn(world, `${hk}:in-transit`, "HKD");

/** Places of entries that let cover go. */
const outsOf = ({ world }: Lane): number[] =>
  world.entries.flatMap((note, seq) =>
    note.includes('/liquidity-out/v1\n{"id"') && !note.includes("/liquidity-in/v1\n") ? [seq] : [],
  );

const carry = (lanes: readonly [Lane, Lane], to: Side, seq: number): void => {
  const { world } = lanes[to];
  const history = world.keyLog.history();
  const checks = { origin: world.origin, history, signatures: true, sealed: sealedBy(policyOfTwo) };
  world.run([liquidityIn(world.keys(), checks, carriedFrom(lanes[other(to)].world, seq))]);
  store(lanes[to]);
};

const order = (
  lanes: readonly [Lane, Lane],
  { side: from, move, amount }: Step & { do: "order" },
) => {
  const { world } = lanes[from];
  const text = `${amount}.00`;
  const to = lanes[other(from)].world.origin;
  const body = { key: `move-${move}`, to, amount: text, unbacked: text };
  world.run([liquidityOut(world.keys(), body, { origin: world.origin })]);
  store(lanes[from]);
};

const total = 10_000n;

const holds = (lanes: readonly [Lane, Lane]): void => {
  const covers = lanes.map(coverOf);
  const inTransit = lanes.reduce((sum, lane) => sum + transitOf(lane), 0n);
  expect(covers.every((cover) => cover >= 0n)).toBe(true);
  expect(inTransit).toBeGreaterThanOrEqual(0n);
  expect(covers.reduce((sum, cover) => sum + cover, inTransit)).toBe(total);
};

const begun = (): readonly [Lane, Lane] => {
  const first = makeWorld({ twoLanes: true });
  const second = makeWorld({ twoLanes: true }, { lane: 1, keyLog: first.keyLog });
  first.run([say.advance(first.keys(), { amount: "100.00" })]);
  const lanes = [
    { world: first, rows: new Map<string, string>() },
    { world: second, rows: new Map<string, string>() },
  ] as const;
  store(lanes[0]);
  return lanes;
};

test("cover is never in two lanes, never lost, and every move ends", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 24 }), (steps) => {
      const lanes = begun();
      for (const one of steps) {
        if (one.do === "order") order(lanes, one);
        else if (one.do === "die") die(lanes[one.side]);
        else {
          const outs = outsOf(lanes[other(one.side)]);
          const seq = outs[one.pick % Math.max(1, outs.length)];
          if (seq !== undefined) carry(lanes, one.side, seq);
        }
        holds(lanes);
      }
      // The carriers come again, twice over: every move has ended.
      for (const to of [0, 1, 0] as const) {
        for (const seq of outsOf(lanes[other(to)])) carry(lanes, to, seq);
      }
      holds(lanes);
      expect(lanes.reduce((sum, lane) => sum + transitOf(lane), 0n)).toBe(0n);
      for (const [at, { world }] of lanes.entries()) {
        const state = { ...begin(world), sealed: sealedBy(policyOfTwo) };
        for (const note of world.entries)
          expect(auditEntry(state, note)).toMatchObject({ ok: true });
        expect(state.settlement.moves).toEqual(world.state.settlement.moves);
        const there = lanes[at === 0 ? 1 : 0].world;
        for (const [key, { body, lane }] of state.settlement.moves) {
          expect(lane).toBe(there.origin);
          const twin = key.startsWith("out ") ? inKey(world.origin, body) : outKey(body);
          expect(there.state.settlement.moves.get(twin)?.body).toEqual(body);
        }
      }
    }),
    { numRuns: 40 },
  );
});
