// What is asked of a run when it has come to rest: the promises of `promises.md` that a world without
// disks and networks can show. Each throws the number of the promise that it finds broken.
import { equalBytes, rootOf } from "@sealane/tlog";
import { auditTotals, type AuditedBalance } from "../audit.ts";
import { beginAudit } from "../audit-state.ts";
import { isFinal } from "../settlement/state.ts";
import type { NetState } from "../settlement/state.ts";
import { feeSchedule, operator, origin } from "../testing/genesis.ts";
import type { TransferStatus } from "../transfer-status.ts";
import type { VerifiedEntry } from "../verify-entry.ts";
import { fold, type Books } from "./books.ts";
import { scheduleBack, type Client } from "./client.ts";
import type { Core } from "./core.ts";
import type { Forger } from "./forger.ts";
import { checkConversion, checkWindows } from "./reckoning.ts";
import type { Sealer } from "./seals.ts";
import { BrokenPromise, type Sim } from "./sim.ts";
import type { Store } from "./store.ts";
import type { Wallet } from "./wallet.ts";

export type Side = { readonly wallet: Wallet; readonly client: Client; readonly core: Core };

export type Finished = {
  readonly sim: Sim;
  readonly store: Store;
  readonly sides: readonly Side[];
  readonly books: Books;
  readonly sealer: Sealer;
  readonly forger: Forger;
};

const unless = (holds: boolean, promise: number, detail: string): void => {
  if (!holds) throw new BrokenPromise(promise, detail);
};

/** Promise 2: one end for one id, in the log and in what is remembered of refusals. */
const endsOf = (entries: readonly VerifiedEntry[], store: Store): Map<string, VerifiedEntry> => {
  const ends = new Map<string, VerifiedEntry>();
  for (const entry of entries) {
    const { transferId, context } = entry;
    if (transferId === undefined || context.outcome === "recorded") continue;
    unless(!ends.has(transferId), 2, `${transferId} ended twice`);
    const row = store.ended.get(transferId);
    unless(row?.seq === context.seq, 2, `${transferId} is remembered otherwise than logged`);
    ends.set(transferId, entry);
  }
  return ends;
};

/** Promises 1 and 10: the clients' journal against the log, both ways. */
const checkJournal = ({ store, sides }: Finished, ends: ReadonlyMap<string, VerifiedEntry>) => {
  const journal = new Map(sides.flatMap(({ client }) => [...client.journal]));
  for (const [id, { terms }] of ends) {
    const promised = journal.get(id);
    unless(promised !== undefined, 1, `${id} is in the log, and nobody sent it`);
    const asked = terms === undefined || promised?.requests.has(terms.request) === true;
    unless(asked, 10, `${id} stands in the log for a request that nobody made`);
  }
  for (const { id, acknowledged } of journal.values()) {
    const row = store.ended.get(id);
    if (!acknowledged || ends.has(id)) continue;
    const view = sides
      .find(({ wallet }) => wallet.views().has(id))
      ?.wallet.views()
      .get(id);
    const refused = row?.outcome === "refused" || view?.status === "rejected";
    unless(refused, 1, `${id} was acknowledged, and has neither an entry nor a refusal`);
  }
};

const shown: Readonly<Record<string, readonly TransferStatus[]>> = {
  committed: ["sealed", "credited"],
  rejected: ["rejected"],
  expired: ["expired"],
  cancelled: ["cancelled"],
};

/** Promise 13: both sides and their cores end with what the log says. */
const checkSides = ({ sides }: Finished, ends: ReadonlyMap<string, VerifiedEntry>): void => {
  for (const { wallet, core } of sides) {
    const who = wallet.participant;
    for (const view of wallet.views().values()) {
      const end = ends.get(view.id)?.context.outcome;
      const wanted = end === undefined ? undefined : shown[end];
      const right =
        wanted?.includes(view.status) ??
        !["committed", "sealed", "credited", "expired"].includes(view.status);
      unless(
        right,
        13,
        `${who} shows ${view.status} for ${view.id}, which is ${end ?? "not logged"}`,
      );
      const told = view.notice === 0 ? undefined : view.status;
      const ended = view.role === "payer" || told !== "sealed";
      if (ended) {
        unless(core.knows(view.id) === told, 13, `${who}'s core was not told of ${view.id}`);
      }
    }
    for (const id of core.credited.keys()) {
      unless(
        ends.get(id)?.context.outcome === "committed",
        13,
        `${who} credited ${id} for nothing`,
      );
    }
    for (const [id, { context, terms }] of ends) {
      const parties = [terms?.payer.participant, terms?.payee.participant];
      if (!parties.includes(who) || context.outcome === "recorded") continue;
      unless(wallet.views().has(id), 13, `${who} knows nothing of ${id}`);
    }
  }
};

const balanceText = (list: readonly AuditedBalance[]): string =>
  list
    .map(({ account, currency, debits, credits }) => `${account} ${currency} ${debits} ${credits}`)
    .join("\n");

/** Promises 3, 6 and 7: the log stands, its postings sum to zero, and all books agree with it. */
const checkBooks = ({ sim, store, books }: Finished): void => {
  const { history } = sim.story;
  const state = beginAudit({ origin, history, signatures: false });
  for (const { note } of store.entries) fold(state, store, note);
  const totals = auditTotals(state);
  for (const { currency, difference } of totals.sums) {
    unless(difference === 0n, 6, `postings in ${currency} come to ${difference}`);
  }
  const stored = [...store.balances.values()].map(
    ({ account, currency, postedDebit: debits, postedCredit: credits, ...pending }) => {
      const none = pending.pendingDebit === 0n && pending.pendingCredit === 0n;
      unless(none, 7, `${account} ${currency} has something pending, and nothing is open`);
      return { account, currency, debits, credits };
    },
  );
  const moved = stored.filter(({ debits, credits }) => debits !== 0n || credits !== 0n);
  const sorted = moved.toSorted((a, b) => {
    const [left, right] = [`${a.account}\n${a.currency}`, `${b.account}\n${b.currency}`];
    return left < right ? -1 : 1;
  });
  unless(balanceText(sorted) === balanceText(totals.balances), 7, "balances are not the log's");
  unless(
    balanceText(books.totals().balances) === balanceText(totals.balances),
    7,
    "the books are not the log's",
  );
};

/** Promise 6: the clearing accounts are at zero when every window is settled. */
const checkClearing = ({ store }: Finished): void => {
  const windows = [...store.settlement].filter(([name]) => name.startsWith("closed "));
  const open = windows.some(([, body]) => {
    const { nets } = JSON.parse(body) as { nets: [string, NetState][] };
    return nets.some(([, net]) => !isFinal(net));
  });
  if (open) return;
  for (const { account, currency, postedDebit, postedCredit } of store.balances.values()) {
    const clearing = account === `${operator}:settlement`;
    unless(!clearing || postedDebit === postedCredit, 6, `the clearing account in ${currency}`);
  }
};

/** Promises 4 and 5: what witnesses cosigned is still the beginning of the log. */
const checkWitnesses = ({ sealer, store }: Finished): void => {
  for (const { size, root } of sealer.heads()) {
    const own = rootOf(store.entries.slice(0, size).map(({ hash }) => hash));
    unless(equalBytes(own, root), 4, `a witness saw another log of ${size} entries`);
  }
};

const checkPrices = (entries: readonly VerifiedEntry[]): void => {
  const sheets = new Map(
    entries.flatMap(({ sheet }) =>
      sheet === undefined ? [] : [[`${sheet.provider} ${sheet.number}`, sheet] as const],
    ),
  );
  for (const { terms, context } of entries) {
    if (terms === undefined || context.outcome !== "committed") continue;
    const sheet = sheets.get(`${terms.sheet.provider} ${terms.sheet.number}`);
    unless(sheet !== undefined, 9, `${terms.id} cites a sheet that is not in the log`);
    const schedule = terms.send.currency === "HKD" ? feeSchedule : scheduleBack;
    if (sheet !== undefined) checkConversion(terms, sheet, schedule);
  }
};

/** Promise 12: no line of a forger is in the log. */
const checkForgeries = ({ forger, store }: Finished): void => {
  for (const [seq, { note }] of store.entries.entries()) {
    for (const line of note.split("\n")) {
      unless(!forger.lines.has(line), 12, `entry ${seq} carries a forged line`);
    }
  }
};

/** Asks everything. @throws BrokenPromise */
export const askOracles = (finished: Finished): void => {
  const { store, sim } = finished;
  const entries = store.entries.map(({ note }) => sim.verified(note));
  const ends = endsOf(entries, store);
  checkJournal(finished, ends);
  checkBooks(finished);
  checkClearing(finished);
  checkWitnesses(finished);
  checkPrices(entries);
  checkForgeries(finished);
  checkSides(finished, ends);
  checkWindows(entries);
};
