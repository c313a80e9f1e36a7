// The bank's books: accounts, what was instructed, and what became of it. A fold over events, so that a
// restart finds what was there. Whoever pays must have the money; whoever is paid out of clearing waits
// until the others of the same instructions have paid in.
import { parseAmount, parseCurrency } from "@sealane/money";
import type { AccountPlan, Movement, Order, OrderStatus } from "./bank-types.ts";

export type BankEvent =
  | {
      readonly kind: "instructed";
      readonly atMs: number;
      readonly messageId: string;
      readonly digest: string;
      readonly held: boolean;
      readonly orders: readonly {
        readonly uetr: string;
        readonly debtorAccount?: string;
        readonly creditorAccount?: string;
        readonly currency: string;
        readonly minor: string;
        readonly rejected?: string;
      }[];
    }
  | { readonly kind: "released"; readonly atMs: number }
  | { readonly kind: "retried"; readonly atMs: number; readonly messageId: string }
  | {
      readonly kind: "covered";
      readonly atMs: number;
      readonly messageId: string;
      readonly account: string;
    }
  | ({ readonly kind: "moved"; readonly minor: string } & Omit<Movement, "minor">)
  | { readonly kind: "numbered"; readonly atMs: number };

type Account = { readonly owner: string; readonly currency: string; minor: bigint };

export type BankBook = ReturnType<typeof makeBankBook>;

/** Enough for any demo: 10^12 in major units of a currency with two decimals. */
const openingMinor = 100_000_000_000_000n;

const minorOf = (amount: string, code: string): bigint => {
  const currency = parseCurrency(code);
  const parsed = currency && parseAmount(amount, currency, { allowZero: true });
  if (parsed?.ok === true) return parsed.minor;
  throw new Error(`${amount} ${code} is no amount`);
};

export const makeBankBook = (plan: readonly AccountPlan[]) => {
  const accounts = new Map<string, Account>(
    plan.map(({ owner, account, currency, opening }) => [
      account,
      {
        owner,
        currency,
        minor: opening === undefined ? openingMinor : minorOf(opening, currency),
      },
    ]),
  );
  /** By instructions and currency: what was paid in and not paid out yet. */
  const clearing = new Map<string, bigint>();
  const orders = new Map<string, Order>();
  const messages = new Map<string, { readonly digest: string; readonly orders: Order[] }>();
  let number = 0;

  const held = ({ messageId, currency, debtorAccount }: Order): bigint =>
    debtorAccount === undefined
      ? (clearing.get(`${messageId} ${currency}`) ?? 0n)
      : (accounts.get(debtorAccount)?.minor ?? 0n);

  const add = (order: Order, account: string | undefined, by: bigint): void => {
    const found = account === undefined ? undefined : accounts.get(account);
    if (found !== undefined) found.minor += by;
    else {
      const key = `${order.messageId} ${order.currency}`;
      clearing.set(key, (clearing.get(key) ?? 0n) + by);
    }
  };

  const decide = (order: Order, status: OrderStatus, reason: string | undefined, atMs: number) =>
    Object.assign(order, { status, reason, changedAtMs: atMs });

  /** Books all that can be booked now; each booking may make another one possible. */
  const settle = (atMs: number): void => {
    for (let again = true; again;) {
      again = false;
      for (const order of orders.values()) {
        if (order.status !== "pending" || order.held) continue;
        if (held(order) < order.minor) {
          // Waiting for another's payment is no lack of one's own money.
          order.reason = order.debtorAccount === undefined ? undefined : "AM04";
          continue;
        }
        add(order, order.debtorAccount, -order.minor);
        add(order, order.creditorAccount, order.minor);
        decide(order, "booked", undefined, atMs);
        again = true;
      }
    }
  };

  const instruct = (event: Extract<BankEvent, { kind: "instructed" }>): void => {
    const { messageId, digest, atMs, held: late } = event;
    const own = event.orders.map(({ minor, rejected, ...rest }): Order => {
      const status = rejected === undefined ? "pending" : "rejected";
      const changing = {
        status,
        reason: rejected,
        held: late,
        covered: false,
        changedAtMs: atMs,
      } as const;
      return { ...rest, messageId, minor: BigInt(minor), ...changing };
    });
    for (const order of own) if (!orders.has(order.uetr)) orders.set(order.uetr, order);
    messages.set(messageId, { digest, orders: own });
  };

  const move = (event: Extract<BankEvent, { kind: "moved" }>): void => {
    const { account, side } = event;
    const minor = BigInt(event.minor);
    const found = accounts.get(account);
    if (found !== undefined) found.minor += side === "credit" ? minor : -minor;
  };

  /** Payments that were refused are tried again, where the bank has their accounts. */
  const retry = ({ messageId, atMs }: Extract<BankEvent, { kind: "retried" }>): void => {
    for (const order of orders.values()) {
      if (order.messageId !== messageId || order.status !== "rejected" || order.covered) continue;
      const sides = [order.debtorAccount, order.creditorAccount];
      const fits = sides.every(
        (side) => side === undefined || accounts.get(side)?.currency === order.currency,
      );
      if (fits) decide(order, "pending", undefined, atMs);
    }
  };

  /** Somebody else's account pays, once, what debtors of these instructions were refused. */
  const cover = ({ messageId, account, atMs }: Extract<BankEvent, { kind: "covered" }>): void => {
    const payer = accounts.get(account);
    for (const order of messages.get(messageId)?.orders ?? []) {
      const own =
        order.status === "rejected" && !order.covered && order.debtorAccount !== undefined;
      if (!own || payer?.currency !== order.currency || payer.minor < order.minor) continue;
      payer.minor -= order.minor;
      add(order, order.creditorAccount, order.minor);
      Object.assign(order, { covered: true, changedAtMs: atMs });
    }
  };

  /** The same events give the same books. */
  const apply = (event: BankEvent): void => {
    if (event.kind === "numbered") number += 1;
    else if (event.kind === "moved") move(event);
    else if (event.kind === "instructed") instruct(event);
    else if (event.kind === "retried") retry(event);
    else if (event.kind === "covered") cover(event);
    else for (const order of orders.values()) order.held = false;
    if (event.kind !== "numbered") settle(event.atMs);
  };

  return {
    apply,
    account: (account: string) => accounts.get(account),
    accounts: () => [...accounts].map(([account, rest]) => ({ account, ...rest })),
    message: (messageId: string) => messages.get(messageId),
    messageIds: () => [...messages.keys()],
    order: (uetr: string) => orders.get(uetr),
    number: () => number,
  };
};
