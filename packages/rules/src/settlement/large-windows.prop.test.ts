// Windows of any size and netting against a naive count: thousands of transfers among up to 120 wallets and
// some liquidity providers. Every transfer counts once, every net is the sum of its legs, no entry is too
// large, and one statement in parts settles all of it to the cent.
import {
  joinNetParts,
  maxEntryBytes,
  mostNetLegs,
  mostStatementLines,
  mostWindowLegs,
  windowNetSchema,
  type BankLine,
  type Netting,
  type WindowNet,
} from "@sealane/protocol";
import { allCurrencies } from "@sealane/money";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyKeyState, type KeyState, type Participant } from "../key-state.ts";
import { amountOf, applyPostings, minorOf, type Balances } from "../positions.ts";
import { accountOf, bank, operator, origin } from "../testing/index.ts";
import { derivedPostings } from "./postings.ts";
import { bankStatementFault, takeBankStatement } from "./bank-statement.ts";
import { emptySettlement, ownerOf, type SettlementState } from "./state.ts";
import { cutFault, cutWindow, joinWindow } from "./windows.ts";

const currencies = ["HKD", "PHP", "JPY", "KWD"];
const nameOf = (at: number): string => `wallet-${at}.example`;
const deskOf = (at: number): string => `desk-${at}.example`;

const keysOf = (names: readonly string[], netting: Netting): KeyState => {
  const accounts = (owner: string) =>
    currencies.map((currency) => ({ bank, currency, account: accountOf(owner, currency) }));
  const record = (participant: string) => ({
    participant,
    roles: ["wallet"],
    exposure: "gross",
    caps: [],
    accounts: accounts(participant),
  });
  const pairs = currencies.flatMap((from) => currencies.map((to) => ({ from, to })));
  const corridor = { corridor: "all", pairs, netting, bank, operatorAccounts: accounts(operator) };
  return {
    ...emptyKeyState("sealane.example/keys"),
    ledger: { operator } as KeyState["ledger"],
    participants: new Map<string, Participant>([
      ...names.map((name) => [name, record(name) as unknown as Participant] as const),
      [bank, { ...record(bank), roles: ["settlement-bank"] } as unknown as Participant],
    ]),
    corridors: new Map([["all", { ...corridor, payWithinMinutes: 60 } as never]]),
  };
};

type Sent = { payer: number; payee: number; desk: number; pair: [number, number]; minor: number };

const postingsOf = ({ payer, payee, desk, pair: [from, to], minor }: Sent) => {
  const [sent = "", received = ""] = [currencies[from], currencies[to]];
  const own = (debit: string, credit: string, currency: string, of: number) => ({
    debit,
    credit,
    currency,
    amount: amountOf(BigInt(of), currency),
  });
  return [
    own(`${nameOf(payer)}:position`, `${operator}:fees`, sent, 1 + (minor % 7)),
    own(`${nameOf(payer)}:position`, `${deskOf(desk)}:position`, sent, minor),
    own(`${deskOf(desk)}:position`, `${nameOf(payee)}:position`, received, 3 * minor),
  ];
};

const linesOf = (nets: readonly WindowNet[]): BankLine[] =>
  nets.flatMap(({ participant, legs }) =>
    legs.map(({ reference, currency, side, amount }) => ({
      reference,
      account: accountOf(participant, currency),
      currency,
      side: side === "pay" ? "debit" : "credit",
      amount,
      status: "booked",
    })),
  );

/** Folds, cuts and settles; what is wrong at any step fails. @returns the entries' bodies */
const closeWindow = (sent: readonly Sent[], state: SettlementState, keys: KeyState) => {
  const sums = new Map<string, bigint>();
  const balances: Balances = new Map();
  for (const one of sent) {
    const postings = postingsOf(one);
    applyPostings(balances, postings, "post");
    const [send = "", receive = ""] = one.pair.map((at) => currencies[at]);
    const money = (currency: string) => ({ currency, amount: "1" });
    joinWindow(state, keys, { send: money(send), receive: money(receive) }, postings);
    for (const { debit, credit, currency, amount } of postings) {
      for (const [account, sign] of [[debit, -1n] as const, [credit, 1n] as const]) {
        const key = `${ownerOf(account)} ${currency}`;
        sums.set(key, (sums.get(key) ?? 0n) + sign * minorOf(amount, currency));
      }
    }
  }
  const at = { origin, keys, seq: 1_000, timeMs: 1_795_330_800_000 };
  const cut = { corridor: "all", number: 0 };
  expect(cutFault(state, cut, at, { operators: 1, scheduler: false })).toBeUndefined();
  const derived = cutWindow(state, cut, at);
  for (const one of derived) applyPostings(balances, derivedPostings(operator, one), "post");
  const bodies = derived.flatMap((one) => (one.kind === "window-net" ? one.body : []));
  return { sums, balances, bodies };
};

const checkNets = (bodies: readonly WindowNet[], sums: ReadonlyMap<string, bigint>): void => {
  const counted = new Map<string, bigint>();
  const add = (key: string, minor: bigint) => counted.set(key, (counted.get(key) ?? 0n) + minor);
  for (const body of bodies) {
    const { participant, legs, totals, part } = body;
    expect(windowNetSchema.safeParse(body).success).toBe(true);
    expect(legs.length).toBeLessThanOrEqual(mostNetLegs);
    expect(JSON.stringify(body).length).toBeLessThan(maxEntryBytes - 4_096);
    if (part !== undefined && part.number > 1) expect(totals).toEqual([]);
    for (const { currency, debits, credits, fees } of totals) {
      const [owed = 0n, due = 0n, fee = 0n] = [debits, credits, fees].map((one) =>
        minorOf(one, currency),
      );
      add(`${participant} ${currency}`, due + fee - owed);
    }
    // With its legs as well: the second half of what must come to nothing.
    for (const { currency, side, amount } of legs) {
      const minor = minorOf(amount, currency);
      add(`legs ${participant} ${currency}`, side === "pay" ? -minor : minor);
    }
  }
  for (const [key, minor] of sums) {
    expect([key, counted.get(key), counted.get(`legs ${key}`) ?? 0n]).toEqual([key, minor, minor]);
  }
};

const sentBy = (wallets: number, desks: number, count: number): fc.Arbitrary<Sent[]> =>
  fc.array(
    fc.record({
      payer: fc.nat({ max: wallets - 1 }),
      payee: fc.nat({ max: wallets - 1 }),
      desk: fc.nat({ max: desks - 1 }),
      pair: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })),
      minor: fc.integer({ min: 1, max: 100_000 }),
    }),
    { minLength: count, maxLength: count },
  );

const shapes = fc
  .record({
    wallets: fc.integer({ min: 2, max: 120 }),
    desks: fc.integer({ min: 1, max: 4 }),
    count: fc.constantFrom(0, 10, 500, 3_000),
    netting: fc.constantFrom<Netting>("gross", "bilateral", "multilateral"),
  })
  .chain(({ wallets, desks, count, netting }) =>
    fc.record({
      sent: sentBy(wallets, desks, count),
      keys: fc.constant(
        keysOf(
          [
            ...Array.from({ length: wallets }, (_, n) => nameOf(n)),
            ...Array.from({ length: desks }, (_, n) => deskOf(n)),
          ],
          netting,
        ),
      ),
    }),
  );

describe("windows of any size", () => {
  test("close, and one statement settles all of them to the cent", () => {
    fc.assert(
      fc.property(shapes, ({ sent, keys }) => {
        const state = emptySettlement();
        const { sums, balances, bodies } = closeWindow(sent, state, keys);
        checkNets(bodies, sums);
        const nets = joinNetParts(bodies);
        const lines = linesOf(nets);
        expect(lines.length).toBeLessThanOrEqual(mostWindowLegs);
        if (lines.length === 0) return;
        const window = { corridor: "all", number: 0, attempt: 0 };
        const statement = { bank, reference: "S-1", digest: "", window, lines };
        const context = { keys, balances, mayLeave: () => 0n };
        const hash = "hash";
        expect(bankStatementFault(state, context, statement, hash)).toBeUndefined();
        const settled = takeBankStatement(state, context, statement, { hash, seq: 2_000 });
        for (const one of settled) applyPostings(balances, derivedPostings(operator, one), "post");
        expect([...state.closed.keys()]).toEqual([]);
        for (const { account, currency, postedDebit, postedCredit } of balances.values()) {
          const cleared = account === `${operator}:settlement` || account === `${operator}:fees`;
          if (cleared) expect([currency, postedDebit]).toEqual([currency, postedCredit]);
        }
      }),
      { numRuns: 25 },
    );
  });

  test("are not cut with more legs than a bank's statement can answer; netted otherwise, they are", () => {
    const wallets = mostWindowLegs / 4 + 1;
    const names = [...Array.from({ length: wallets }, (_, n) => nameOf(n)), deskOf(0), deskOf(1)];
    const sent = Array.from({ length: 2 * wallets }, (_, n): Sent => {
      const [payer, payee] = [n % wallets, (n + 1) % wallets];
      return { payer, payee, desk: n < wallets ? 0 : 1, pair: [0, 0], minor: 100 };
    });
    const state = emptySettlement();
    const keys = keysOf(names, "gross");
    const money = {
      send: { currency: "HKD", amount: "1" },
      receive: { currency: "HKD", amount: "1" },
    };
    for (const one of sent) joinWindow(state, keys, money, postingsOf(one));
    const fault = (netting: Netting) =>
      cutFault(
        state,
        { corridor: "all", number: 0 },
        { origin, keys: keysOf(names, netting), seq: 9, timeMs: 0 },
        { operators: 1, scheduler: false },
      )?.code;
    expect([fault("gross"), fault("multilateral")]).toEqual(["window-too-large", undefined]);
    expect(mostStatementLines).toBe(mostNetLegs);
  });

  test("are not cut with a participant in more than 20 currencies, and say whose and how many", () => {
    const cutWith = (count: number) => {
      const names = [nameOf(0), nameOf(1)];
      const state = emptySettlement();
      const keys = keysOf(names, "multilateral");
      for (const currency of allCurrencies().slice(0, count)) {
        const money = { currency, amount: "1" };
        const posting = { debit: `${names[0]}:position`, credit: `${names[1]}:position` };
        // Into a currency that no corridor has.
        const terms = { send: money, receive: { currency: "ISK", amount: "1" } };
        joinWindow(state, keys, terms, [{ ...posting, ...money }]);
      }
      const cut = { corridor: "default", number: 0 };
      const at = { origin, keys, seq: 9, timeMs: 0 };
      return cutFault(state, cut, at, { operators: 1, scheduler: false });
    };
    expect(cutWith(20)).toBeUndefined();
    expect(cutWith(21)).toEqual({
      code: "net-too-large",
      detail: `${nameOf(0)} has 21 currencies, and a net takes 20`,
    });
  });
});
