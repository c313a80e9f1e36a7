// What two operators decide about a settlement that the bank does not finish: a default, where the
// debtor's own cover pays and the rest is a named shortfall; or taking the instructions back, to give
// them again. Neither touches a transfer: what is sealed is never unwound.
import {
  formatTime,
  type Netting,
  type SettlementAbort,
  type WindowDefault,
  type WindowLeg,
  type WindowTotal,
} from "@sealane/protocol";
import type { KeyState } from "../key-state.ts";
import { amountOf, minorOf, type Balances } from "../positions.ts";
import { backedCover } from "./bank-statement.ts";
import { legReference } from "./netting.ts";
import { isFinal, windowKey, type NetState, type SettlementState } from "./state.ts";
import { forgetSettled, settlementFault, type SettlementFault } from "./windows.ts";

const no = settlementFault;

export type DefaultContext = {
  readonly keys: KeyState;
  readonly balances: Balances;
  readonly timeMs: number;
};

type Payments = WindowDefault["payments"];

/** What a default of this net posts now: the debtor's backed cover first, then the shortfall. */
export const defaultPayments = (
  state: SettlementState,
  balances: Balances,
  { participant, totals }: Pick<NetState, "participant" | "totals">,
): Payments =>
  totals.flatMap(({ currency, debits, credits, fees }) => {
    const owed = minorOf(debits, currency) - minorOf(credits, currency) - minorOf(fees, currency);
    if (owed <= 0n) return [];
    const backed = backedCover(state, balances, participant, currency);
    const cover = backed < owed ? backed : owed;
    return {
      currency,
      cover: amountOf(cover, currency),
      shortfall: amountOf(owed - cover, currency),
    };
  });

const sameTotals = (left: readonly WindowTotal[], right: readonly WindowTotal[]): boolean =>
  JSON.stringify(
    left.map(({ currency, debits, credits, fees }) => [currency, debits, credits, fees]),
  ) ===
  JSON.stringify(
    right.map(({ currency, debits, credits, fees }) => [currency, debits, credits, fees]),
  );

const samePayments = (left: Payments, right: Payments): boolean =>
  JSON.stringify(left.map(({ currency, cover, shortfall }) => [currency, cover, shortfall])) ===
  JSON.stringify(right.map(({ currency, cover, shortfall }) => [currency, cover, shortfall]));

/** Why a default may not be posted, or undefined. `window-settled`: it is final already. */
export const defaultFault = (
  state: SettlementState,
  body: WindowDefault,
  { keys, balances, timeMs }: DefaultContext,
): SettlementFault | undefined => {
  const { participant, attempt, totals, payments } = body;
  const window = state.closed.get(windowKey(body));
  const net = window?.nets.get(participant);
  if (window === undefined || net === undefined) {
    const past = body.number < (state.open.get(body.corridor)?.number ?? 0);
    return no(past ? "window-settled" : "window-unknown", windowKey(body));
  }
  if (isFinal(net)) return no("window-settled", `${participant} is ${net.status}`);
  if (attempt !== window.attempt) return no("settlement-aborted", `attempt ${attempt}`);
  if (timeMs < window.payByMs) return no("not-overdue", `due at ${formatTime(window.payByMs)}`);
  if (keys.participants.get(participant)?.suspended !== true) {
    return no("not-suspended", `${participant} must be suspended first`);
  }
  if (!net.legs.some(({ side }) => side === "pay")) return no("not-a-debtor", participant);
  const now = defaultPayments(state, balances, net);
  if (!sameTotals(totals, net.totals) || !samePayments(payments, now)) {
    return no("amount-mismatch", "totals or payments are not what the books come to");
  }
  return undefined;
};

export const applyDefault = (state: SettlementState, body: WindowDefault): void => {
  const window = state.closed.get(windowKey(body));
  const net = window?.nets.get(body.participant);
  if (window === undefined || net === undefined) throw new Error("broken invariant: no such net");
  Object.assign(net, { status: "defaulted", why: undefined, reason: undefined });
  forgetSettled(state, window);
};

/** Why instructions may not be taken back, or undefined. `settlement-aborted`: they were before. */
export const abortFault = (
  state: SettlementState,
  body: SettlementAbort,
): SettlementFault | undefined => {
  const window = state.closed.get(windowKey(body));
  if (window === undefined) {
    const past = body.number < (state.open.get(body.corridor)?.number ?? 0);
    return no(past ? "window-settled" : "window-unknown", windowKey(body));
  }
  if (body.attempt < window.attempt) return no("settlement-aborted", `attempt ${body.attempt}`);
  if (body.attempt > window.attempt) return no("window-unknown", `attempt ${body.attempt}`);
  const begun = [...window.nets.values()].find(
    (net) => net.legs.length > 0 && (isFinal(net) || net.booked.length > 0),
  );
  if (begun === undefined) return undefined;
  return no("settlement-begun", `the bank has booked lines of ${begun.participant}`);
};

export type Instructing = {
  readonly origin: string;
  readonly corridor: string;
  readonly number: number;
  readonly attempt: number;
  readonly netting: Netting;
};

/** A participant's legs under the references of an attempt. */
export const legsOfAttempt = (
  { origin, corridor, number, attempt, netting }: Instructing,
  participant: string,
  legs: readonly WindowLeg[],
): WindowLeg[] =>
  legs.map((leg) => {
    const pays = leg.side === "pay";
    const debtor = pays ? participant : leg.counterparty;
    const creditor = pays ? leg.counterparty : participant;
    const input = { netting, origin, corridor, number, attempt, operator: "" };
    const { currency } = leg;
    return { ...leg, reference: legReference(input, { debtor, creditor, currency }) };
  });

/** The same nets under new references. @param origin of the log */
export const applyAbort = (state: SettlementState, body: SettlementAbort, origin: string): void => {
  const window = state.closed.get(windowKey(body));
  if (window === undefined) throw new Error("broken invariant: no such window");
  window.attempt += 1;
  for (const net of window.nets.values()) {
    if (isFinal(net)) continue;
    Object.assign(net, { status: "open", why: undefined, reason: undefined, booked: [] });
    net.legs = legsOfAttempt({ ...window, origin }, net.participant, net.legs);
  }
  forgetSettled(state, window);
};
