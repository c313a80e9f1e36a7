// Cover that moves between lanes, as each lane and every auditor remembers it. It leaves one lane by an
// entry, is in the account `in-transit`, and is taken in by the one lane that the entry names, once. What
// is only advanced stays marked as such where it goes: over all lanes never more counts as backed than is.
import {
  inTransitAccount,
  liquidityAccount,
  parseTime,
  type LiquidityOut,
  type Posting,
} from "@sealane/protocol";
import type { KeyState } from "../key-state.ts";
import { isAmount, isAmountOrZero, minorOf } from "../positions.ts";
import { backedCover, type StatementContext } from "./bank-statement.ts";
import type { LaneMove, SettlementState } from "./state.ts";
import { settlementFault, type SettlementFault } from "./windows.ts";

const no = settlementFault;

/** An order to move is not kept in a drawer: it runs out a day after it is decided at the latest. */
export const longestMoveMs = 24 * 3_600_000;

/** What another lane let go, and where: read from its entry, which was judged before. */
export type LetGo = {
  readonly from: string;
  readonly seq: number;
  readonly body: LiquidityOut;
  /** Leaf hash of its entry, base64. */
  readonly leaf: string;
};

/** Where a move stands, and what is decided about it: the lane's own place and time. */
export type MoveContext = StatementContext & {
  readonly origin: string;
  readonly timeMs: number;
};

export const outKey = ({ id }: Pick<LiquidityOut, "id">): string => `out ${id}`;
export const inKey = (from: string, { id }: Pick<LiquidityOut, "id">): string => `in ${from} ${id}`;

export const liquidityOutPostings = (body: LiquidityOut): Posting[] => {
  const { participant, currency, amount } = body;
  const [debit, credit] = [liquidityAccount(participant), inTransitAccount(participant)];
  return [{ debit, credit, currency, amount }];
};

export const liquidityInPostings = (body: LiquidityOut): Posting[] =>
  liquidityOutPostings(body).map(({ debit, credit, ...rest }) => ({
    debit: credit,
    credit: debit,
    ...rest,
  }));

const isLane = ({ lanes }: KeyState, origin: string): boolean =>
  lanes?.lanes.some((lane) => lane.origin === origin) ?? false;

const shapeFault = ({ keys, origin }: MoveContext, body: LiquidityOut) => {
  const { to, participant, currency, amount, unbacked } = body;
  if (to === origin || !isLane(keys, to)) return no("lane-unknown", `${to} is no other lane`);
  const record = keys.participants.get(participant);
  if (record === undefined) return no("account-unknown", `${participant} has no cover`);
  if (!record.currencies.includes(currency)) return no("currency-not-served", currency);
  if (!isAmount(amount, currency)) return no("amount-decimals", `${amount} ${currency}`);
  const whole = isAmountOrZero(unbacked, currency);
  if (whole && minorOf(unbacked, currency) <= minorOf(amount, currency)) return undefined;
  return no("amount-decimals", `${unbacked} ${currency} of ${amount} are unbacked`);
};

/**
 * Why cover may not leave, or undefined. `statement-repeated`: it has left, which is no harm.
 * @param hash of the statement's text
 */
export const liquidityOutFault = (
  state: SettlementState,
  context: MoveContext,
  body: LiquidityOut,
  hash: string,
): SettlementFault | undefined => {
  const before = state.moves.get(outKey(body));
  if (before !== undefined) {
    return before.hash === hash
      ? no("statement-repeated", body.id)
      : no("statement-reused", `move ${body.id} was ordered otherwise`);
  }
  const shape = shapeFault(context, body);
  if (shape !== undefined) return shape;
  const { keys: _, balances, mayLeave, timeMs } = context;
  const left = parseTime(body.until) - timeMs;
  if (left <= 0) return no("move-late", `it was to leave before ${body.until}`);
  if (left > longestMoveMs) return no("move-early", `${body.until} is more than a day away`);
  const { participant, currency } = body;
  const minor = minorOf(body.amount, currency);
  const backed = minor - minorOf(body.unbacked, currency);
  if (minor > mayLeave(participant, currency)) {
    return no("withdrawal-uncovered", `${participant} needs its cover in ${currency}`);
  }
  if (backed > backedCover(state, balances, participant, currency)) {
    return no("withdrawal-uncovered", `more of it is only advanced than ${body.unbacked}`);
  }
  return undefined;
};

/**
 * Why cover may not be taken in, or undefined. `statement-repeated`: it was, which is no harm. Its entry
 * and that entry's proof were judged before.
 */
export const liquidityInFault = (
  state: SettlementState,
  { origin }: Pick<MoveContext, "origin">,
  { from, body, leaf }: LetGo,
): SettlementFault | undefined => {
  if (body.to !== origin) return no("wrong-lane", `it was let go for ${body.to}`);
  const before = state.moves.get(inKey(from, body));
  if (before === undefined) return undefined;
  return before.hash === leaf
    ? no("statement-repeated", body.id)
    : no("statement-reused", `move ${body.id} of ${from} was taken in by another entry`);
};

const keep = (state: SettlementState, key: string, move: LaneMove): void => {
  state.moves.set(key, move);
  state.dirty.add(`move ${key}`);
};

const shift = (state: SettlementState, body: LiquidityOut, sign: 1n | -1n): void => {
  const { participant, currency } = body;
  const minor = sign * minorOf(body.unbacked, currency);
  if (minor === 0n) return;
  const key = `${participant} ${currency}`;
  state.unbackedMoved.set(key, (state.unbackedMoved.get(key) ?? 0n) + minor);
  state.dirty.add(`moved ${key}`);
};

/** Cover leaves in which nothing is at fault. @param at the entry's place, and the hash of the text */
export const applyLiquidityOut = (
  state: SettlementState,
  body: LiquidityOut,
  at: { readonly seq: number; readonly hash: string },
): void => {
  keep(state, outKey(body), { ...at, outSeq: at.seq, lane: body.to, body });
  shift(state, body, -1n);
};

/** Cover comes in. @param seq place of the entry that takes it in */
export const applyLiquidityIn = (
  state: SettlementState,
  { from, body, leaf, seq: outSeq }: LetGo,
  seq: number,
): void => {
  keep(state, inKey(from, body), { seq, outSeq, hash: leaf, lane: from, body });
  shift(state, body, 1n);
};
