// Positions and headroom, from reconciliation's balances and the key log's participants. Pure; minor
// units as bigint, text outside. What is only reserved is not in the books, and so not in here.
import { liquidityAccount, positionAccount } from "@sealane/protocol";
import {
  amountOf,
  balanceKey,
  standingOf,
  minorOf,
  type Balance,
  type Balances,
  type KeyState,
  type Participant,
} from "@sealane/rules";
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

/** Reconciliation's balances as the rules have them; nothing of it is pending. */
export const balancesOf = ({ balances }: BalancesBody): Balances =>
  new Map(
    balances.map(({ account, currency, debits, credits }): [string, Balance] => [
      balanceKey(account, currency),
      {
        account,
        currency,
        pendingDebit: 0n,
        pendingCredit: 0n,
        postedDebit: minorOf(debits, currency),
        postedCredit: minorOf(credits, currency),
      },
    ]),
  );

/** Whole percent of a part, 0 to 100; 0 of nothing. */
export const percentOf = (part: bigint, whole: bigint): number => {
  if (whole <= 0n || part <= 0n) return 0;
  return part >= whole ? 100 : Number((part * 100n) / whole);
};

const positive = (value: bigint): bigint => (value > 0n ? value : 0n);

const rowOf = (balances: Balances, participant: Participant, currency: string): PositionRow => {
  const { participant: name, roles, caps, exposure, suspended } = participant;
  const position = balances.get(balanceKey(positionAccount(name), currency));
  const cover = balances.get(balanceKey(liquidityAccount(name), currency));
  const net = (position?.postedCredit ?? 0n) - (position?.postedDebit ?? 0n);
  const liquidity = (cover?.postedCredit ?? 0n) - (cover?.postedDebit ?? 0n);
  const cap = caps.find((one) => one.currency === currency);
  const most = cap === undefined ? liquidity : minorOf(cap.amount, currency);
  const room = standingOf(balances, participant, currency, undefined).headroom;
  return {
    participant: name,
    role: roles.join(", ").replaceAll("-", " "),
    currency,
    position: amountOf(net, currency),
    owes: amountOf(positive(-net), currency),
    isOwed: amountOf(positive(net), currency),
    liquidity: amountOf(liquidity, currency),
    ...(cap === undefined ? {} : { cap: amountOf(most, currency) }),
    headroom: amountOf(room, currency),
    headroomPercent: percentOf(room, most < liquidity ? most : liquidity),
    exposure,
    suspended,
  };
};

const byCurrency = (balances: Balances, pick: (balance: Balance) => bigint) => {
  const sums = new Map<string, bigint>();
  for (const balance of balances.values()) {
    sums.set(balance.currency, (sums.get(balance.currency) ?? 0n) + pick(balance));
  }
  return [...sums].toSorted(([a], [b]) => a.localeCompare(b));
};

const kindOf = ({ account }: Balance): string => account.slice(account.indexOf(":") + 1);

/** Advances that no bank's statement covers, against all the liquidity of that currency. */
const unbackedOf = (balances: Balances): PositionsAnswer["unbacked"] => {
  const liquidity = new Map(
    byCurrency(balances, (balance) =>
      kindOf(balance) === "liquidity" ? balance.postedCredit - balance.postedDebit : 0n,
    ),
  );
  const advances = byCurrency(balances, (balance) =>
    kindOf(balance) === "advances" ? balance.postedDebit - balance.postedCredit : 0n,
  );
  return advances
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

/** @param body what `/v1/balances` answered */
export const positionsOf = (body: BalancesBody, state: KeyState): PositionsAnswer => {
  const balances = balancesOf(body);
  const held = (name: string, currency: string): boolean =>
    [positionAccount(name), liquidityAccount(name)].some((account) =>
      balances.has(balanceKey(account, currency)),
    );
  const rows = [...state.participants.values()].flatMap((participant) => {
    const known = [...new Set([...balances.values()].map(({ currency }) => currency))];
    const also = known.filter((currency) => held(participant.participant, currency));
    const currencies = [...new Set([...participant.currencies, ...also])].toSorted();
    return currencies.map((currency) => rowOf(balances, participant, currency));
  });
  const fees = [...balances.values()]
    .filter((balance) => kindOf(balance) === "fees")
    .map(({ account, currency, postedCredit, postedDebit }) => ({
      participant: account.slice(0, account.indexOf(":")),
      amount: { currency, amount: amountOf(postedCredit - postedDebit, currency) },
    }));
  const sums = byCurrency(balances, ({ postedDebit, postedCredit }) => postedDebit - postedCredit);
  return {
    asOf: body.asOf,
    sealedSize: body.sealedSize,
    rows,
    fees,
    unbacked: unbackedOf(balances),
    sums: sums.map(([currency, difference]) => ({
      currency,
      difference: amountOf(difference, currency),
    })),
  };
};
