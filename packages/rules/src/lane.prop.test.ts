// A model of the lane: random commands against a ledger so naive that it can be read at a glance.
// After every batch: what is pending is what is open, nothing is below zero, debits equal credits, the
// decisions are those of the model; at the end the audit of the log agrees with the lane's balances.
import fc from "fast-check";
import { expect, it } from "vitest";
import { auditEntry, auditTotals } from "./audit.ts";
import type { LaneCommand } from "./commands.ts";
import { minorOf } from "./positions.ts";
import { begin, fx, hk, makeWorld, ph, say, type World } from "./testing/index.ts";

type Step =
  | { readonly do: "send"; readonly key: number; readonly cents: number; readonly lifeMs: number }
  | { readonly do: "accept" | "reject" | "cancel"; readonly key: number }
  | { readonly do: "sheet"; readonly rate: number }
  | { readonly do: "withdraw" }
  | { readonly do: "credit"; readonly back: number }
  | { readonly do: "advance"; readonly key: number; readonly cents: number };

const key = fc.integer({ min: 0, max: 7 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      key,
      cents: fc.integer({ min: 150, max: 40_000 }),
      lifeMs: fc.constantFrom(5, 50, 3_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "accept" as const,
        "accept" as const,
        "reject" as const,
        "cancel" as const,
      ),
      key,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("sheet" as const),
      rate: fc.integer({ min: 1, max: 99 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("withdraw" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("credit" as const),
      back: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      key: fc.integer({ min: 0, max: 3 }),
      cents: fc.integer({ min: 1, max: 100_000 }),
    }),
  },
);
const batches = fc.array(
  fc.record({
    afterMs: fc.constantFrom(0, 1, 10, 100, 2_500),
    steps: fc.array(step, { maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 25 },
);

/** What the payer may still send, from nothing but the ends of transfers. */
type Model = {
  cover: bigint;
  readonly advances: Set<number>;
  readonly open: Map<string, { readonly cents: bigint; readonly expiresAtMs: number }>;
  readonly ended: Map<string, string>;
  spent: bigint;
};

const toCommand = (world: World, one: Step): LaneCommand => {
  const keys = world.keys();
  switch (one.do) {
    case "send": {
      const amount = (one.cents / 100).toFixed(2);
      const expiresAt = new Date(world.nowMs() + one.lifeMs).toISOString();
      return world.intent({ key: `k${one.key}`, amount, expiresAt });
    }
    case "accept":
      return world.accept(world.terms({ key: `k${one.key}` }).id);
    case "reject":
      return world.reject(world.terms({ key: `k${one.key}` }).id);
    case "cancel":
      return world.cancel(world.terms({ key: `k${one.key}` }).id);
    case "sheet": {
      const { number } = world.sheet().body;
      return say.rateSheet(
        keys,
        say.makeSheet({ number: number + 1, rate: `7.${one.rate}` }, world.nowMs()),
      );
    }
    case "withdraw":
      return say.rateWithdrawal(keys, world.sheet().body);
    case "credit": {
      const last = (world.chains.get(ph)?.length ?? 0) - 1 - one.back;
      return world.credit(ph, Math.max(0, last));
    }
    case "advance":
      return say.advance(keys, { key: `a${one.key}`, amount: (one.cents / 100).toFixed(2) });
    default:
      return one satisfies never;
  }
};

/** What the model says of one command, in its turn: the outcome, or undefined where it has no say. */
const play = (
  model: Model,
  world: World,
  one: Step,
  command: LaneCommand,
  timeMs: number,
  code: string | undefined,
) => {
  if (one.do === "advance") {
    if (!model.advances.has(one.key)) model.cover += BigInt(one.cents);
    model.advances.add(one.key);
    return;
  }
  if (!("key" in one)) return;
  const { id } = world.terms({ key: `k${one.key}` });
  const open = model.open.get(id);
  if (one.do === "send" && command.kind === "intent") {
    if (open !== undefined || model.ended.has(id)) return;
    const held = [...model.open.values()].reduce((sum, { cents }) => sum + cents, 0n);
    const expiresAtMs = Date.parse(command.body.expiresAt);
    const covered = model.spent + held + BigInt(one.cents) <= model.cover;
    // Sheets and the provider's cover are other tests': of those, the lane's answer is taken.
    expect(code === "insufficient-funds" && covered).toBe(false);
    expect(code === "expired").toBe(timeMs >= expiresAtMs);
    if (code === undefined) {
      expect(covered).toBe(true);
      model.open.set(id, { cents: BigInt(one.cents), expiresAtMs });
    } else model.ended.set(id, "refused");
    return;
  }
  if (open === undefined) {
    if (one.do === "cancel" && !model.ended.has(id)) model.ended.set(id, "refused");
    return;
  }
  model.open.delete(id);
  const ends = { accept: "committed", reject: "rejected", cancel: "cancelled", send: "" };
  model.ended.set(id, ends[one.do]);
  if (one.do === "accept") model.spent += open.cents;
};

const expireModel = (model: Model, timeMs: number): void => {
  for (const [id, { expiresAtMs }] of model.open) {
    if (timeMs < expiresAtMs) continue;
    model.open.delete(id);
    model.ended.set(id, "expired");
  }
};

const checkInvariants = (world: World, model: Model): void => {
  const { balances, open } = world.state;
  const sums = new Map<string, bigint>();
  const pending = new Map<string, bigint>();
  for (const { postings } of open.values()) {
    for (const { debit, credit, currency, amount } of postings) {
      for (const side of [`${debit} ${currency} debit`, `${credit} ${currency} credit`]) {
        pending.set(side, (pending.get(side) ?? 0n) + minorOf(amount, currency));
      }
    }
  }
  for (const balance of balances.values()) {
    const { account, currency, pendingDebit, postedDebit, pendingCredit, postedCredit } = balance;
    for (const counter of [pendingDebit, postedDebit, pendingCredit, postedCredit]) {
      expect(counter >= 0n).toBe(true);
    }
    expect(pendingDebit).toBe(pending.get(`${account} ${currency} debit`) ?? 0n);
    expect(pendingCredit).toBe(pending.get(`${account} ${currency} credit`) ?? 0n);
    sums.set(currency, (sums.get(currency) ?? 0n) + postedDebit - postedCredit);
  }
  for (const sum of sums.values()) expect(sum).toBe(0n);
  expect(balances.get(`${hk}:position HKD`)?.postedDebit ?? 0n).toBe(model.spent);
  expect([...open.keys()].toSorted()).toEqual([...model.open.keys()].toSorted());
  expect(world.state.pendingByPayer.get(hk) ?? 0).toBe(open.size);
  const used = [...(world.state.sheets.get(`${fx} HKD/PHP`) ?? [])];
  for (const { usedMinor } of used) expect(usedMinor >= 0n).toBe(true);
};

it("decides as a naive ledger does, and every log it writes passes the audit", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(batches, (all) => {
      const world = makeWorld();
      world.fund("500.00", "4000.00");
      world.publishSheet();
      const model: Model = {
        cover: 50_000n,
        advances: new Set(),
        open: new Map(),
        ended: new Map(),
        spent: 0n,
      };
      for (const { afterMs, steps } of all) {
        // Commands are one to a batch where the model has to see each answer; time moves between.
        const atMs = world.nowMs() + afterMs;
        for (const [index, one] of steps.entries()) {
          const command = toCommand(world, one);
          expireModel(model, atMs);
          const { outcome } = world.run([command], { atMs });
          play(model, world, one, command, atMs, outcome.refusals[0]?.code);
          if (index === steps.length - 1) checkInvariants(world, model);
        }
      }
      const state = begin(world, false);
      for (const note of world.entries) expect(auditEntry(state, note)).toMatchObject({ ok: true });
      for (const { account, currency, debits, credits } of auditTotals(state).balances) {
        const balance = world.state.balances.get(`${account} ${currency}`);
        expect(balance).toMatchObject({ postedDebit: debits, postedCredit: credits });
      }
      for (const end of model.ended.values()) seen.set(end, (seen.get(end) ?? 0) + 1);
      for (const [id, end] of model.ended) {
        const known = world.known.get(id);
        expect(known?.seq === undefined ? "refused" : "ended").toBe(
          end === "refused" ? "refused" : "ended",
        );
      }
    }),
    { numRuns: 200 },
  );
  const ends = ["cancelled", "committed", "expired", "refused", "rejected"];
  expect([...seen.keys()].toSorted()).toEqual(ends);
}, 120_000);
