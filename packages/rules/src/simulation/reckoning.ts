// A second implementation of prices and windows, on whole numbers and lists, for what the log says: no
// function of `money`, `pricing` or `settlement` is called here.
import type { RateSheet, Terms } from "@sealane/protocol";
import type { VerifiedEntry } from "../verify-entry.ts";
import { BrokenPromise } from "./sim.ts";

/** A decimal as a fraction: `7.25` is 725 / 100. */
const fraction = (text: string): readonly [bigint, bigint] => {
  const [whole = "0", part = ""] = text.split(".");
  return [BigInt(whole + part), 10n ** BigInt(part.length)];
};

/** Both currencies of the simulated world have two decimals. */
const cents = (text: string): bigint => {
  const [digits, scale] = fraction(text);
  return (digits * 100n) / scale;
};

const ceil = (numerator: bigint, denominator: bigint): bigint =>
  (numerator + denominator - 1n) / denominator;

export type Schedule = { readonly basisPoints: string; readonly minimum: string };

/** Promise 9: the conversion obeys its sheet and its rounding, and the residue is stated. */
export const checkConversion = (terms: Terms, sheet: RateSheet, schedule: Schedule): void => {
  const wrong = (what: string): BrokenPromise => new BrokenPromise(9, `${terms.id}: ${what}`);
  const send = cents(terms.send.amount);
  const converted = cents(terms.converted);
  const receive = cents(terms.receive.amount);
  const [points, scale] = fraction(schedule.basisPoints);
  const share = ceil(send * points, 10_000n * scale);
  const minimum = cents(schedule.minimum);
  const fee = share > minimum ? share : minimum;
  if (cents(terms.fees[0]?.amount ?? "0") !== fee) throw wrong("another fee than its schedule's");
  if (converted !== send - fee) throw wrong("what is converted is not what is left");
  if (terms.rate !== sheet.rate) throw wrong("another rate than its sheet's");
  const [rate, unit] = fraction(sheet.rate);
  const paid = (converted * rate) / unit;
  const asked = terms.fixed === "receive";
  if (asked ? paid < receive : paid !== receive) throw wrong("another amount is paid out");
  if (asked) {
    const less = send - 1n;
    const lessShare = ceil(less * points, 10_000n * scale);
    const lessFee = lessShare > minimum ? lessShare : minimum;
    const lessPaid = ((less - lessFee) * rate) / unit;
    if (less > lessFee && lessPaid >= receive) throw wrong("less would have been enough");
  }
  const [residue, residueScale] = fraction(terms.residue);
  // residue = converted × rate − receive, in major units, exactly.
  const left = (converted * rate - receive * unit) * residueScale;
  if (left !== residue * unit * 100n) throw wrong(`a residue of ${terms.residue}`);
};

type Window = { readonly number: number; readonly sums: Map<string, bigint> };

const addTo = (sums: Map<string, bigint>, key: string, minor: bigint): void => {
  sums.set(key, (sums.get(key) ?? 0n) + minor);
};

/** Promise 14: every transfer belongs to one window, and each window's nets are its transfers' sums. */
export const checkWindows = (entries: readonly VerifiedEntry[]): void => {
  let open: Window = { number: 0, sums: new Map() };
  const cut = new Map<number, Window & { readonly nets: Map<string, bigint> }>();
  for (const { context, terms, settlement } of entries) {
    if (terms !== undefined && context.outcome === "committed") {
      for (const { debit, credit, currency, amount } of context.postings) {
        const [debtor, creditor] = [debit, credit].map((one) => one.slice(0, one.lastIndexOf(":")));
        addTo(open.sums, `${debtor} ${currency}`, -cents(amount));
        addTo(open.sums, `${creditor} ${currency}`, cents(amount));
      }
    }
    if (settlement?.kind === "window-cut") {
      if (settlement.body.number !== open.number) {
        throw new BrokenPromise(14, `window ${settlement.body.number} is cut, not ${open.number}`);
      }
      cut.set(open.number, { ...open, nets: new Map() });
      open = { number: open.number + 1, sums: new Map() };
    }
    if (settlement?.kind === "window-net") {
      const { number, participant, totals } = settlement.body;
      for (const { currency, debits, credits, fees } of totals) {
        const net = cents(credits) + cents(fees) - cents(debits);
        addTo(cut.get(number)?.nets ?? new Map(), `${participant} ${currency}`, net);
      }
    }
  }
  for (const { number, sums, nets } of cut.values()) {
    for (const key of new Set([...sums.keys(), ...nets.keys()])) {
      if ((sums.get(key) ?? 0n) === (nets.get(key) ?? 0n)) continue;
      throw new BrokenPromise(
        14,
        `window ${number}: ${key} nets ${nets.get(key)}, not ${sums.get(key)}`,
      );
    }
  }
};
