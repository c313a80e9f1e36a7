// A model of returns: whatever is returned, recalled, refused and credited, in any order and many at
// once, of no transfer comes back more than was received; what came back is what the naive book says;
// and the log, stored half-way and gone on with, passes the audit.
import fc from "fast-check";
import { expect, it } from "vitest";
import { auditEntry } from "../audit.ts";
import type { AuditState } from "../audit-state.ts";
import type { LaneCommand, RecallCommand } from "../commands.ts";
import {
  emptySettlement,
  restoreSettlement,
  takeSettlementRows,
  type SettlementState,
} from "../settlement/index.ts";
import { begin, fx, hk, makeFundedWorld, ph, refuseRecall, say } from "../testing/index.ts";
import type { World } from "../testing/index.ts";

type Step = {
  readonly do: "return" | "stale" | "recall" | "cancel" | "answer" | "refuse" | "credit";
  readonly of: number;
  readonly cents: number;
  readonly bearer: "payer" | "payee";
};

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom(
    "return",
    "return",
    "return",
    "stale",
    "recall",
    "cancel",
    "answer",
    "refuse",
    "credit",
  ),
  of: fc.integer({ min: 0, max: 2 }),
  cents: fc.integer({ min: 1, max: 40_000 }),
  bearer: fc.constantFrom("payer", "payee"),
});
const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 12,
});

const sent = ["40.00", "7.77", "1.21"];
/** Rate 7.25, fee 1.00: what each receives in centavos, and what of it was converted in cents. */
const whole = [
  { received: 28_275n, converted: 3_900n, fee: 100n },
  { received: 4_908n, converted: 677n, fee: 100n },
  { received: 152n, converted: 21n, fee: 100n },
] as const;

const text = (minor: bigint): string => `${minor / 100n}.${String(minor % 100n).padStart(2, "0")}`;

const withSettlement = (state: AuditState, settlement: SettlementState): AuditState => ({
  ...state,
  settlement,
});

const run = (steps: readonly (readonly Step[])[]): { world: World; ids: string[]; n: number } => {
  const world = makeFundedWorld();
  const keys = world.keys();
  world.run([
    say.advance(keys, { key: "ph", participant: ph, currency: "PHP", amount: "1000.00" }),
    say.advance(keys, { key: "fx", participant: fx, currency: "HKD", amount: "1000.00" }),
  ]);
  const ids = sent.map((amount, at) => world.transfer({ key: `t${at}`, amount }));
  const recalls = new Map<string, RecallCommand>();
  let n = 0;
  const toCommand = (one: Step): LaneCommand => {
    const id = ids[one.of] as string;
    const key = `k${(n += 1)}`;
    const { bearer } = one;
    const amount = text(BigInt(one.cents));
    const recall = recalls.get(id)?.body.id ?? id;
    switch (one.do) {
      case "return":
        return world.giveBack(id, { key, amount, bearer });
      case "stale":
        return world.giveBack(id, { key, amount, bearer, before: "0.00" });
      case "answer":
        return world.giveBack(id, { key, bearer: "earner", recall });
      case "recall":
      case "cancel": {
        const asked = world.recall(id, { key, cancel: one.do === "cancel" });
        recalls.set(id, asked);
        return asked;
      }
      case "refuse":
        return refuseRecall(keys, recalls.get(id) ?? world.recall(id, { key }));
      case "credit":
        return world.credit(ph, (world.chains.get(ph)?.length ?? 1) - 1);
      default:
        return one.do satisfies never;
    }
  };
  for (const batch of steps) world.run(batch.map(toCommand));
  return { world, ids, n };
};

it("no more comes back than was received, and all of it is what was converted", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(batches, (steps) => {
      const { world, ids } = run(steps);
      const paid = new Map<string, { php: bigint; hkd: bigint }>();
      let audited = begin(world, false);
      for (const [at, note] of world.entries.entries()) {
        const result = auditEntry(audited, note);
        expect(result).toMatchObject({ ok: true });
        if (result.ok && result.entry.returns !== undefined) {
          const { returns } = result.entry;
          seen.add(returns.kind);
          if (returns.kind === "return") {
            const { original, amount, back, bearer } = returns.body;
            const sum = paid.get(original.id) ?? { php: 0n, hkd: 0n };
            seen.add(bearer);
            const php = sum.php + BigInt(amount.amount.replace(".", ""));
            paid.set(original.id, { php, hkd: sum.hkd + BigInt(back.amount.replace(".", "")) });
          }
        }
        if (at !== Math.floor(world.entries.length / 2)) continue;
        // What is stored is all that is remembered.
        const rows = takeSettlementRows(audited.settlement);
        const settlement = emptySettlement();
        restoreSettlement(
          settlement,
          rows.flatMap(({ name, body }) => (body === undefined ? [] : { name, body })).toReversed(),
        );
        audited = withSettlement(audited, settlement);
      }
      for (const [at, id] of ids.entries()) {
        const { php, hkd } = paid.get(id) ?? { php: 0n, hkd: 0n };
        const { received, converted, fee } = whole[at as 0];
        expect(world.state.settlement.returned.get(id)?.minor ?? 0n).toBe(php);
        expect(php <= received).toBe(true);
        expect(hkd <= converted + fee).toBe(true);
        if (php === received) {
          seen.add("whole");
          expect(hkd >= converted).toBe(true);
        }
      }
      const hkd = world.state.balances.get(`${hk}:position HKD`)?.postedCredit ?? 0n;
      expect(hkd).toBe([...paid.values()].reduce((sum, one) => sum + one.hkd, 0n));
      expect(audited.settlement.returned).toEqual(world.state.settlement.returned);
      expect(audited.settlement.recalls).toEqual(world.state.settlement.recalls);
    }),
    { numRuns: 200 },
  );
  const kinds = ["earner", "payee", "payer", "recall", "recall-refusal", "return", "whole"];
  expect([...seen].toSorted()).toEqual(kinds);
}, 120_000);
