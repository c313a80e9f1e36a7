import { describe, expect, it } from "vitest";
import { standingOf } from "./positions.ts";
import type { Participant } from "./key-state.ts";
import {
  audit,
  fx,
  hk,
  makeWorld,
  ph,
  say,
  testKeys,
  type GenesisOptions,
  type World,
} from "./testing/index.ts";

const room = (world: World, participant: string, currency: string): bigint =>
  standingOf(
    world.state.balances,
    world.keys().participants.get(participant) as Participant,
    currency,
    world.state.settlement,
  ).headroom;

const world100 = (options: GenesisOptions = {}): World => {
  const world = makeWorld(options);
  world.fund("1000.00", "100000.00");
  world.publishSheet();
  return world;
};

/** The way back: PHP from the Philippines' wallet to Hong Kong's, by the same provider. */
const openWayBack = (world: World): ((key: string, amount: string) => string) => {
  const { alice, bob } = testKeys;
  const schedule = {
    schedule: "php-hkd",
    from: "PHP",
    to: "HKD",
    payee: "sealane.example",
    basisPoints: "0",
    minimum: "0",
    rounding: "up",
  };
  world.keyLog.log("fee-schedule", schedule, [alice, bob], world.nowMs());
  const made = say.makeSheet(
    { pair: { from: "PHP", to: "HKD" }, rate: "0.1", number: 1 },
    world.nowMs(),
  );
  const sheet = say.rateSheet(world.keys(), made);
  world.run([sheet]);
  return (key, amount) => {
    const common = world.terms({ key: `back ${key}` });
    const hkd = (Number(amount) / 10).toFixed(2);
    const terms = {
      ...common,
      payer: { ...common.payer, participant: ph },
      payee: { ...common.payee, participant: hk },
      send: { currency: "PHP", amount },
      fees: [{ schedule: "php-hkd", to: "sealane.example", currency: "PHP", amount: "0.00" }],
      converted: amount,
      sheet: { provider: fx, number: 1, hash: say.sheetHash(sheet) },
      rate: "0.1",
      receive: { currency: "HKD", amount: hkd },
      residue: "0",
    };
    const intent = say.intent(world.keys(), terms, { signers: [testKeys.ph] });
    const { outcome } = world.run([intent]);
    if (outcome.reserved.length === 0) return outcome.refusals[0]?.code ?? "dead letter";
    world.run([world.accept(terms.id, { signers: [testKeys.hk] })]);
    return "committed";
  };
};

describe("cover", () => {
  it("is reserved by exactly the affordable number of 200 intents for the whole of it", () => {
    for (const amount of ["1000.00", "500.00", "333.33", "10.00", "7.00"]) {
      const world = world100();
      const intents = Array.from({ length: 200 }, (_, n) => world.intent({ key: `${n}`, amount }));
      const { outcome } = world.run(intents);
      const affordable = Math.min(200, Math.floor(100_000 / Math.round(Number(amount) * 100)));
      expect(outcome.reserved).toHaveLength(affordable);
      expect(outcome.refusals).toHaveLength(200 - affordable);
      for (const { code } of outcome.refusals) expect(code).toBe("insufficient-funds");
      world.run(outcome.reserved.map(({ id }) => world.accept(id)));
      expect(room(world, hk, "HKD")).toBeGreaterThanOrEqual(0n);
      expect(audit(world, world.entries)).toBe(3 + affordable);
    }
  });

  it("of the provider limits what can be paid out", () => {
    const world = makeWorld();
    world.fund("1000000.00", "7235.50");
    world.publishSheet();
    const { outcome } = world.run(["a", "b"].map((key) => world.intent({ key })));
    expect(outcome.reserved).toHaveLength(1);
    expect(outcome.refusals).toMatchObject([{ code: "insufficient-liquidity" }]);
  });

  it("that was held for a transfer is free again when it is released", () => {
    const world = world100();
    const intent = world.intent({ key: "a" });
    world.run([intent]);
    expect(room(world, hk, "HKD")).toBe(0n);
    world.run([world.reject(intent.body.id)]);
    expect(room(world, hk, "HKD")).toBe(100_000n);
    world.transfer({ key: "b" });
    expect(room(world, hk, "HKD")).toBe(0n);
  });

  it("counts in its own currency only", () => {
    const world = world100();
    world.transfer();
    expect(room(world, fx, "PHP")).toBe(10_000_000n - 723_550n);
    expect(room(world, fx, "HKD")).toBe(0n);
    expect(room(world, hk, "PHP")).toBe(0n);
  });
});

describe("exposure", () => {
  it.each([
    ["gross", "insufficient-funds"],
    ["net", "committed"],
  ] as const)(
    "that is %s: unsettled credits make up for debits or not (%s)",
    (exposure, expected) => {
      const world = world100({ ph: { exposure } });
      const cover = { key: "ph", participant: ph, currency: "PHP", amount: "10000.00" };
      world.run([
        say.advance(world.keys(), cover),
        say.advance(world.keys(), { key: "fx", participant: fx, amount: "10000.00" }),
      ]);
      const back = openWayBack(world);
      expect(back("all", "10000.00")).toBe("committed");
      expect(back("more", "10.00")).toBe("insufficient-funds");
      world.transfer({ key: "there" }); // 7,235.50 PHP are owed to the wallet
      expect(back("again", "7235.50")).toBe(expected);
      expect(back("once more", "10.00")).toBe("insufficient-funds");
      expect(audit(world, world.entries)).toBe(world.entries.length);
    },
  );

  it("that is net is never below zero: credits give no cover of their own", () => {
    const world = world100({ ph: { exposure: "net" } });
    world.transfer();
    expect(room(world, ph, "PHP")).toBe(0n);
  });

  it("is limited by a cap below liquidity, and by liquidity below a cap", () => {
    const caps = (amount: string) => ({ hk: { caps: [{ currency: "HKD", amount }] } });
    const low = world100(caps("600.00"));
    expect(room(low, hk, "HKD")).toBe(60_000n);
    low.transfer({ key: "a", amount: "600.00" });
    const { outcome } = low.run([low.intent({ key: "b", amount: "5.00" })]);
    expect(outcome.refusals).toMatchObject([{ code: "cap-reached" }]);
    expect(audit(low, low.entries)).toBe(4);
    expect(room(world100(caps("6000.00")), hk, "HKD")).toBe(100_000n);
  });

  it("may be beyond a cap that was lowered after the reservation, for 300 s and no longer", () => {
    const world = world100();
    const intent = world.intent({ key: "a", amount: "600.00" });
    world.run([intent]);
    const record = {
      participant: hk,
      roles: ["wallet"],
      rootKey: testKeys.hkRoot.vkey,
      currencies: ["HKD", "PHP"],
      exposure: "gross",
      caps: [{ currency: "HKD", amount: "100.00" }],
    };
    world.keyLog.log("participant", record, [testKeys.hkRoot, testKeys.bob], world.nowMs());
    world.run([world.accept(intent.body.id)]);
    expect(room(world, hk, "HKD")).toBe(-50_000n);
    expect(audit(world, world.entries)).toBe(4);
    world.run([], { atMs: world.nowMs() + 310_000 });
    const balance = world.state.balances.get(`${hk}:position HKD`);
    if (balance !== undefined) balance.postedDebit = 0n; // a ledger that forgets
    world.publishSheet({ rate: "7.3" });
    world.transfer({ key: "b", amount: "50.00" });
    expect(audit(world, world.entries)).toEqual({ position: 5, code: "cover-exceeded" });
  });
});
