// What each party must have booked for a transfer, from its signed terms; and the same from postings,
// which is what Postgres holds. The two are compared as sums per participant, side and currency.
import type { Posting, Terms } from "@sealane/protocol";
import { amountOf, minorOf } from "../positions.ts";
import { returnPostings, worthOf } from "../returns/amounts.ts";
import type { VerifiedEntry } from "../verify-entry.ts";
import type { Finding, Leg, LogTransfer, Side } from "./types.ts";

const isZero = (amount: string): boolean => /^[0.]+$/.test(amount);

const sumKey = (participant: string, side: Side, currency: string): string =>
  `${participant} ${side} ${currency}`;

const positionOwner = (account: string): string | undefined =>
  account.endsWith(":position") ? account.slice(0, -":position".length) : undefined;

/** Payer's debit, payee's credit, and both sides of the liquidity provider. */
export const legsOfTerms = (terms: Terms): Leg[] => {
  const { payer, payee, send, receive, converted, fees, sheet, fixed, residue } = terms;
  const sent = send.currency;
  let feeMinor = 0n;
  for (const fee of fees) if (fee.currency === sent) feeMinor += minorOf(fee.amount, sent);
  // Only the side that was computed was rounded: down when it is received, up when it is sent.
  const rounded = isZero(residue) ? 0n : 1n;
  const sentOff = fixed === "receive" ? -rounded : 0n;
  const receivedOff = fixed === "send" ? rounded : 0n;
  const leg = (
    participant: string,
    side: Side,
    currency: string,
    minor: bigint,
    off: bigint,
    fee = 0n,
  ): Leg => ({ participant, side, currency, minor, feeMinor: fee, residue: off });
  const got = receive.currency;
  const gotMinor = minorOf(receive.amount, got);
  return [
    leg(payer.participant, "debit", sent, minorOf(send.amount, sent), sentOff, feeMinor),
    leg(sheet.provider, "credit", sent, minorOf(converted, sent), sentOff),
    leg(sheet.provider, "debit", got, gotMinor, receivedOff),
    leg(payee.participant, "credit", got, gotMinor, receivedOff),
  ];
};

/** What a return takes and gives back: each party books its sum once; the payee's surcharge is a fee. */
const legsOfReturn = (returns: NonNullable<VerifiedEntry["returns"]>): Leg[] => {
  if (returns.kind !== "return") return [];
  const { body, original } = returns;
  const worth = worthOf(body, original.terms);
  if (worth === undefined) throw new Error("broken invariant: a verified return is worth nothing");
  const legs = new Map<string, Leg>();
  const book = (account: string, side: Side, currency: string, minor: bigint): void => {
    const participant = positionOwner(account);
    if (participant === undefined) return;
    const fee = participant === body.participant && side === "debit" ? worth.surcharge : 0n;
    const key = sumKey(participant, side, currency);
    const sum = (legs.get(key)?.minor ?? 0n) + minor;
    legs.set(key, { participant, side, currency, minor: sum, feeMinor: fee, residue: 0n });
  };
  for (const { debit, credit, currency, amount } of returnPostings(body, original.terms, worth)) {
    const minor = minorOf(amount, currency);
    book(debit, "debit", currency, minor);
    book(credit, "credit", currency, minor);
  }
  return [...legs.values()];
};

/**
 * An entry that ends a transfer, as the matcher takes it; a return is a transfer of its own, under its own
 * id. Undefined for any other entry.
 */
export const logTransferOf = (entry: VerifiedEntry): LogTransfer | undefined => {
  const { transferId: id, context, timeMs, terms, returns } = entry;
  const { seq } = context;
  if (id !== undefined && returns?.kind === "return") {
    return { id, seq, timeMs, outcome: "committed", legs: legsOfReturn(returns) };
  }
  if (id === undefined || context.outcome === "recorded") return undefined;
  const { outcome } = context;
  const legs = outcome === "committed" && terms !== undefined ? legsOfTerms(terms) : [];
  return { id, seq, timeMs, outcome, legs };
};

const add = (sums: Map<string, bigint>, key: string, minor: bigint): void => {
  sums.set(key, (sums.get(key) ?? 0n) + minor);
};

/** As Postgres gives it. */
export type PostedSum = Pick<Posting, "debit" | "credit" | "currency"> & { readonly minor: bigint };

/** Where what is posted for a transfer is not what its terms give. */
export const postingFindings = (
  { legs }: Pick<LogTransfer, "legs">,
  posted: readonly PostedSum[],
): Finding[] => {
  const expected = new Map<string, bigint>();
  for (const { participant, side, currency, minor } of legs) {
    add(expected, sumKey(participant, side, currency), minor);
  }
  const found = new Map<string, bigint>();
  for (const { debit, credit, currency, minor } of posted) {
    const [from, to] = [positionOwner(debit), positionOwner(credit)];
    if (from !== undefined) add(found, sumKey(from, "debit", currency), minor);
    if (to !== undefined) add(found, sumKey(to, "credit", currency), minor);
  }
  const keys = [...new Set([...expected.keys(), ...found.keys()])].toSorted();
  return keys.flatMap((key): Finding[] => {
    const [expectedMinor, foundMinor] = [expected.get(key) ?? 0n, found.get(key) ?? 0n];
    if (expectedMinor === foundMinor) return [];
    const [, side, currency = ""] = key.split(" ");
    const detail = `posted ${amountOf(foundMinor, currency)}, the terms give ${amountOf(expectedMinor, currency)}`;
    const common = { kind: "amount", between: "log-postgres", subject: `posted ${key}` } as const;
    return [{ ...common, side: side as Side, currency, expectedMinor, foundMinor, detail }];
  });
};
