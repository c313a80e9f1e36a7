// A bank's statement: read whole, or refused whole. The ladder is in order of precedence: whose it is,
// whether it was taken before, what it is about, then every line; only when all of it stands is
// anything decided, and then participant by participant: one whose lines are not all booked is held
// with a reason, and does not hold up the others.
import {
  cashAccount,
  shortfallAccount,
  liquidityAccount,
  mostStatementLines,
  type BankLine,
  type BankStatement,
  type DerivedStatement,
  type Liquidity,
  type WindowLeg,
} from "@sealane/protocol";
import type { KeyState } from "../key-state.ts";
import { amountOf, balanceOf, isAmount, minorOf, type Balances } from "../positions.ts";
import { accountOwner } from "./bank-accounts.ts";
import { liquidityPostings } from "./postings.ts";
import {
  isFinal,
  windowKey,
  type ClosedWindow,
  type NetState,
  type SettlementState,
} from "./state.ts";
import { forgetSettled, settlementFault, type SettlementFault } from "./windows.ts";

/** Accounts are counted in 64 bits. */
const mostMinor = 2n ** 63n - 1n;

export type StatementContext = {
  readonly keys: KeyState;
  readonly balances: Balances;
  /** What may leave a participant's cover: its headroom, as far as whoever asks can know it. */
  readonly mayLeave: (participant: string, currency: string) => bigint;
};

const no = settlementFault;

export const lineKey = ({ reference, side }: { reference: string; side: string }): string =>
  `${reference} ${side}`;

/** What must be so of every line, whatever the statement is about. */
const linesFault = (keys: KeyState, { bank, lines }: BankStatement) => {
  const said = new Set<string>();
  for (const line of lines) {
    const { amount, currency, account, reference } = line;
    if (!isAmount(amount, currency)) return no("amount-decimals", `${amount} ${currency}`);
    if (accountOwner(keys, bank, line) === undefined) {
      return no("account-unknown", `${account} ${currency}`);
    }
    const key = `${lineKey(line)} ${account}`;
    if (said.has(key)) return no("line-twice", reference);
    said.add(key);
  }
  return undefined;
};

/** The bank's side of a leg: who pays is debited. */
const bankSide = ({ side }: WindowLeg): "debit" | "credit" => (side === "pay" ? "debit" : "credit");

export const expectedLegs = (window: ClosedWindow) =>
  new Map(
    [...window.nets.values()].flatMap(({ participant, legs }) =>
      legs.map((leg) => {
        const key = lineKey({ reference: leg.reference, side: bankSide(leg) });
        return [key, { participant, leg }] as const;
      }),
    ),
  );

const sumFault = (lines: readonly BankLine[]): SettlementFault | undefined => {
  const sums = new Map<string, bigint>();
  for (const { currency, side, amount } of lines) {
    const minor = minorOf(amount, currency);
    sums.set(currency, (sums.get(currency) ?? 0n) + (side === "debit" ? -minor : minor));
  }
  const off = [...sums].find(([, sum]) => sum !== 0n);
  if (off === undefined) return undefined;
  return no("sum-not-zero", `its lines in ${off[0]} come to ${amountOf(off[1], off[0])}`);
};

/** Every leg has its line, every line its leg, with the leg's amount. */
const legsFault = (
  keys: KeyState,
  window: ClosedWindow,
  { bank, lines }: BankStatement,
): SettlementFault | undefined => {
  const expected = expectedLegs(window);
  for (const line of lines) {
    const found = expected.get(lineKey(line));
    const owner = accountOwner(keys, bank, line);
    if (found?.participant !== owner || found?.leg.currency !== line.currency) {
      return no("line-unexpected", `${line.reference} for ${owner ?? line.account}`);
    }
  }
  const given = new Set(lines.map(lineKey));
  for (const [key, { participant, leg }] of expected) {
    if (given.has(key)) continue;
    return no("account-missing", `no line for ${participant} ${leg.currency}`);
  }
  const sum = sumFault(lines);
  if (sum !== undefined) return sum;
  for (const line of lines) {
    const found = expected.get(lineKey(line));
    if (found === undefined || found.leg.amount === line.amount) continue;
    const detail = `${found.participant}: ${line.amount}, the net is ${found.leg.amount}`;
    return no("amount-mismatch", `${detail} ${line.currency}`);
  }
  const booked = new Set([...window.nets.values()].flatMap((net) => net.booked));
  const undone = lines.find((line) => line.status !== "booked" && booked.has(lineKey(line)));
  if (undone === undefined) return undefined;
  return no("line-reversed", `${undone.reference} was booked before`);
};

const settlementStatementFault = (
  state: SettlementState,
  { keys }: StatementContext,
  statement: BankStatement,
): SettlementFault | undefined => {
  const { window: named, bank } = statement;
  if (named === undefined) return undefined;
  const window = state.closed.get(windowKey(named));
  if (window === undefined) {
    const past = named.number < (state.open.get(named.corridor)?.number ?? 0);
    return no(past ? "window-settled" : "window-unknown", windowKey(named));
  }
  if (keys.corridors.get(named.corridor)?.bank !== bank) {
    return no("bank-mismatch", `${bank} does not settle ${named.corridor}`);
  }
  if (named.attempt < window.attempt) {
    return no("settlement-aborted", `attempt ${named.attempt} of ${windowKey(named)} was aborted`);
  }
  if (named.attempt > window.attempt) return no("window-unknown", `attempt ${named.attempt}`);
  return legsFault(keys, window, statement);
};

/** Deposits and withdrawals: booked, new, and no more out than may leave. */
const coverStatementFault = (
  state: SettlementState,
  { keys, balances, mayLeave }: StatementContext,
  { bank, lines }: BankStatement,
): SettlementFault | undefined => {
  const leaving = new Map<string, bigint>();
  const coming = new Map<string, bigint>();
  for (const line of lines) {
    const { reference, currency, amount, side, status } = line;
    const owner = accountOwner(keys, bank, line) ?? "";
    if (status !== "booked") return no("line-not-booked", reference);
    if (!keys.participants.has(owner)) return no("account-unknown", `${owner} has no cover`);
    if (state.seen.has(`line ${bank} ${reference}`)) return no("line-twice", reference);
    const advance = state.unbacked.get(reference);
    if (advance !== undefined) {
      const same =
        advance.participant === owner &&
        advance.currency === currency &&
        advance.minor === minorOf(amount, currency) &&
        side === "credit";
      if (!same) return no("advance-mismatch", `advance ${reference} is another`);
    }
    if (side === "credit") {
      const sum = (coming.get(currency) ?? 0n) + minorOf(amount, currency);
      coming.set(currency, sum);
      const cash = balanceOf(balances, cashAccount(keys.ledger?.operator ?? ""), currency);
      if (cash.postedDebit + sum <= mostMinor) continue;
      return no("amount-too-large", `${currency} beyond what accounts can hold`);
    }
    const key = `${owner} ${currency}`;
    const out = (leaving.get(key) ?? 0n) + minorOf(amount, currency);
    leaving.set(key, out);
    // An advance is no money: only what the bank has confirmed can leave it.
    if (out > mayLeave(owner, currency) || out > backedCover(state, balances, owner, currency)) {
      return no("withdrawal-uncovered", `${owner} needs its cover in ${currency}`);
    }
  }
  return undefined;
};

/**
 * Why a statement is refused whole, or undefined. `statement-repeated` is no harm: the same once more.
 * @param statement whole, with the lines of all of its parts
 * @param hash of the text of its last part
 */
export const bankStatementFault = (
  state: SettlementState,
  context: StatementContext,
  statement: BankStatement,
  hash: string,
): SettlementFault | undefined => {
  const { bank, reference } = statement;
  if (context.keys.participants.get(bank)?.roles.includes("settlement-bank") !== true) {
    return no("bank-unknown", `${bank} is no settlement bank`);
  }
  const before = state.seen.get(`statement ${bank} ${reference}`);
  if (before !== undefined) {
    return before === hash
      ? no("statement-repeated", reference)
      : no("statement-reused", `another statement was ${reference}`);
  }
  return (
    linesFault(context.keys, statement) ??
    settlementStatementFault(state, context, statement) ??
    (statement.window === undefined ? coverStatementFault(state, context, statement) : undefined)
  );
};

type Cause = { readonly bank: string; readonly reference: string; readonly seq: number };

/** What one participant's lines, in the statement's order, come to. @returns whether it is new */
const moveNet = (net: NetState, mine: readonly BankLine[]): boolean => {
  const booked = mine.filter(({ status }) => status === "booked").map(lineKey);
  const rejected = mine.find(({ status }) => status === "rejected");
  const all = booked.length === mine.length;
  let why: string | undefined = booked.length > 0 ? "partly-booked" : "line-pending";
  if (rejected !== undefined) why = "line-rejected";
  if (all) why = undefined;
  const { reason } = rejected ?? {};
  const status = all ? "settled" : "held";
  const same =
    net.status === status &&
    net.why === why &&
    net.reason === reason &&
    net.booked.length === booked.length;
  Object.assign(net, { status, why, reason, booked });
  return !same;
};

const settleLines = (
  state: SettlementState,
  { window: named, lines }: BankStatement,
  cause: Cause,
): DerivedStatement[] => {
  const window = state.closed.get(windowKey(named ?? { corridor: "", number: 0 }));
  if (window === undefined) throw new Error("broken invariant: a statement of no window");
  const { corridor, number, attempt } = window;
  const legs = expectedLegs(window);
  const byOwner = Map.groupBy(lines, (line) => legs.get(lineKey(line))?.participant);
  const derived = [...window.nets.values()].flatMap((net): DerivedStatement[] => {
    if (isFinal(net) || !moveNet(net, byOwner.get(net.participant) ?? [])) return [];
    const { participant, status, why, reason } = net;
    const common = { corridor, number, attempt, participant, statement: cause };
    const totals = [...net.totals];
    if (status === "settled") {
      return [{ kind: "settlement", body: { ...common, result: "settled", totals } }];
    }
    const said = {
      ...(why === undefined ? {} : { why }),
      ...(reason === undefined ? {} : { reason }),
    };
    const body = { ...common, result: "held", ...said, totals };
    return [{ kind: "settlement", body } as DerivedStatement];
  });
  forgetSettled(state, window);
  return derived;
};

/** What a participant has not paid back of its shortfalls. */
export const shortfallOf = (balances: Balances, participant: string, currency: string): bigint => {
  const { postedDebit, postedCredit } = balanceOf(
    balances,
    shortfallAccount(participant),
    currency,
  );
  return postedDebit - postedCredit;
};

/** Cover that a bank has confirmed: what is there less what is only advanced, never below zero. */
export const backedCover = (
  state: SettlementState,
  balances: Balances,
  participant: string,
  currency: string,
): bigint => {
  const { postedDebit, postedCredit } = balanceOf(
    balances,
    liquidityAccount(participant),
    currency,
  );
  const backed = postedCredit - postedDebit - unbackedOf(state, participant, currency);
  return backed < 0n ? 0n : backed;
};

/** Cover that only operators vouch for. */
export const unbackedOf = (
  { unbacked, unbackedMoved }: SettlementState,
  participant: string,
  currency: string,
): bigint => {
  let sum = unbackedMoved.get(`${participant} ${currency}`) ?? 0n;
  for (const one of unbacked.values()) {
    if (one.participant === participant && one.currency === currency) sum += one.minor;
  }
  // What was moved away unbacked and has been backed since stands here, and is still marked there.
  return sum < 0n ? 0n : sum;
};

/** What one entry takes, with names of any length. */
const mostCoverPostings = 64;

/** As many lines of one participant as an entry takes. */
const inEntries = (body: Omit<Liquidity, "lines">, lines: Liquidity["lines"]): Liquidity[] => {
  const bodies: Liquidity[] = [];
  let postings = 0;
  for (const line of lines) {
    const more = liquidityPostings("", { ...body, lines: [line] }).length;
    const last = bodies.at(-1);
    const room =
      postings + more <= mostCoverPostings && (last?.lines.length ?? 0) < mostStatementLines;
    if (last !== undefined && room) {
      last.lines.push(line);
      postings += more;
    } else {
      bodies.push({ ...body, lines: [line] });
      postings = more;
    }
  }
  return bodies;
};

const takeCover = (
  state: SettlementState,
  { keys, balances }: StatementContext,
  { bank, lines }: BankStatement,
  cause: Cause,
): DerivedStatement[] => {
  const bodies = new Map<string, Liquidity["lines"]>();
  const repaid = new Map<string, bigint>();
  for (const line of lines) {
    const { reference, currency, side, amount } = line;
    const participant = accountOwner(keys, bank, line) ?? "";
    const own = bodies.get(participant) ?? [];
    bodies.set(participant, own);
    state.seen.set(`line ${bank} ${reference}`, "");
    state.dirty.add(`seen line ${bank} ${reference}`);
    const common = { reference, currency, side, amount };
    if (state.unbacked.delete(reference)) {
      state.dirty.add(`advance ${reference}`);
      own.push({ ...common, advance: reference });
      continue;
    }
    const key = `${participant} ${currency}`;
    const owed = shortfallOf(balances, participant, currency) - (repaid.get(key) ?? 0n);
    const minor = minorOf(amount, currency);
    const back = side === "debit" || owed <= 0n ? 0n : owed < minor ? owed : minor;
    repaid.set(key, (repaid.get(key) ?? 0n) + back);
    own.push(back === 0n ? common : { ...common, repaid: amountOf(back, currency) });
  }
  return [...bodies.keys()].toSorted().flatMap((participant): DerivedStatement[] => {
    const own = bodies.get(participant) ?? [];
    return inEntries({ participant, statement: cause }, own).map((body) => ({
      kind: "liquidity",
      body,
    }));
  });
};

/** Takes a statement in which nothing is at fault. @returns what follows from it in the log */
export const takeBankStatement = (
  state: SettlementState,
  context: StatementContext,
  statement: BankStatement,
  at: { readonly hash: string; readonly seq: number },
): DerivedStatement[] => {
  const { bank, reference } = statement;
  state.seen.set(`statement ${bank} ${reference}`, at.hash);
  state.dirty.add(`seen statement ${bank} ${reference}`);
  const cause = { bank, reference, seq: at.seq };
  if (statement.window !== undefined) return settleLines(state, statement, cause);
  return takeCover(state, context, statement, cause);
};
