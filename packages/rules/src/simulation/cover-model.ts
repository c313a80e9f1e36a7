// Nobody spends beyond cover and cap: a model so plain that it can be read at a glance. It sees each batch
// as it is stored, adds up what is reserved, posted and paid, and holds every new reservation against the
// cover and the smallest cap that can have been in force. For gross exposure; `net` is the audit's.
import { parseTime, type Posting } from "@sealane/protocol";
import { minorOf } from "../positions.ts";
import { BrokenPromise, type Sim } from "./sim.ts";
import type { BatchToSave } from "./store.ts";

type Sums = Map<string, bigint>;

const add = (sums: Sums, key: string, minor: bigint): void => {
  sums.set(key, (sums.get(key) ?? 0n) + minor);
};

/** Of a position's debits: what its participant owes, by `participant currency`. */
const debts = (postings: readonly Posting[]): (readonly [string, bigint])[] =>
  postings.flatMap(({ debit, currency, amount }) => {
    const at = debit.lastIndexOf(":position");
    if (at < 0) return [];
    return [[`${debit.slice(0, at)} ${currency}`, minorOf(amount, currency)] as const];
  });

export type CoverModel = { readonly take: (batch: BatchToSave) => void };

export const makeCoverModel = (sim: Sim): CoverModel => {
  const cover: Sums = new Map();
  const exposure: Sums = new Map();
  const open = new Map<string, readonly (readonly [string, bigint])[]>();
  const perWindow = new Map<string, Sums>();
  let window = 0;

  const takeEntry = (note: string): void => {
    const { advance, transferId, context, settlement } = sim.verified(note);
    if (advance !== undefined) {
      const { participant, currency, amount } = advance;
      add(cover, `${participant} ${currency}`, minorOf(amount, currency));
    }
    if (transferId !== undefined) {
      const held = open.get(transferId) ?? [];
      open.delete(transferId);
      const posted = debts(context.postings);
      for (const [key, minor] of held) add(exposure, key, -minor);
      const sums = perWindow.get(String(window)) ?? new Map<string, bigint>();
      perWindow.set(String(window), sums);
      for (const [key, minor] of posted) {
        add(exposure, key, minor);
        add(sums, key, minor);
      }
    }
    if (settlement?.kind === "window-cut") window += 1;
    const final =
      (settlement?.kind === "settlement" && settlement.body.result === "settled") ||
      (settlement?.kind === "window-net" && settlement.body.legs.length === 0);
    if (!final) return;
    const { participant, number } = settlement.body;
    const sums = perWindow.get(String(number)) ?? new Map<string, bigint>();
    for (const [key, minor] of sums) {
      if (!key.startsWith(`${participant} `)) continue;
      add(exposure, key, -minor);
      sums.set(key, 0n);
    }
  };

  /** The largest cap that there has been; undefined: at some time there was none. */
  const capOf = (participant: string, currency: string): bigint | undefined => {
    const { history, begun } = sim.story;
    let most = 0n;
    for (let size = begun; size <= sim.keys().cited.size; size += 1) {
      const caps = history.states[size]?.participants.get(participant)?.caps ?? [];
      const cap = caps.find((one) => one.currency === currency);
      if (cap === undefined) return undefined;
      const minor = minorOf(cap.amount, currency);
      if (minor > most) most = minor;
    }
    return most;
  };

  const checkCover = (key: string): void => {
    const [participant = "", currency = ""] = key.split(" ");
    const { keys } = sim.keys();
    if (keys.participants.get(participant)?.exposure !== "gross") return;
    const spent = exposure.get(key) ?? 0n;
    const most = cover.get(key) ?? 0n;
    if (spent > most) {
      throw new BrokenPromise(8, `${key}: ${spent} is reserved and spent, its cover is ${most}`);
    }
    const cap = capOf(participant, currency);
    if (cap !== undefined && spent > cap) {
      throw new BrokenPromise(8, `${key}: ${spent} is reserved and spent, its cap is ${cap}`);
    }
  };

  return {
    take: ({ outcome, entries }) => {
      for (const { id, postings, terms } of outcome.reserved) {
        if (parseTime(terms.expiresAt) <= outcome.timeMs) {
          throw new BrokenPromise(12, `${id} was reserved when it had expired`);
        }
        const held = debts(postings);
        open.set(id, held);
        for (const [key, minor] of held) add(exposure, key, minor);
      }
      for (const { note } of entries) takeEntry(note);
      for (const { postings } of outcome.reserved) {
        for (const [key] of debts(postings)) checkCover(key);
      }
    },
  };
};
