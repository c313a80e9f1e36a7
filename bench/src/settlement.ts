// What closing a window costs: no servers, only the rules, which the lane and every auditor run. Members
// are posted and folded one by one, a window is cut and netted, a bank's statement is judged and settles it;
// by size of the window, number of participants, netting, how many windows before it wait, and how many
// were settled before it: the ledger's age. Held against nets that are added up another way.
import { performance } from "node:perf_hooks";
import type { BankLine, BankStatement, Netting, Posting } from "@sealane/protocol";
import {
  applyPostings,
  bankStatementFault,
  cutFault,
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
  readonly netting: Netting;
  /** Cut windows before it that are not settled. */
  readonly waiting: number;
  /** Entries that were posted, cut and settled in windows before it. */
  readonly age: number;
  /** Members posted to balances and folded into the window. */
  readonly postedPerSecond: number;
  /** From the cut to all nets and their rows. */
  readonly cutMs: number;
  readonly legs: number;
  /** A bank's statement with a line for each leg: judged, and what follows from it posted. */
  readonly settleMs: number;
};

const bank = "bank.example";
const currencies = ["HKD", "PHP"] as const;
const nameOf = (at: number): string => `wallet-${at}.example`;
const accountOf = (participant: string, currency: string): string =>
  `A${participant.replaceAll(/[^a-z0-9]/g, "").toUpperCase()}${currency}`;

const keysOf = (participants: number, netting: Netting): KeyState => {
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
    netting,
    bank,
    operatorAccounts: [],
    payWithinMinutes: 60,
    schedulerKey: undefined,
  } as const;
  return {
    ...emptyKeyState("sealane.example/keys"),
    ledger: { operator: "sealane.example" } as KeyState["ledger"],
    participants: new Map([
      ...names.map((name) => [name, record(name)] as const),
      [bank, { ...record(bank), roles: ["settlement-bank"], accounts: [] } as Participant],
    ]),
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

type Ledger = {
  readonly state: SettlementState;
  readonly keys: KeyState;
  readonly balances: Balances;
  seq: number;
};

const fold = (ledger: Ledger, members: number, participants: number): void => {
  const { state, keys, balances } = ledger;
  for (let n = 0; n < members; n += 1) {
    const postings = postingsOf(n, participants);
    applyPostings(balances, postings, "post");
    joinWindow(state, keys, terms, postings);
  }
  ledger.seq += members;
};

const cut = (ledger: Ledger, number: number) => {
  const { state, keys } = ledger;
  ledger.seq += 1;
  const at = { origin, keys, seq: ledger.seq, timeMs: 1_795_330_800_000 + ledger.seq };
  const body = { corridor: "hkd-php", number };
  const fault = cutFault(state, body, at, { operators: 1, scheduler: false });
  if (fault !== undefined) throw new Error(`${fault.code}: ${fault.detail}`);
  return cutWindow(state, body, at);
};

/** @returns how many legs it has */
const settle = (ledger: Ledger, number: number): number => {
  const { state, keys, balances } = ledger;
  const context = { keys, balances, mayLeave: () => 0n };
  const statement = statementOf(state, number);
  const fault = bankStatementFault(state, context, statement, String(number));
  if (fault !== undefined) throw new Error(`${fault.code}: ${fault.detail}`);
  ledger.seq += 1;
  const at = { hash: String(number), seq: ledger.seq };
  for (const one of takeBankStatement(state, context, statement, at)) {
    ledger.seq += 1;
    applyPostings(balances, derivedPostings("sealane.example", one), "post");
  }
  return statement.lines.length;
};

export type ClosingCase = Pick<Closing, "participants" | "members"> &
  Partial<Pick<Closing, "netting" | "waiting" | "age">>;

/** Nets of the entries held against the naive ones, and the clearing account's balance. */
const findingsOf = (
  nets: ReturnType<typeof cut>,
  balances: Balances,
  { members, participants }: ClosingCase,
): string[] => {
  const findings: string[] = [];
  const naive = naiveNets(members, participants);
  for (const net of nets) {
    if (net.kind !== "window-net") continue;
    for (const { currency, debits, credits } of net.body.totals) {
      const own = minorOfText(credits) - minorOfText(debits);
      const other = naive.get(`${net.body.participant} ${currency}`) ?? 0n;
      if (own !== other) findings.push(`${net.body.participant} ${currency}: ${own}, not ${other}`);
    }
  }
  for (const { account, postedDebit, postedCredit } of balances.values()) {
    const passes = account === "sealane.example:settlement";
    if (passes && postedDebit !== postedCredit) findings.push("the clearing account is not zero");
  }
  return findings;
};

const rounded = (ms: number): number => Math.round(ms * 100) / 100;

/** Closes and settles one window. @returns the figures, and what is wrong with it */
export const measureClosing = (
  asked: ClosingCase,
): { readonly closing: Closing; readonly findings: string[] } => {
  const { participants, members, netting = "multilateral", waiting = 0, age = 0 } = asked;
  const keys = keysOf(participants, netting);
  const ledger: Ledger = { state: emptySettlement(), keys, balances: new Map(), seq: 0 };
  let number = 0;
  const before = (count: number): void => {
    fold(ledger, count, participants);
    cut(ledger, number);
    takeSettlementRows(ledger.state);
    number += 1;
  };
  while (ledger.seq < age) {
    before(Math.min(10_000, age));
    settle(ledger, number - 1);
  }
  for (let n = 0; n < waiting; n += 1) before(participants);
  const aged = ledger.seq;
  const begunMs = performance.now();
  fold(ledger, members, participants);
  const foldedMs = performance.now();
  const nets = cut(ledger, number);
  const rows = takeSettlementRows(ledger.state);
  const cutAtMs = performance.now();
  const legs = settle(ledger, number);
  const settledAtMs = performance.now();
  for (let n = number - waiting; n < number; n += 1) settle(ledger, n);
  const closing = {
    participants,
    members,
    netting,
    waiting,
    age: aged,
    postedPerSecond: Math.round((members / Math.max(foldedMs - begunMs, 0.01)) * 1_000),
    cutMs: rounded(cutAtMs - foldedMs),
    legs,
    settleMs: rounded(settledAtMs - cutAtMs),
  };
  const findings = findingsOf(nets, ledger.balances, asked);
  return { closing, findings: rows.length === 0 ? [...findings, "nothing to store"] : findings };
};

const million = 1_000_000;
/** By size, by participants and netting, by windows that wait, by age. */
const cases: readonly ClosingCase[] = [
  { participants: 10, members: 10_000 },
  { participants: 10, members: 100_000 },
  { participants: 10, members: million },
  { participants: 100, members: million },
  { participants: 1_000, members: million },
  { participants: 10, members: million, netting: "gross" },
  { participants: 10, members: million, netting: "bilateral" },
  { participants: 70, members: million, netting: "gross" },
  { participants: 10, members: 10_000, waiting: 100 },
  { participants: 10, members: 10_000, waiting: 1_000 },
  { participants: 10, members: 10_000, age: million },
  { participants: 10, members: 10_000, age: 3 * million },
];

/** All cases, after one that only warms up. */
export const measureSettlement = (say: (line: string) => void) => {
  measureClosing({ participants: 10, members: 50_000, waiting: 10 });
  const closings: Closing[] = [];
  const findings: string[] = [];
  for (const asked of cases) {
    const { closing, findings: found } = measureClosing(asked);
    say(JSON.stringify(closing));
    closings.push(closing);
    findings.push(...found);
  }
  return { closings, findings };
};
