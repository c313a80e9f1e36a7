// The ladder of refusals of an intent, as a table in order of precedence: each rung refuses by itself,
// and wins over every rung below it.
import { formatTime, isoReasonOf, type Terms } from "@sealane/protocol";
import { describe, expect, it } from "vitest";
import { maxExpiryMs, maxPendingPerPayer } from "./intent.ts";
import {
  lanesRecord,
  fx,
  hk,
  makeFundedWorld,
  makeWorld,
  operator,
  ph,
  say,
  testKeys,
  type RunOptions,
  type Signing,
  type World,
} from "./testing/index.ts";

/** An intent in the making: faults change it, or the world around it. */
type Draft = {
  readonly world: World;
  terms: Terms;
  signing: Signing;
  run: RunOptions;
};

type Rung = {
  readonly code: string;
  readonly what: string;
  /** Rungs that change the same thing cannot be told apart in one intent. */
  readonly about: readonly string[];
  readonly fault: (draft: Draft) => void;
  /** How the payer is answered; a dead letter answers nobody. */
  readonly answer: "final" | "not final" | "dead letter" | "dead letter and answer";
};

const set = (fields: Partial<Terms>) => (draft: Draft) => {
  draft.terms = { ...draft.terms, ...fields };
};

const suspend = (participant: string) => (draft: Draft) => {
  const body = { participant, suspended: true, reason: "test" };
  draft.world.keyLog.log("suspension", body, [testKeys.alice], draft.world.nowMs());
};

/** Binds the payer to a policy of its own. */
const bind = ({ world }: Pick<Draft, "world">): void => {
  const { alice, bob, hkRoot } = testKeys;
  const policy = { policy: "bound/1", kind: "transfer", operatorsFrom: [] };
  world.keyLog.log("policy", policy, [alice, bob], world.nowMs());
  const binding = { participant: hk, policy: "bound/1", reason: "test" };
  world.keyLog.log("binding", binding, [hkRoot, alice, bob], world.nowMs());
};

const rung = (
  code: string,
  what: string,
  about: string,
  answer: Rung["answer"],
  fault: Rung["fault"],
): Rung => ({ code, what, about: about.split(" "), answer, fault });

const ladder: readonly Rung[] = [
  rung("signature-missing", "signed by others only", "lines", "dead letter", (draft) => {
    draft.signing = { ...draft.signing, signers: [testKeys.ph, testKeys.stranger] };
  }),
  rung("signature-wrong", "a signature that does not verify", "forged", "dead letter", (draft) => {
    draft.signing = { ...draft.signing, forged: true };
  }),
  rung("key-revoked", "a revoked key", "lines", "dead letter and answer", (draft) => {
    const body = { participant: hk, vkey: testKeys.hk.vkey, reason: "lost" };
    draft.world.keyLog.log("revocation", body, [testKeys.hkRoot], draft.world.nowMs());
  }),
  rung("wrong-log", "signed for another log", "origin", "not final", (draft) => {
    draft.signing = { ...draft.signing, origin: "sealane.example/2025/0" };
  }),
  rung("wrong-lane", "an id of another lane's slot", "lanes", "not final", ({ world }) => {
    const lanes = lanesRecord([], [{ from: 0, to: 1_024 }]);
    world.keyLog.log("lanes", lanes, [testKeys.alice, testKeys.bob], world.nowMs());
  }),
  rung("lane-unsealed", "too few witnesses", "seal", "not final", (draft) => {
    draft.run = { ...draft.run, mayReserve: false };
  }),
  rung("terms-malformed", "something after the terms", "inner", "final", (draft) => {
    draft.signing = { ...draft.signing, inner: "more\n" };
  }),
  rung("payee-unknown", "a payee that nobody knows", "payee", "final", (draft) => {
    const account = draft.terms.payee.account;
    set({ payee: { participant: "nobody.example", account } })(draft);
  }),
  rung("payee-unknown", "a payee that is no wallet", "payee", "final", (draft) => {
    set({ payee: { participant: fx, account: draft.terms.payee.account } })(draft);
  }),
  rung("same-participant", "a payee that is the payer", "payee", "final", (draft) => {
    set({ payee: { participant: hk, account: draft.terms.payee.account } })(draft);
  }),
  rung("payer-suspended", "a suspended payer", "payer-record", "final", suspend(hk)),
  rung("payee-suspended", "a suspended payee", "payee payee-record", "final", suspend(ph)),
  rung("currency-not-served", "a currency that the payer lacks", "send pair", "final", (draft) =>
    set({ send: { currency: "USD", amount: draft.terms.send.amount } })(draft),
  ),
  rung(
    "currency-not-served",
    "a currency that the payee lacks",
    "payee receive pair",
    "final",
    (draft) => set({ receive: { currency: "USD", amount: draft.terms.receive.amount } })(draft),
  ),
  rung("policy-bound", "another policy than binds the payer", "policy", "final", bind),
  rung("policy-unknown", "a policy that is not logged", "policy", "final", set({ policy: "none" })),
  rung(
    "policy-unmet",
    "an amount at which operators must sign",
    "policy send",
    "final",
    (draft) => {
      const operatorsFrom = [
        { currency: "PHP", amount: "1.00", count: 3 },
        { currency: "HKD", amount: "1000.00", count: 2 },
      ];
      const { alice, bob } = testKeys;
      const body = { policy: "large/1", kind: "transfer", operatorsFrom };
      draft.world.keyLog.log("policy", body, [alice, bob], draft.world.nowMs());
      set({ policy: "large/1" })(draft);
    },
  ),
  rung("expired", "the very instant of expiry", "expiry", "final", (draft) =>
    set({ expiresAt: formatTime(draft.run.atMs ?? 0) })(draft),
  ),
  rung("expiry-too-far", "a millisecond more than 300 s", "expiry", "final", (draft) =>
    set({ expiresAt: formatTime((draft.run.atMs ?? 0) + maxExpiryMs + 1) })(draft),
  ),
  rung("quote-used", "another transfer's quote", "quote", "final", ({ world, ...draft }) => {
    world.usedQuotes.set(draft.terms.quote, "another");
  }),
  rung("sheet-unknown", "a sheet by another hash", "sheet", "final", (draft) => {
    set({ sheet: { ...draft.terms.sheet, hash: draft.terms.request } })(draft);
  }),
  rung("sheet-unknown", "a sheet by another number", "sheet", "final", (draft) => {
    set({ sheet: { ...draft.terms.sheet, number: 7 } })(draft);
  }),
  rung("sheet-withdrawn", "a suspended provider", "sheet", "final", suspend(fx)),
  rung("sheet-unknown", "a sheet of another pair", "send receive pair sheet", "final", (draft) => {
    const { send, receive } = draft.terms;
    set({ send: { ...send, currency: "PHP" }, receive: { ...receive, currency: "HKD" } })(draft);
  }),
  rung("schedule-unknown", "no fee", "fees", "final", set({ fees: [] })),
  rung("schedule-unknown", "a fee schedule that is not logged", "fees", "final", (draft) =>
    set({ fees: draft.terms.fees.map((fee) => ({ ...fee, schedule: "none" })) })(draft),
  ),
  rung("schedule-unknown", "the fee paid to another", "fees", "final", (draft) =>
    set({ fees: draft.terms.fees.map((fee) => ({ ...fee, to: hk })) })(draft),
  ),
  rung("schedule-unknown", "the fee charged twice", "fees", "final", (draft) =>
    set({ fees: [...draft.terms.fees, ...draft.terms.fees] })(draft),
  ),
  rung("amount-decimals", "a third decimal", "send", "final", (draft) =>
    set({ send: { currency: "HKD", amount: "1000.001" } })(draft),
  ),
  rung("amount-zero", "an amount that the fee eats", "send", "final", (draft) =>
    set({ send: { currency: "HKD", amount: "1.00" } })(draft),
  ),
  rung("fee-mismatch", "a fee that is a cent short", "fee", "final", (draft) =>
    set({ fees: draft.terms.fees.map((fee) => ({ ...fee, amount: "1.99" })) })(draft),
  ),
  rung("amount-mismatch", "a cent more paid out", "receive", "final", (draft) =>
    set({ receive: { currency: "PHP", amount: "7235.51" } })(draft),
  ),
  rung("amount-mismatch", "another residue", "residue", "final", set({ residue: "0.001" })),
  rung("amount-mismatch", "another rate", "rate", "final", set({ rate: "7.250" })),
  rung("sheet-exhausted", "a cent more than the sheet's total", "total", "final", ({ world }) => {
    const sheet = world.state.sheets.get(`${fx} HKD/PHP`)?.[0];
    if (sheet !== undefined) sheet.usedMinor = 1_000_000_000n - 99_800n + 1n;
  }),
  rung("pending-limit", "as many pending as may be", "pending", "final", ({ world }) => {
    world.state.pendingByPayer.set(hk, maxPendingPerPayer);
  }),
  rung(
    "insufficient-funds",
    "a cent too little for the payer",
    "payer-funds",
    "final",
    ({ world }) => {
      const cover = world.state.balances.get(`${hk}:liquidity HKD`);
      if (cover !== undefined) cover.postedCredit = 99_999n;
    },
  ),
  rung(
    "insufficient-liquidity",
    "a centavo too little for the provider",
    "fx-funds",
    "final",
    ({ world }) => {
      const cover = world.state.balances.get(`${fx}:liquidity PHP`);
      if (cover !== undefined) cover.postedCredit = 723_549n;
    },
  ),
];

const send = (rungs: readonly Rung[]) => {
  const world = makeFundedWorld();
  const draft: Draft = {
    world,
    terms: world.terms({ key: "ladder" }),
    signing: {},
    run: { atMs: world.nowMs() + 10 },
  };
  for (const { fault } of rungs) fault(draft);
  const { outcome } = world.run([say.intent(world.keys(), draft.terms, draft.signing)], draft.run);
  return { world, terms: draft.terms, outcome };
};

describe("an intent", () => {
  it("that has no fault is reserved, and both sides are told", () => {
    const { world, terms, outcome } = send([]);
    expect(outcome).toMatchObject({ refusals: [], deadLetters: [], entries: [] });
    expect(outcome.reserved.map(({ id }) => id)).toEqual([terms.id]);
    expect([...outcome.inbox]).toEqual([
      [ph, [{ type: "proposal", id: terms.id }]],
      [hk, [{ type: "reserved", id: terms.id, timeMs: world.nowMs() }]],
    ]);
    expect(world.state.balances.get(`${hk}:position HKD`)).toMatchObject({
      pendingDebit: 100_000n,
      postedDebit: 0n,
    });
    expect(world.state.balances.get(`${operator}:fees HKD`)?.pendingCredit).toBe(200n);
    expect(world.state.balances.get(`${fx}:position PHP`)?.pendingDebit).toBe(723_550n);
    expect(world.state.balances.get(`${ph}:position PHP`)?.pendingCredit).toBe(723_550n);
  });

  it.each(ladder.map((one) => [one.code, one.what, one] as const))(
    "is refused as %s: %s",
    (code, _, one) => {
      const { world, terms, outcome } = send([one]);
      expect(outcome.reserved).toEqual([]);
      expect(world.state.open.size).toBe(0);
      const letters = one.answer.startsWith("dead letter") ? [code] : [];
      expect(outcome.deadLetters.map((letter) => letter.code)).toEqual(letters);
      if (one.answer === "dead letter") {
        expect(outcome).toMatchObject({ refusals: [], ended: [] });
        expect(outcome.inbox.size).toBe(0);
        return;
      }
      const final = one.answer === "final";
      expect(outcome.refusals).toMatchObject([
        { id: terms.id, request: terms.request, participant: hk, code, final },
      ]);
      expect(outcome.refusals[0]?.reason).toBe(isoReasonOf(outcome.refusals[0]?.code ?? "expired"));
      expect(outcome.inbox.get(hk)).toEqual([{ type: "refusal", id: terms.id, index: 0 }]);
      expect(outcome.ended.map(({ id }) => id)).toEqual(final ? [terms.id] : []);
    },
  );

  const pairs = ladder.flatMap((upper, at) =>
    ladder
      .slice(at + 1)
      .filter(({ about }) => !about.some((thing) => upper.about.includes(thing)))
      .map((lower) => [upper, lower] as const),
  );

  it(`with two faults is refused for the upper one (${pairs.length} pairs)`, () => {
    const wrong = pairs.filter(([upper, lower]) => {
      const { outcome } = send([upper, lower]);
      const code = outcome.refusals[0]?.code ?? outcome.deadLetters[0]?.code;
      return code !== upper.code;
    });
    expect(wrong.map(([upper, lower]) => `${upper.what} / ${lower.what}`)).toEqual([]);
  });

  it("is refused when the sheet's largest transfer is a cent less", () => {
    const world = makeWorld();
    world.fund();
    world.publishSheet({ maxTransfer: "999.99" });
    const { outcome } = world.run([world.intent()]);
    expect(outcome.refusals).toMatchObject([{ code: "sheet-limit", final: true }]);
  });

  it("signed with a key for rates is answered, and binds nothing", () => {
    const world = makeFundedWorld({ fx: { roles: ["liquidity-provider", "wallet"] } });
    const terms = { ...world.terms(), payer: { participant: fx, account: world.terms().request } };
    const intent = say.intent(world.keys(), terms, { signers: [testKeys.fx] });
    const { outcome } = world.run([intent]);
    expect(outcome.refusals).toMatchObject([{ code: "key-purpose", final: false }]);
    expect(outcome.ended).toEqual([]);
  });

  it("is refused when its note would not fit into an entry with what stands around it", () => {
    const world = makeFundedWorld();
    const intent = world.intent();
    const large = { ...intent, note: intent.note + "x".repeat(24 * 1024) };
    const { outcome } = world.run([large]);
    expect(outcome.refusals).toMatchObject([{ code: "entry-too-large", final: true }]);
  });
});

describe("a repeated intent", () => {
  it("is told again that it is reserved, and reserves nothing more", () => {
    const world = makeFundedWorld();
    const intent = world.intent();
    world.run([intent]);
    const reservedAt = world.nowMs();
    const { outcome } = world.run([intent, intent]);
    expect(outcome).toMatchObject({ reserved: [], refusals: [], entries: [] });
    const told = { type: "reserved", id: intent.body.id, timeMs: reservedAt };
    expect(outcome.inbox.get(hk)).toEqual([told, told]);
    expect(world.state.balances.get(`${hk}:position HKD`)?.pendingDebit).toBe(100_000n);
  });

  it("is told its end, whatever the terms of the repetition are", () => {
    const world = makeFundedWorld();
    const id = world.transfer({ key: "once" });
    world.publishSheet({ rate: "9" });
    const { outcome } = world.run([world.intent({ key: "once" })]);
    expect(outcome).toMatchObject({ reserved: [], refusals: [], entries: [] });
    expect(outcome.inbox.get(hk)).toEqual([{ type: "entry", seq: 3 }]);
    expect(world.known.get(id)?.seq).toBe(3);
  });

  it("gets the same refusal, in the same batch and in later ones", () => {
    const world = makeFundedWorld();
    const intent = world.intent({ policy: "none" });
    const { id } = intent.body;
    const first = world.run([intent, intent]).outcome;
    expect(first.refusals).toHaveLength(1);
    const told = { type: "refusal", id, index: 0 };
    expect(first.inbox.get(hk)).toEqual([told, told]);
    const { outcome } = world.run([intent]);
    expect(outcome.refusals).toEqual([]);
    expect(outcome.inbox.get(hk)).toEqual([{ ...told, index: undefined }]);
  });

  it.each(["open", "committed", "refused"])(
    "of another request is refused, and leaves the %s transfer alone",
    (state) => {
      const world = makeFundedWorld();
      const intent = world.intent(state === "refused" ? { policy: "none" } : {});
      world.run([intent]);
      if (state === "committed") world.run([world.accept(intent.body.id)]);
      const known = world.known.get(intent.body.id);
      const other = world.intent({ request: intent.body.payer.account });
      const { outcome } = world.run([other]);
      expect(outcome.refusals).toMatchObject([{ code: "request-mismatch", final: false }]);
      expect(outcome).toMatchObject({ ended: [], reserved: [], entries: [] });
      expect(world.known.get(intent.body.id)).toEqual(known);
      expect(world.state.open.has(intent.body.id)).toBe(state === "open");
    },
  );

  it("after a cancellation that came first is refused like it", () => {
    const world = makeFundedWorld();
    const intent = world.intent();
    const { id } = intent.body;
    const first = world.run([world.cancel(id)]).outcome;
    expect(first.refusals).toMatchObject([{ id, code: "cancelled", final: true }]);
    const { outcome } = world.run([intent]);
    expect(outcome).toMatchObject({ reserved: [], refusals: [], entries: [] });
    expect(outcome.inbox.get(hk)).toEqual([{ type: "refusal", id, index: undefined }]);
  });
});

describe("a quote", () => {
  const quote = "00000000-0000-4000-8000-000000000001";

  it("is used by one transfer only, in one batch too", () => {
    const world = makeFundedWorld();
    const intents = ["a", "b"].map((key) => world.intent({ key, quote }));
    const { outcome } = world.run(intents);
    expect(outcome.reserved).toHaveLength(1);
    expect(outcome.usedQuotes).toEqual([{ quote, id: intents[0]?.body.id }]);
    expect(outcome.refusals).toMatchObject([{ code: "quote-used", id: intents[1]?.body.id }]);
  });

  it("of a transfer that was refused can be used again", () => {
    const world = makeFundedWorld();
    world.run([world.intent({ key: "a", quote, policy: "none" })]);
    expect(world.run([world.intent({ key: "b", quote })]).outcome.reserved).toHaveLength(1);
  });
});
