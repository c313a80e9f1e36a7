// What closing a window costs: no servers, only the rules, which the lane and every auditor run. Members
// are folded one by one, a window is cut and netted, a bank's statement settles it; by size of the
// window, by number of participants, and by how many windows before it wait. Held against nets that are
// added up another way.
import { performance } from "node:perf_hooks";
import type { BankLine, BankStatement, Posting } from "@sealane/protocol";
import {
  applyPostings,
  cutWindow,
  derivedPostings,
  emptyKeyState,
  emptySettlement,
  joinWindow,
  takeBankStatement,
  takeSettlementRows,
  type Balances,
  type KeyState,
  type Participant,
  type SettlementState,
} from "@sealane/rules";

export type Closing = {
  readonly participants: number;
  /** Transfers of the window. */
  readonly members: number;
  /** Cut windows before it that are not settled. */
  readonly waiting: number;
  readonly membersPerSecond: number;
  /** From the cut to all nets and their rows. */
  readonly cutMs: number;
  readonly legs: number;
  /** Participants that a bank's statement settles and posts. */
  readonly settledPerSecond: number;
};

const bank = "bank.example";
const currencies = ["HKD", "PHP"] as const;
const nameOf = (at: number): string => `wallet-${at}.example`;
const accountOf = (participant: string, currency: string): string =>
  `A${participant.replaceAll(/[^a-z0-9]/g, "").toUpperCase()}${currency}`;

const keysOf = (participants: number): KeyState => {
  const record = (participant: string): Participant =>
    ({
      participant,
      roles: ["wallet"],
      currencies: [...currencies],
      exposure: "gross",
      caps: [],
      accounts: currencies.map((currency) => {
        return { bank, currency, account: accountOf(participant, currency) };
      }),
    }) as unknown as Participant;
  const names = Array.from({ length: participants }, (_, at) => nameOf(at));
  const corridor = {
    corridor: "hkd-php",
    pairs: [{ from: "HKD", to: "PHP" }],
    netting: "multilateral",
    bank,
    operatorAccounts: [],
    payWithinMinutes: 60,
    schedulerKey: undefined,
  } as const;
  return {
    ...emptyKeyState("sealane.example/keys"),
    ledger: { operator: "sealane.example" } as KeyState["ledger"],
    participants: new Map(names.map((name) => [name, record(name)])),
    corridors: new Map([["hkd-php", corridor as never]]),
  };
};

/** A transfer from one to another under a third one's sheet; repeatable, without chance. */
const postingsOf = (n: number, participants: number): Posting[] => {
  const payer = nameOf(n % participants);
  const payee = nameOf((n * 7 + 1) % participants);
  const desk = nameOf((n * 13 + 2) % participants);
  const sent = `${20 + (n % 50)}.${String(n % 100).padStart(2, "0")}`;
  const received = `${150 + (n % 300)}.${String((n * 3) % 100).padStart(2, "0")}`;
  return [
    { debit: `${payer}:position`, credit: `${desk}:position`, currency: "HKD", amount: sent },
    { debit: `${desk}:position`, credit: `${payee}:position`, currency: "PHP", amount: received },
  ];
};

const terms = {
  send: { currency: "HKD", amount: "1.00" },
  receive: { currency: "PHP", amount: "1.00" },
};
const origin = "sealane.example/2026/0";

const minorOfText = (text: string): bigint => BigInt(text.replace(".", ""));

/** Nets by another way: one sum per participant and currency, straight from the members. */
const naiveNets = (members: number, participants: number): Map<string, bigint> => {
  const nets = new Map<string, bigint>();
  for (let n = 0; n < members; n += 1) {
    for (const { debit, credit, currency, amount } of postingsOf(n, participants)) {
      const minor = minorOfText(amount);
      for (const [account, by] of [[debit, -minor] as const, [credit, minor] as const]) {
        const id = `${account.split(":")[0] ?? ""} ${currency}`;
        nets.set(id, (nets.get(id) ?? 0n) + by);
      }
    }
  }
  return nets;
};

const statementOf = (state: SettlementState, number: number): BankStatement => {
  const window = state.closed.get(`hkd-php/${number}`);
  const lines = [...(window?.nets.values() ?? [])].flatMap(({ participant, legs }) =>
    legs.map(({ reference, currency, side, amount }): BankLine => ({
      reference,
      account: accountOf(participant, currency),
      currency,
      side: side === "pay" ? "debit" : "credit",
      amount,
      status: "booked",
    })),
  );
  const named = { corridor: "hkd-php", number, attempt: 0 };
  return { bank, reference: `S-${number}`, digest: "", window: named, lines };
};

const fold = (state: SettlementState, keys: KeyState, members: number, participants: number) => {
  for (let n = 0; n < members; n += 1) {
    joinWindow(state, keys, terms, postingsOf(n, participants));
  }
};

/** Closes and settles one window. @returns the figures, and what is wrong with it */
export const measureClosing = (
  participants: number,
  members: number,
  waiting: number,
): { readonly closing: Closing; readonly findings: string[] } => {
  const keys = keysOf(participants);
  const state = emptySettlement();
  let seq = 0;
  const cut = (number: number) => {
    const at = { origin, keys, seq: (seq += 1), timeMs: 1_795_330_800_000 + seq };
    return cutWindow(state, { corridor: "hkd-php", number }, at);
  };
  for (let number = 0; number < waiting; number += 1) {
    fold(state, keys, participants, participants);
    cut(number);
    takeSettlementRows(state);
  }
  const begunMs = performance.now();
  fold(state, keys, members, participants);
  const foldedMs = performance.now();
  const nets = cut(waiting);
  const rows = takeSettlementRows(state);
  const cutAtMs = performance.now();
  const findings: string[] = rows.length === 0 ? ["nothing to store"] : [];
  const naive = naiveNets(members, participants);
  for (const net of nets) {
    if (net.kind !== "window-net") continue;
    for (const { currency, debits, credits } of net.body.totals) {
      const own = minorOfText(credits) - minorOfText(debits);
      const other = naive.get(`${net.body.participant} ${currency}`) ?? 0n;
      if (own !== other) findings.push(`${net.body.participant} ${currency}: ${own}, not ${other}`);
    }
  }
  const balances: Balances = new Map();
  const context = { keys, balances, mayLeave: () => 0n };
  const statement = statementOf(state, waiting);
  const settleMs = performance.now();
  const settled = takeBankStatement(state, context, statement, { hash: "", seq });
  for (const one of settled) {
    applyPostings(balances, derivedPostings("sealane.example", one), "post");
  }
  const tookMs = performance.now() - settleMs;
  for (const { account, postedDebit, postedCredit } of balances.values()) {
    const passes = account === "sealane.example:settlement";
    if (passes && postedDebit !== postedCredit) findings.push("the clearing account is not zero");
  }
  const rate = (count: number, ms: number): number =>
    Math.round((count / Math.max(ms, 0.01)) * 1_000);
  const closing = {
    participants,
    members,
    waiting,
    membersPerSecond: rate(members, foldedMs - begunMs),
    cutMs: Math.round((cutAtMs - foldedMs) * 100) / 100,
    legs: statement.lines.length,
    settledPerSecond: rate(settled.length, tookMs),
  };
  return { closing, findings };
};

const cases: readonly (readonly [participants: number, members: number, waiting: number])[] = [
  [10, 1_000_000, 0],
  [10, 100_000, 0],
  [10, 10_000, 0],
  [10, 10_000, 100],
  [10, 10_000, 1_000],
  [100, 1_000_000, 0],
  [100, 100_000, 100],
  [1_000, 1_000_000, 0],
];

/** All cases, after one that only warms up. */
export const measureSettlement = (say: (line: string) => void) => {
  measureClosing(10, 50_000, 10);
  const closings: Closing[] = [];
  const findings: string[] = [];
  for (const [participants, members, waiting] of cases) {
    const { closing, findings: found } = measureClosing(participants, members, waiting);
    say(JSON.stringify(closing));
    closings.push(closing);
    findings.push(...found);
  }
  return { closings, findings };
};
