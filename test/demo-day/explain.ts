// What the log alone says of the day, added up with nothing of the services: what each wallet sent, paid and
// received; what each account's balance is made of; what each window comes to. Amounts are minor units.
import { legsOfTerms, minorOf, type VerifiedEntry } from "@sealane/rules";

export type Sums = Map<string, bigint>;

export const addTo = (sums: Sums, key: string, minor: bigint): void => {
  sums.set(key, (sums.get(key) ?? 0n) + minor);
};

export type Flow = {
  sent: bigint;
  fees: bigint;
  received: bigint;
  returnedBy: bigint;
  returnedTo: bigint;
};

export type Explained = {
  /** By `participant currency`, of wallets. */
  readonly flows: ReadonlyMap<string, Flow>;
  /** `account currency` → kind of entry → credit less debit. */
  readonly accounts: ReadonlyMap<string, Sums>;
  /** `corridor/number` → `participant currency` → net by the postings between its cuts. */
  readonly windowNets: ReadonlyMap<string, Sums>;
  /** The same by the entries that say each participant's net. */
  readonly saidNets: ReadonlyMap<string, Sums>;
  /** Of each window: transfers and returns. */
  readonly windowMembers: ReadonlyMap<string, number>;
  /** Transfers and returns that are in no cut window yet. */
  readonly openMembers: number;
  /** What settlement paid in and out, by `participant currency`. */
  readonly settled: Sums;
  /** What banks' statements paid in and out of cover, by `participant currency`. */
  readonly cover: Sums;
};

const isMoney = ({ kind, context }: VerifiedEntry): boolean =>
  kind === "return" || (kind === "transfer" && context.outcome === "committed");

const termsOf = ({ terms, returns }: VerifiedEntry) => terms ?? returns?.original.terms;

const takeFlow = (flows: Map<string, Flow>, entry: VerifiedEntry): void => {
  const at = (participant: string, currency: string): Flow => {
    const key = `${participant} ${currency}`;
    const none = { sent: 0n, fees: 0n, received: 0n, returnedBy: 0n, returnedTo: 0n };
    const flow = flows.get(key) ?? none;
    flows.set(key, flow);
    return flow;
  };
  const terms = termsOf(entry);
  if (!isMoney(entry) || terms === undefined) return;
  const { payer, payee, send, receive } = terms;
  const [from, to] = [
    at(payer.participant, send.currency),
    at(payee.participant, receive.currency),
  ];
  if (entry.kind === "transfer") {
    const [debit] = legsOfTerms(terms);
    from.sent += debit?.minor ?? 0n;
    from.fees += debit?.feeMinor ?? 0n;
    to.received += minorOf(receive.amount, receive.currency);
    return;
  }
  for (const { debit, credit, currency, amount } of entry.context.postings) {
    const minor = minorOf(amount, currency);
    if (debit === `${payee.participant}:position`) to.returnedBy += minor;
    if (credit === `${payer.participant}:position`) from.returnedTo += minor;
  }
};

/** The corridor of a transfer, or of the transfer that a return gives back. */
const corridorOf = (
  entry: VerifiedEntry,
  corridors: readonly { readonly corridor: string; readonly from: string; readonly to: string }[],
): string | undefined => {
  const terms = termsOf(entry);
  const { send, receive } = terms ?? {};
  return corridors.find(({ from, to }) => from === send?.currency && to === receive?.currency)
    ?.corridor;
};

const netsOf = (sums: Sums, { context }: VerifiedEntry): void => {
  for (const { debit, credit, currency, amount } of context.postings) {
    const minor = minorOf(amount, currency);
    addTo(sums, `${debit.split(":")[0] ?? ""} ${currency}`, -minor);
    addTo(sums, `${credit.split(":")[0] ?? ""} ${currency}`, minor);
  }
};

const takeNet = (nets: Map<string, Sums>, settled: Sums, entry: VerifiedEntry): void => {
  const said = entry.settlement;
  if (said?.kind !== "window-net" && said?.kind !== "settlement") return;
  if (said.kind === "settlement" && said.body.result !== "settled") return;
  const { corridor, number, participant, totals } = said.body;
  const name = `${corridor}/${number}`;
  const sums = nets.get(name) ?? new Map<string, bigint>();
  nets.set(name, sums);
  for (const { currency, debits, credits, fees } of totals) {
    const net = minorOf(credits, currency) + minorOf(fees, currency) - minorOf(debits, currency);
    if (said.kind === "settlement") addTo(settled, `${participant} ${currency}`, net);
    else addTo(sums, `${participant} ${currency}`, net);
  }
};

const takeCover = (cover: Sums, { settlement: said }: VerifiedEntry): void => {
  if (said?.kind !== "liquidity") return;
  for (const { currency, side, amount } of said.body.lines) {
    const minor = minorOf(amount, currency);
    addTo(cover, `${said.body.participant} ${currency}`, side === "credit" ? minor : -minor);
  }
};

/** @param corridors each pair of currencies, and whose windows its transfers are in */
export const explain = (
  entries: readonly VerifiedEntry[],
  corridors: readonly { readonly corridor: string; readonly from: string; readonly to: string }[],
): Explained => {
  const flows = new Map<string, Flow>();
  const accounts = new Map<string, Sums>();
  const windowNets = new Map<string, Sums>();
  const saidNets = new Map<string, Sums>();
  const windowMembers = new Map<string, number>();
  const settled: Sums = new Map();
  const cover: Sums = new Map();
  /** Since the corridor's cut before. */
  const open = new Map<string, { sums: Sums; members: number }>();
  for (const entry of entries) {
    takeFlow(flows, entry);
    takeNet(saidNets, settled, entry);
    takeCover(cover, entry);
    for (const { debit, credit, currency, amount } of entry.context.postings) {
      const minor = minorOf(amount, currency);
      for (const [account, by] of [
        [debit, -minor],
        [credit, minor],
      ] as const) {
        const key = `${account} ${currency}`;
        const kinds = accounts.get(key) ?? new Map<string, bigint>();
        accounts.set(key, kinds);
        addTo(kinds, entry.kind, by);
      }
    }
    if (entry.settlement?.kind === "window-cut") {
      const { corridor, number } = entry.settlement.body;
      const { sums = new Map<string, bigint>(), members = 0 } = open.get(corridor) ?? {};
      windowNets.set(`${corridor}/${number}`, sums);
      windowMembers.set(`${corridor}/${number}`, members);
      open.delete(corridor);
    } else if (isMoney(entry)) {
      const corridor = corridorOf(entry, corridors) ?? "no corridor";
      const since = open.get(corridor) ?? { sums: new Map<string, bigint>(), members: 0 };
      netsOf(since.sums, entry);
      since.members += 1;
      open.set(corridor, since);
    }
  }
  const openMembers = [...open.values()].reduce((sum, { members }) => sum + members, 0);
  return { flows, accounts, windowNets, saidNets, windowMembers, openMembers, settled, cover };
};

/** Whether two sums are the same, key by key; a missing key is zero. */
export const sameSums = (left: Sums, right: Sums): boolean =>
  [...new Set([...left.keys(), ...right.keys()])].every(
    (key) => (left.get(key) ?? 0n) === (right.get(key) ?? 0n),
  );

/** What a window's nets come to, by currency. */
export const perCurrency = (nets: Sums): Sums => {
  const sums: Sums = new Map();
  for (const [key, minor] of nets) addTo(sums, key.split(" ")[1] ?? "", minor);
  return sums;
};
