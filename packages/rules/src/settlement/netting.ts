// Netting: from the flows of a window to what each participant pays and gets. Pure arithmetic; the
// same flows give the same nets, sorted, whoever computes them. Per currency all nets sum to zero,
// because every flow is a pair.
import {
  clearingAccount,
  transferIdOf,
  type Netting,
  type WindowLeg,
  type WindowTotal,
} from "@sealane/protocol";
import { amountOf } from "../positions.ts";
import { isFees, ownerOf, type Flows } from "./state.ts";

export type NettingInput = {
  readonly netting: Netting;
  /** Of the log: it goes into the legs' references. */
  readonly origin: string;
  readonly corridor: string;
  readonly number: number;
  readonly attempt: number;
  readonly operator: string;
};

export type ParticipantNet = {
  readonly participant: string;
  readonly totals: readonly WindowTotal[];
  readonly legs: readonly WindowLeg[];
};

type Sums = { debits: bigint; credits: bigint; fees: bigint };
type Obligation = { debtor: string; creditor: string; currency: string; minor: bigint };

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** UETR of the instruction for one leg: derived, so that it is made once. */
export const legReference = (
  { origin, corridor, number, attempt }: NettingInput,
  { debtor, creditor, currency }: Omit<Obligation, "minor">,
): string =>
  transferIdOf(origin, `${corridor}/${number}/${attempt} ${debtor} ${creditor} ${currency}`);

const sumsOf = (flows: Flows): Map<string, Map<string, Sums>> => {
  const all = new Map<string, Map<string, Sums>>();
  const sumOf = (participant: string, currency: string): Sums => {
    const own = all.get(participant) ?? new Map<string, Sums>();
    all.set(participant, own);
    const sum = own.get(currency) ?? { debits: 0n, credits: 0n, fees: 0n };
    own.set(currency, sum);
    return sum;
  };
  for (const [key, minor] of flows) {
    const [debit = "", credit = "", currency = ""] = key.split(" ");
    sumOf(ownerOf(debit), currency).debits += minor;
    sumOf(ownerOf(credit), currency)[isFees(credit) ? "fees" : "credits"] += minor;
  }
  return all;
};

/** All against the clearing account: one obligation per participant and currency. */
const multilateral = (
  sums: Map<string, Map<string, Sums>>,
  clearing: string,
): Omit<Obligation, "">[] =>
  [...sums].flatMap(([participant, own]) =>
    [...own].flatMap(([currency, { debits, credits, fees }]) => {
      const net = credits + fees - debits;
      if (net === 0n) return [];
      return net < 0n
        ? { debtor: participant, creditor: clearing, currency, minor: -net }
        : { debtor: clearing, creditor: participant, currency, minor: net };
    }),
  );

/** What each owes each other; `offset` nets the two directions. */
const inPairs = (flows: Flows, offset: boolean): Obligation[] => {
  const owed = new Map<string, Obligation>();
  for (const [key, minor] of flows) {
    const [debit = "", credit = "", currency = ""] = key.split(" ");
    const [debtor, creditor] = [ownerOf(debit), ownerOf(credit)];
    if (debtor === creditor) continue;
    const turned = offset && byText(debtor, creditor) > 0;
    const pair = turned ? { debtor: creditor, creditor: debtor } : { debtor, creditor };
    const name = `${pair.debtor} ${pair.creditor} ${currency}`;
    const known = owed.get(name) ?? { ...pair, currency, minor: 0n };
    owed.set(name, { ...known, minor: known.minor + (turned ? -minor : minor) });
  }
  return [...owed.values()].flatMap((one) => {
    if (one.minor === 0n) return [];
    if (one.minor > 0n) return one;
    return { ...one, debtor: one.creditor, creditor: one.debtor, minor: -one.minor };
  });
};

const totalsIn = (own: Map<string, Sums>): WindowTotal[] =>
  [...own]
    .map(([currency, { debits, credits, fees }]) => ({
      currency,
      debits: amountOf(debits, currency),
      credits: amountOf(credits, currency),
      fees: amountOf(fees, currency),
    }))
    .toSorted((a, b) => byText(a.currency, b.currency));

/** What the flows of a window come to, before anybody says how they are netted; sorted. */
export const totalsOf = (flows: Flows): Omit<ParticipantNet, "legs">[] =>
  [...sumsOf(flows)]
    .map(([participant, own]) => ({ participant, totals: totalsIn(own) }))
    .toSorted((a, b) => byText(a.participant, b.participant));

/** The participants' nets of a window, sorted by participant, all lists sorted. */
export const netWindow = (flows: Flows, input: NettingInput): ParticipantNet[] => {
  const sums = sumsOf(flows);
  const clearing = clearingAccount(input.operator);
  const obligations =
    input.netting === "multilateral"
      ? multilateral(sums, clearing)
      : inPairs(flows, input.netting === "bilateral");
  const legs = new Map<string, WindowLeg[]>([...sums.keys()].map((name) => [name, []]));
  for (const one of obligations) {
    const { debtor, creditor, currency, minor } = one;
    const common = {
      reference: legReference(input, one),
      currency,
      amount: amountOf(minor, currency),
    };
    legs.get(debtor)?.push({ ...common, side: "pay", counterparty: creditor });
    legs.get(creditor)?.push({ ...common, side: "receive", counterparty: debtor });
  }
  const sortKey = ({ currency, side, counterparty }: WindowLeg): string =>
    `${currency} ${side} ${counterparty}`;
  return [...sums]
    .map(([participant, own]) => ({
      participant,
      totals: totalsIn(own),
      legs: (legs.get(participant) ?? [])
        .map(({ reference, currency, side, counterparty, amount }) => ({
          reference,
          currency,
          side,
          counterparty,
          amount,
        }))
        .toSorted((a, b) => byText(sortKey(a), sortKey(b))),
    }))
    .toSorted((a, b) => byText(a.participant, b.participant));
};
