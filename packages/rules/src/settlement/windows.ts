// Windows: which transfers belong to which, and what a cut does. Membership is a place in the log and
// the corridor of the pair under the key log that the transfer's own entry cites, so no clock decides
// it. A cut names the number that it ends: the second of two at once finds its window gone.
import {
  formatTime,
  mostWindowLegs,
  parseTime,
  windowNetParts,
  type DerivedStatement,
  type Posting,
  type Terms,
  type WindowCut,
} from "@sealane/protocol";
import { maxExpiryMs } from "../intent.ts";
import type { Corridor, KeyState } from "../key-state.ts";
import { minorOf } from "../positions.ts";
import { netWindow, type ParticipantNet } from "./netting.ts";
import {
  defaultCorridor,
  isFinal,
  openWindowOf,
  windowKey,
  type ClosedWindow,
  type Crossing,
  type NetState,
  type SettlementState,
} from "./state.ts";

export type SettlementFault = { readonly code: string; readonly detail: string };

export const settlementFault = (code: string, detail: string): SettlementFault => ({
  code,
  detail,
});

/** Where nothing else is registered. */
const unregistered = {
  netting: "multilateral",
  payWithinMinutes: 24 * 60,
} as const satisfies Partial<Corridor>;

/** More would not fit into the entry that settles them. */
const mostCurrencies = 20;

const corridorIndex = new WeakMap<KeyState, Map<string, string>>();

/** The corridor of a transfer between these currencies, by the key log of its entry. */
export const corridorOf = (keys: KeyState, from: string, to: string): string => {
  let index = corridorIndex.get(keys);
  if (index === undefined) {
    index = new Map();
    for (const { corridor, pairs } of keys.corridors.values()) {
      for (const pair of pairs) index.set(`${pair.from}/${pair.to}`, corridor);
    }
    corridorIndex.set(keys, index);
  }
  return index.get(`${from}/${to}`) ?? defaultCorridor;
};

/** Puts a committed transfer into its corridor's open window. */
export const joinWindow = (
  state: SettlementState,
  keys: KeyState,
  terms: Pick<Terms, "send" | "receive">,
  postings: readonly Posting[],
): void => {
  const corridor = corridorOf(keys, terms.send.currency, terms.receive.currency);
  const window = openWindowOf(state, corridor);
  window.transfers += 1;
  for (const { debit, credit, currency, amount } of postings) {
    const key = `${debit} ${credit} ${currency}`;
    window.flows.set(key, (window.flows.get(key) ?? 0n) + minorOf(amount, currency));
  }
  state.dirty.add(`open ${corridor}`);
};

export type CutContext = {
  /** Of the log. */
  readonly origin: string;
  readonly keys: KeyState;
  /** The cut's place in the log. */
  readonly seq: number;
  readonly timeMs: number;
};

type CutSigners = {
  /** How many operators have signed it. */
  readonly operators: number;
  /** Whether the corridor's scheduler has signed it. */
  readonly scheduler: boolean;
};

const netsAt = (state: SettlementState, cut: WindowCut, context: CutContext): ParticipantNet[] => {
  const { keys, origin } = context;
  const { netting } = keys.corridors.get(cut.corridor) ?? unregistered;
  const operator = keys.ledger?.operator ?? "";
  const { flows } = openWindowOf(state, cut.corridor);
  return netWindow(flows, { netting, origin, operator, attempt: 0, ...cut });
};

/** Why a cut may not stand, or undefined. `window-closed`: it was cut before, which is no harm. */
export const cutFault = (
  state: SettlementState,
  cut: WindowCut,
  context: CutContext,
  signers: CutSigners,
): SettlementFault | undefined => {
  const { corridor, number, due } = cut;
  if (signers.operators === 0 && !signers.scheduler) {
    return settlementFault("signature-missing", "an operator or the corridor's scheduler signs");
  }
  if (corridor !== defaultCorridor && !context.keys.corridors.has(corridor)) {
    return settlementFault("corridor-unknown", corridor);
  }
  if (due !== undefined && parseTime(due) > context.timeMs) {
    return settlementFault("cut-early", `it is due at ${due}`);
  }
  const open = state.open.get(corridor)?.number ?? 0;
  if (number < open)
    return settlementFault("window-closed", `${corridor}/${number} was cut before`);
  if (number > open) return settlementFault("window-unknown", `${corridor}/${open} is open`);
  // Two schedulers at once may both see the window that the first of them has opened.
  if (due !== undefined && parseTime(due) <= (state.open.get(corridor)?.sinceMs ?? 0)) {
    return settlementFault("window-closed", `the window before ended after ${due}`);
  }
  return sizeFault(netsAt(state, cut, context));
};

/** What no statement could answer is not instructed: two operators may net the corridor multilaterally. */
const sizeFault = (nets: readonly ParticipantNet[]): SettlementFault | undefined => {
  const large = nets.find(({ totals }) => totals.length > mostCurrencies);
  if (large !== undefined) {
    const { participant, totals } = large;
    const detail = `${participant} has ${totals.length} currencies, and a net takes ${mostCurrencies}`;
    return settlementFault("net-too-large", detail);
  }
  const count = nets.reduce((sum, { legs }) => sum + legs.length, 0);
  if (count <= mostWindowLegs) return undefined;
  const most = `a bank's statement has ${mostWindowLegs} lines at most`;
  const detail = `${count} legs, and ${most}: net the corridor multilaterally, then cut`;
  return settlementFault("window-too-large", detail);
};

const netState = ({ participant, totals, legs }: ParticipantNet): NetState => ({
  participant,
  totals,
  legs,
  status: legs.length === 0 ? "settled" : "open",
  why: undefined,
  reason: undefined,
  booked: [],
});

/** Credits of the cut window that have counted as cover so far, and do not any more. */
const crossingsOf = (nets: readonly ParticipantNet[], { keys, timeMs }: CutContext): Crossing[] =>
  nets.flatMap(({ participant, totals }) => {
    if (keys.participants.get(participant)?.exposure !== "net") return [];
    return totals.flatMap(({ currency, debits, credits }) => {
      const minor = minorOf(credits, currency) - minorOf(debits, currency);
      return minor <= 0n ? [] : { untilMs: timeMs + maxExpiryMs, participant, currency, minor };
    });
  });

/** A window of which nothing is left to do is forgotten: the log has it. */
export const forgetSettled = (state: SettlementState, window: ClosedWindow): void => {
  const key = windowKey(window);
  state.dirty.add(`closed ${key}`);
  if ([...window.nets.values()].every(isFinal)) state.closed.delete(key);
};

/** Cuts the open window, after `cutFault` found nothing. @returns the nets, which follow in the log */
export const cutWindow = (
  state: SettlementState,
  cut: WindowCut,
  context: CutContext,
): DerivedStatement[] => {
  const { corridor, number } = cut;
  const { keys, seq, timeMs } = context;
  const { netting, payWithinMinutes } = keys.corridors.get(corridor) ?? unregistered;
  const { from, transfers } = openWindowOf(state, corridor);
  const nets = netsAt(state, cut, context);
  const payByMs = timeMs + payWithinMinutes * 60_000;
  const crossings = state.crossings.filter(({ untilMs }) => untilMs >= timeMs);
  state.crossings = [...crossings, ...crossingsOf(nets, context)];
  state.dirty.add("crossings");
  const begins = { number: number + 1, from: seq + 1, sinceMs: timeMs };
  const next = { corridor, ...begins, transfers: 0, flows: new Map<string, bigint>() };
  state.open.set(corridor, next);
  state.dirty.add(`open ${corridor}`);
  const window: ClosedWindow = {
    corridor,
    number,
    from,
    to: seq,
    cutTimeMs: timeMs,
    netting,
    payByMs,
    transfers,
    attempt: 0,
    nets: new Map(nets.map((net) => [net.participant, netState(net)])),
  };
  state.closed.set(windowKey(window), window);
  forgetSettled(state, window);
  const payBy = formatTime(payByMs);
  return nets.flatMap(({ participant, totals, legs }): DerivedStatement[] => {
    const head = { corridor, number, participant, from, to: seq, netting, payBy };
    const parts = windowNetParts({ ...head, totals: [...totals], legs: [...legs] });
    return parts.map((body) => ({ kind: "window-net", body }));
  });
};
