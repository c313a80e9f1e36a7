// Positions and headroom as reconciliation has them, with what is pending by the ledger; and what the
// balances say besides: fees, and whether they are zero together. Pure; minor units as bigint, text outside.
import { positionAccount } from "@sealane/protocol";
import { amountOf, minorOf, type KeyState } from "@sealane/rules";
import { z } from "zod";
import type { PositionRow, PositionsAnswer } from "./api-types.ts";

const amount = z.string().regex(/^-?\d+(\.\d+)?$/);
export const balancesSchema = z.object({
  asOf: z.int(),
  sealedSize: z.int(),
  balances: z.array(
    z.object({ account: z.string(), currency: z.string(), debits: amount, credits: amount }),
  ),
});
export type BalancesBody = z.infer<typeof balancesSchema>;

export const standingsSchema = z.object({
  asOf: z.int(),
  pendingKnown: z.boolean(),
  positions: z.array(
    z.object({
      participant: z.string(),
      currency: z.string(),
      liquidity: amount,
      unbacked: amount,
      cap: amount.optional(),
      pending: amount,
      headroom: amount,
      shortfall: amount,
    }),
  ),
});
export type StandingsBody = z.infer<typeof standingsSchema>;
type Standing = StandingsBody["positions"][number];

type Balance = { readonly account: string; readonly currency: string; readonly net: bigint };

/** Credits less debits. */
const balancesOf = ({ balances }: BalancesBody): Balance[] =>
  balances.map(({ account, currency, debits, credits }) => ({
    account,
    currency,
    net: minorOf(credits, currency) - minorOf(debits, currency),
  }));

/** Of what may be below zero. */
const signedOf = (text: string, currency: string): bigint =>
  text.startsWith("-") ? -minorOf(text.slice(1), currency) : minorOf(text, currency);

/** Whole percent of a part, 0 to 100; 0 of nothing. */
export const percentOf = (part: bigint, whole: bigint): number => {
  if (whole <= 0n || part <= 0n) return 0;
  return part >= whole ? 100 : Number((part * 100n) / whole);
};

const positive = (value: bigint): bigint => (value > 0n ? value : 0n);

const rowOf = (standing: Standing, balances: readonly Balance[], state: KeyState): PositionRow => {
  const { participant, currency, liquidity, cap, pending, unbacked, headroom, shortfall } =
    standing;
  const record = state.participants.get(participant);
  const account = positionAccount(participant);
  const net =
    balances.find((one) => one.account === account && one.currency === currency)?.net ?? 0n;
  const cover = signedOf(liquidity, currency);
  const most = cap === undefined ? cover : signedOf(cap, currency);
  return {
    participant,
    role: (record?.roles ?? []).join(", ").replaceAll("-", " "),
    currency,
    owes: amountOf(positive(-net), currency),
    isOwed: amountOf(positive(net), currency),
    pending,
    liquidity,
    unbacked,
    ...(cap === undefined ? {} : { cap }),
    headroom,
    headroomPercent: percentOf(signedOf(headroom, currency), most < cover ? most : cover),
    shortfall,
    suspended: record?.suspended === true,
  };
};

const sumBy = <T>(
  items: readonly T[],
  currencyOf: (item: T) => string,
  amountIn: (item: T) => bigint,
): [string, bigint][] => {
  const sums = new Map<string, bigint>();
  for (const item of items) {
    const currency = currencyOf(item);
    sums.set(currency, (sums.get(currency) ?? 0n) + amountIn(item));
  }
  return [...sums].toSorted(([a], [b]) => a.localeCompare(b));
};

/** Advances that no bank's statement covers, against all the liquidity of that currency. */
const unbackedOf = ({ positions }: StandingsBody): PositionsAnswer["unbacked"] => {
  const sum = (field: "unbacked" | "liquidity") =>
    sumBy(
      positions,
      ({ currency }) => currency,
      (one) => signedOf(one[field], one.currency),
    );
  const liquidity = new Map(sum("liquidity"));
  return sum("unbacked")
    .filter(([, open]) => open > 0n)
    .map(([currency, open]) => {
      const all = liquidity.get(currency) ?? 0n;
      return {
        currency,
        amount: amountOf(open, currency),
        liquidity: amountOf(all, currency),
        percent: percentOf(open, all),
      };
    });
};

/** @param body what `/v1/balances` answered; `standings` what `/v1/positions` did */
export const positionsOf = (
  body: BalancesBody,
  standings: StandingsBody,
  state: KeyState,
): PositionsAnswer => {
  const balances = balancesOf(body);
  const fees = balances
    .filter(({ account }) => account.endsWith(":fees"))
    .map(({ account, currency, net }) => ({
      participant: account.slice(0, account.indexOf(":")),
      amount: { currency, amount: amountOf(net, currency) },
    }));
  const sums = sumBy(
    balances,
    ({ currency }) => currency,
    ({ net }) => -net,
  );
  return {
    asOf: standings.asOf,
    sealedSize: body.sealedSize,
    pendingKnown: standings.pendingKnown,
    rows: standings.positions.map((standing) => rowOf(standing, balances, state)),
    fees,
    unbacked: unbackedOf(standings),
    sums: sums.map(([currency, difference]) => ({
      currency,
      difference: amountOf(difference, currency),
    })),
  };
};
