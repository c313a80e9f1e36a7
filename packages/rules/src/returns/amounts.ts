// What a return is worth to the payer, to the minor unit, and what it posts: pure functions of the
// return, the original's terms and, at today's rate, one sheet. At the original rate all is counted from
// the first minor unit returned to the last (rounded down up to there, less what was before), so that
// however the original is cut into returns, all of it together gives back exactly what was converted,
// and nothing is left over.
import { convert, parseCurrency, parseRate } from "@sealane/money";
import {
  positionAccount,
  type Posting,
  type RateSheet,
  type Return,
  type Terms,
} from "@sealane/protocol";
import { amountOf, isAmount, minorOf } from "../positions.ts";

/** Minor units: of the received currency what goes, of the sent one what comes. */
export type Worth = {
  /** What the liquidity provider gives for the amount returned. */
  readonly converted: bigint;
  /** The fee's part that comes back. */
  readonly fee: bigint;
  /** What the payee pays on top, when it bears the fee. */
  readonly surcharge: bigint;
};

const share = (part: bigint, of: bigint, whole: bigint): bigint => (part * whole) / of;
const shareUp = (part: bigint, of: bigint, whole: bigint): bigint => (part * whole + of - 1n) / of;

type Whole = { readonly received: bigint; readonly converted: bigint; readonly fee: bigint };

const wholeOf = (terms: Terms): Whole => {
  const { currency } = terms.send;
  return {
    received: minorOf(terms.receive.amount, terms.receive.currency),
    converted: minorOf(terms.converted, currency),
    fee: terms.fees.reduce((sum, one) => sum + minorOf(one.amount, currency), 0n),
  };
};

/** The worth of everything returned up to `part`: rounded down; the surcharge up. */
const worthUpTo = ({ received, converted, fee }: Whole, part: bigint): Worth => {
  const back = share(part, received, fee);
  return {
    converted: share(part, received, converted),
    fee: back,
    surcharge: shareUp(back, converted, received),
  };
};

/** The returned part, from its first minor unit to the one after its last. */
const partOf = ({ before, amount }: Pick<Return, "before" | "amount">) => {
  const from = minorOf(before, amount.currency);
  return { from, to: from + minorOf(amount.amount, amount.currency) };
};

/** What a return is worth at the original's own rate. */
const worthAtOriginal = (body: Priced, terms: Terms): Worth => {
  const whole = wholeOf(terms);
  const part = partOf(body);
  const [before, after] = [worthUpTo(whole, part.from), worthUpTo(whole, part.to)];
  return {
    converted: after.converted - before.converted,
    fee: body.bearer === "payer" ? 0n : after.fee - before.fee,
    surcharge: body.bearer === "payee" ? after.surcharge - before.surcharge : 0n,
  };
};

/** What of a return decides on its price. */
export type Priced = Pick<Return, "before" | "amount" | "bearer">;

/** What the payer gets at the original's rate: to be put into the return. */
export const backAtOriginal = (body: Priced, terms: Terms): Return["back"] => {
  const { converted, fee } = worthAtOriginal(body, terms);
  const { currency } = terms.send;
  return { currency, amount: amountOf(converted + fee, currency) };
};

/** The same at a sheet of now, rounded down; undefined when the sheet is for another pair. */
export const backToday = (
  body: Priced,
  terms: Terms,
  sheet: RateSheet,
): Return["back"] | undefined => {
  const [from, to] = [parseCurrency(sheet.pair.from), parseCurrency(sheet.pair.to)];
  const rate = parseRate(sheet.rate);
  if (from !== body.amount.currency || to !== terms.send.currency || rate === undefined) {
    return undefined;
  }
  const part = partOf(body);
  const { minor } = convert(part.to - part.from, from, to, rate, "down");
  const { fee } = worthAtOriginal(body, terms);
  return { currency: to, amount: amountOf(minor + fee, to) };
};

/**
 * What a return is worth, by what it says itself: at today's rate that is not held against a sheet here.
 * Undefined when it says what cannot be.
 */
export const worthOf = (body: Return, terms: Terms): Worth | undefined => {
  const { currency, amount } = body.back;
  if (currency !== terms.send.currency || !isAmount(amount, currency)) return undefined;
  if (amountOf(minorOf(amount, currency), currency) !== amount) return undefined;
  const worth = worthAtOriginal(body, terms);
  const back = minorOf(amount, currency);
  if (body.rate === "original") {
    const right = back === worth.converted + worth.fee && worth.converted > 0n;
    return right ? worth : undefined;
  }
  const converted = back - worth.fee;
  return converted > 0n ? { converted, fee: worth.fee, surcharge: 0n } : undefined;
};

/** Who converts it back: the original's provider, or today's. */
export const returnProvider = (body: Return, terms: Terms): string =>
  body.rate === "today" ? (body.sheet?.provider ?? "") : terms.sheet.provider;

/** What a return posts. `back` less the fee that it contains is what the provider gives. */
export const returnPostings = (body: Return, terms: Terms, worth: Worth): Posting[] => {
  const payer = positionAccount(terms.payer.participant);
  const payee = positionAccount(terms.payee.participant);
  const provider = positionAccount(returnProvider(body, terms));
  const { currency } = terms.send;
  const received = terms.receive.currency;
  const earner = positionAccount(terms.fees[0]?.to ?? "");
  const feeFrom = body.bearer === "earner" ? earner : provider;
  const all: [debit: string, credit: string, currency: string, minor: bigint][] = [
    [payee, provider, received, minorOf(body.amount.amount, received)],
    [payee, provider, received, worth.surcharge],
    [provider, payer, currency, worth.converted],
    [feeFrom, payer, currency, worth.fee],
  ];
  return all.flatMap(([debit, credit, code, minor]) =>
    minor === 0n ? [] : { debit, credit, currency: code, amount: amountOf(minor, code) },
  );
};

/** Whose chains a return joins: the payee's, who returns, the payer's and the provider's. */
export const returnParticipants = (body: Return, terms: Terms): string[] => [
  ...new Set([terms.payee.participant, terms.payer.participant, returnProvider(body, terms)]),
];
