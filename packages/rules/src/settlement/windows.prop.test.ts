// Windows and positions against a model that adds everything up again from a list of transfers after
// every step. Cuts, statements with any lines booked, faulty ones, aborts, defaults, deposits: whatever
// comes in whatever order, each transfer is in one window, windows sum to zero, and exposure is what
// is not final. No signatures here: commands come with their lines judged, as the ledger's door gives.
import type { BankLine, WindowTotal } from "@sealane/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LaneCommand } from "../commands.ts";
import type { KeyState, Participant } from "../key-state.ts";
import { decideBatch } from "../lane.ts";
import { emptyLaneState, type LaneState } from "../lane-state.ts";
import { amountOf, applyPostings, balanceOf, minorOf, standingOf } from "../positions.ts";
import {
  accountOf,
  bank,
  fx,
  genesisMs,
  hk,
  makeGenesis,
  operator,
  origin,
  ph,
} from "../testing/index.ts";
import { defaultPayments } from "./defaults.ts";
import { restoreSettlement, takeSettlementRows } from "./rows.ts";
import { emptySettlement, isFinal, type ClosedWindow } from "./state.ts";
import { joinWindow } from "./windows.ts";

const nettings = ["multilateral", "bilateral", "gross"] as const;
const keysBy = Object.fromEntries(
  nettings.map((netting) => [
    netting,
    makeGenesis({ corridor: { netting } }).history().states.at(-1),
  ]),
) as Record<string, KeyState>;

type Posted = { debit: string; credit: string; currency: string; minor: bigint };
type Moved = { seq: number; postings: Posted[] };
type ModelWindow = { from: number; to: number; final: Set<string> };

/** The naive side: lists, and sums made anew. */
type Model = { moved: Moved[]; windows: ModelWindow[]; from: number; cover: Map<string, bigint> };

type Real = {
  state: LaneState;
  keys: KeyState;
  timeMs: number;
  said: number;
  rows: Map<string, string>;
};

const wallets = [hk, ph] as const;
const parties = [hk, ph, fx];
const currencies = ["HKD", "PHP"] as const;
const ownerOf = (account: string): string => account.split(":")[0] ?? "";

const cited = { size: 1, root: "root" };

const decide = (real: Real, command: Record<string, unknown>, laterMs = 10) => {
  real.timeMs += laterMs;
  const common = {
    offset: 0n,
    origin,
    text: `${JSON.stringify(command)}\n`,
    note: "",
    inner: undefined,
  };
  const key = { participant: bank, purpose: "bank-statement", key: { name: "k" } };
  const lines = [{ line: "\u2014 k AAAA", key, good: true }];
  const signed = { ...common, lines, unknownLines: 0, operators: ["a", "b"], schedulers: [] };
  return decideBatch(real.state, {
    timeMs: real.timeMs,
    commands: [{ ...signed, ...command } as unknown as LaneCommand],
    keys: real.keys,
    cited,
    known: new Map(),
    usedQuotes: new Map(),
    mayReserve: true,
  });
};

const totalsOf = (model: Model, window: Pick<ModelWindow, "from" | "to">, owner: string) => {
  const sums = { HKD: [0n, 0n], PHP: [0n, 0n] } as Record<string, [bigint, bigint]>;
  for (const { seq, postings } of model.moved) {
    if (seq < window.from || seq >= window.to) continue;
    for (const { debit, credit, currency, minor } of postings) {
      const sum = sums[currency] as [bigint, bigint];
      if (ownerOf(debit) === owner) sum[0] += minor;
      if (ownerOf(credit) === owner) sum[1] += minor;
    }
  }
  return sums;
};

const sumOfTotals = (totals: readonly WindowTotal[], currency: string): [bigint, bigint] => {
  const own = totals.find((total) => total.currency === currency);
  if (own === undefined) return [0n, 0n];
  const [debits, credits, fees] = [own.debits, own.credits, own.fees].map((one) =>
    minorOf(one, currency),
  );
  return [debits ?? 0n, (credits ?? 0n) + (fees ?? 0n)];
};

const checkWindow = (model: Model, window: ModelWindow, closed: ClosedWindow): void => {
  for (const currency of currencies) {
    let sum = 0n;
    for (const net of closed.nets.values()) {
      const [debits, credits] = sumOfTotals(net.totals, currency);
      expect([debits, credits]).toEqual(totalsOf(model, window, net.participant)[currency]);
      expect(isFinal(net)).toBe(window.final.has(net.participant));
      const own = net.legs.filter((leg) => leg.currency === currency);
      const legs = own.map(({ side, amount }) =>
        side === "pay" ? -minorOf(amount, currency) : minorOf(amount, currency),
      );
      expect(legs.reduce((left, right) => left + right, 0n)).toBe(credits - debits);
      sum += credits - debits;
    }
    expect(sum).toBe(0n);
  }
};

const checkStanding = (model: Model, { state, keys }: Real, participant: string): void => {
  const record = keys.participants.get(participant) as Participant;
  for (const currency of currencies) {
    const unsettled = [
      { from: model.from, to: Infinity },
      ...model.windows.filter(({ final }) => !final.has(participant)),
    ];
    const debits = unsettled.map((one) => totalsOf(model, one, participant)[currency]?.[0] ?? 0n);
    const standing = standingOf(state.balances, record, currency, state.settlement);
    expect(standing.exposure).toBe(debits.reduce((left, right) => left + right, 0n));
    expect(standing.liquidity).toBe(model.cover.get(`${participant} ${currency}`) ?? 0n);
  }
};

const checkBooks = ({ state }: Real, allFinal: boolean): void => {
  for (const currency of currencies) {
    const own = [...state.balances.values()].filter((one) => one.currency === currency);
    const debits = own.reduce((sum, { postedDebit }) => sum + postedDebit, 0n);
    expect(debits).toBe(own.reduce((sum, { postedCredit }) => sum + postedCredit, 0n));
    const clearing = balanceOf(state.balances, `${operator}:settlement`, currency);
    if (allFinal) expect(clearing.postedDebit).toBe(clearing.postedCredit);
  }
};

/** What a service would store is what it would go on from. */
const checkRows = ({ state: { settlement }, rows }: Real): void => {
  for (const { name, body } of takeSettlementRows(settlement)) {
    if (body === undefined) rows.delete(name);
    else rows.set(name, body);
  }
  const restored = emptySettlement();
  restoreSettlement(
    restored,
    [...rows].map(([name, body]) => ({ name, body })),
  );
  expect(restored).toEqual(settlement);
};

/** Everything that must hold after each step. */
const check = (model: Model, real: Real): void => {
  const { settlement } = real.state;
  const open = settlement.open.get("hkd-php");
  expect(open?.number ?? 0).toBe(model.windows.length);
  expect(open?.transfers ?? 0).toBe(model.moved.filter(({ seq }) => seq >= model.from).length);
  const all = [...model.windows, { from: model.from, to: Infinity }];
  for (const { seq } of model.moved) {
    expect(all.filter(({ from, to }) => from <= seq && seq < to)).toHaveLength(1);
  }
  for (const [number, window] of model.windows.entries()) {
    const closed = settlement.closed.get(`hkd-php/${number}`);
    if (closed !== undefined) checkWindow(model, window, closed);
  }
  for (const participant of parties) checkStanding(model, real, participant);
  checkBooks(real, settlement.closed.size === 0);
  checkRows(real);
};

type Step = fc.Command<Model, Real>;

const step = (name: string, run: (model: Model, real: Real) => void): Step => ({
  check: () => true,
  run: (model, real) => {
    run(model, real);
    check(model, real);
  },
  toString: () => name,
});

const transfer = (turned: boolean, send: bigint, receive: bigint, fee: bigint): Step =>
  step(`transfer ${turned} ${send} ${receive} ${fee}`, (model, { state, keys }) => {
    const [payer, payee] = turned ? [ph, hk] : [hk, ph];
    const [from, to] = turned ? ["PHP", "HKD"] : ["HKD", "PHP"];
    const postings: Posted[] = [
      { debit: `${payer}:position`, credit: `${operator}:fees`, currency: from ?? "", minor: fee },
      { debit: `${payer}:position`, credit: `${fx}:position`, currency: from ?? "", minor: send },
      { debit: `${fx}:position`, credit: `${payee}:position`, currency: to ?? "", minor: receive },
    ];
    const whole = postings.map(({ minor, ...one }) => ({
      ...one,
      amount: amountOf(minor, one.currency),
    }));
    applyPostings(state.balances, whole, "post");
    const terms = {
      send: { currency: from ?? "", amount: "1" },
      receive: { currency: to ?? "", amount: "1" },
    };
    joinWindow(state.settlement, keys, terms, whole);
    model.moved.push({ seq: state.size, postings });
    state.size += 1;
  });

const cut = (ahead: number): Step =>
  step(`cut ${ahead}`, (model, real) => {
    const number = model.windows.length + ahead;
    const at = real.state.size;
    const { entries } = decide(real, { kind: "window-cut", body: { corridor: "hkd-php", number } });
    expect(entries.length > 0).toBe(ahead === 0);
    if (ahead !== 0) return;
    const window = { from: model.from, to: at, final: new Set<string>() };
    model.windows.push(window);
    model.from = at + 1;
    const closed = real.state.settlement.closed.get(`hkd-php/${number}`);
    for (const { participant, legs } of closed?.nets.values() ?? []) {
      if (legs.length === 0) window.final.add(participant);
    }
    if (closed === undefined) for (const one of [...parties, operator]) window.final.add(one);
  });

const oldest = ({ state }: Real): ClosedWindow | undefined =>
  [...state.settlement.closed.values()][0];

const linesOf = (window: ClosedWindow, booked: (at: number) => boolean): BankLine[] =>
  [...window.nets.values()]
    .flatMap((net) => net.legs.map((leg) => ({ net, leg })))
    .map(({ net, leg }, at) => {
      const side = leg.side === "pay" ? "debit" : "credit";
      const again = net.booked.includes(`${leg.reference} ${side}`);
      return {
        reference: leg.reference,
        account: accountOf(net.participant, leg.currency),
        currency: leg.currency,
        side,
        amount: leg.amount,
        status: again || booked(at) ? "booked" : "pending",
      };
    });

const say = (real: Real, body: Record<string, unknown>) => {
  real.said += 1;
  const reference = `S-${real.said}`;
  const whole = { bank, reference, digest: "", ...body };
  return decide(real, { kind: "bank-statement", body: whole });
};

const statement = (mask: number): Step =>
  step(`statement ${mask.toString(2)}`, (model, real) => {
    const window = oldest(real);
    if (window === undefined) return;
    const { corridor, number, attempt } = window;
    const lines = linesOf(window, (at) => (mask & (1 << at)) !== 0);
    const { deadLetters } = say(real, { window: { corridor, number, attempt }, lines });
    expect(deadLetters).toEqual([]);
    const final = model.windows[number]?.final;
    for (const net of window.nets.values()) {
      const own = lines.filter(({ reference, side }) =>
        net.legs.some(
          (leg) => leg.reference === reference && (leg.side === "pay") === (side === "debit"),
        ),
      );
      if (own.every(({ status }) => status === "booked")) final?.add(net.participant);
    }
  });

const faults: readonly ((lines: BankLine[]) => BankLine[])[] = [
  (lines) => lines.slice(1),
  (lines) => [...lines, ...lines.slice(0, 1)],
  ([first, ...rest]) => (first === undefined ? [] : [{ ...first, amount: "0.01" }, ...rest]),
  ([first, ...rest]) => (first === undefined ? [] : [{ ...first, account: "NOBODYS" }, ...rest]),
  ([first, ...rest]) => (first === undefined ? [] : [{ ...first, amount: "1.001" }, ...rest]),
];

const faulty = (which: number): Step =>
  step(`faulty statement ${which}`, (_model, real) => {
    const window = oldest(real);
    if (window === undefined) return;
    const { corridor, number, attempt } = window;
    const right = linesOf(window, () => true);
    const lines = faults[which]?.(right) ?? [];
    if (lines[0]?.amount === "0.01" && right[0]?.amount === "0.01") return;
    const { entries, deadLetters } = say(real, { window: { corridor, number, attempt }, lines });
    expect([entries.length, deadLetters.length]).toEqual([0, 1]);
  });

const abort = (): Step =>
  step("abort", (_model, real) => {
    const window = oldest(real);
    if (window === undefined) return;
    const { corridor, number, attempt } = window;
    decide(real, { kind: "settlement-abort", body: { corridor, number, attempt, reason: "x" } });
  });

const byDefault = (who: number, late: boolean): Step =>
  step(`default ${who} ${late}`, (model, real) => {
    const window = oldest(real);
    const participant = parties[who] ?? "";
    const net = window?.nets.get(participant);
    if (window === undefined || net === undefined) return;
    const { corridor, number, attempt } = window;
    const { settlement, balances } = real.state;
    const payments = defaultPayments(settlement, balances, net);
    if (payments.length === 0) return;
    const debtor = net.legs.some(({ side }) => side === "pay");
    const allowed =
      !isFinal(net) && debtor && real.timeMs + (late ? 86_400_000 : 10) >= window.payByMs;
    const suspended = { ...real.keys.participants.get(participant), suspended: true } as never;
    const keys = {
      ...real.keys,
      participants: new Map(real.keys.participants).set(participant, suspended),
    };
    const body = { corridor, number, attempt, participant, totals: net.totals, payments };
    const own = { ...real, keys };
    const { entries } = decide(own, { kind: "window-default", body }, late ? 86_400_000 : 10);
    real.timeMs = own.timeMs;
    expect(entries).toHaveLength(allowed ? 1 : 0);
    if (!allowed) return;
    model.windows[number]?.final.add(participant);
    for (const { currency, cover } of payments) {
      const key = `${participant} ${currency}`;
      model.cover.set(key, (model.cover.get(key) ?? 0n) - minorOf(cover, currency));
    }
  });

const deposit = (who: number, currency: "HKD" | "PHP", minor: bigint): Step =>
  step(`deposit ${who} ${currency} ${minor}`, (model, real) => {
    const participant = wallets[who] ?? hk;
    const { postedDebit, postedCredit } = balanceOf(
      real.state.balances,
      `${participant}:shortfall`,
      currency,
    );
    const owed = postedDebit - postedCredit;
    const reference = `L-${real.said}`;
    const amount = amountOf(minor, currency);
    const line = { reference, account: accountOf(participant, currency), currency, side: "credit" };
    say(real, { lines: [{ ...line, amount, status: "booked" }] });
    const key = `${participant} ${currency}`;
    model.cover.set(key, (model.cover.get(key) ?? 0n) + (owed < minor ? minor - owed : 0n));
  });

const minor = fc.bigInt({ min: 1n, max: 1_000_000n });
const steps = [
  fc.tuple(fc.boolean(), minor, minor, minor).map((args) => transfer(...args)),
  fc.tuple(fc.boolean(), minor, minor, minor).map((args) => transfer(...args)),
  fc.constantFrom(0, 0, 0, -1, 1).map((ahead) => cut(ahead)),
  fc.integer({ min: 0, max: 4_095 }).map(statement),
  fc.constant(4_095).map(statement),
  fc.nat({ max: faults.length - 1 }).map(faulty),
  fc.constant(0).map(abort),
  fc.tuple(fc.nat({ max: 2 }), fc.boolean()).map((args) => byDefault(...args)),
  fc
    .tuple(fc.nat({ max: 1 }), fc.constantFrom(...currencies), minor)
    .map((args) => deposit(...args)),
];

describe("windows and positions", () => {
  test.each(nettings)("netted %s, are what a naive ledger comes to", (netting) => {
    const keys = keysBy[netting] as KeyState;
    fc.assert(
      fc.property(fc.commands(steps, { maxCommands: 40 }), (commands) => {
        const state = emptyLaneState(origin, 0);
        const real: Real = { state, keys, timeMs: genesisMs, said: 0, rows: new Map() };
        const model: Model = { moved: [], windows: [], from: 0, cover: new Map() };
        expect(() => fc.modelRun(() => ({ model, real }), commands)).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });
});
