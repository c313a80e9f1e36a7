// Settlement as an auditor sees it: windows, nets, statements and cover, folded again from the entries.
// After a cause the log must go on with just what follows from it, to the byte and in order; before
// the next entry of any kind, and nothing of it may come by itself.
import {
  noteHash,
  readNote,
  slotOf,
  statementText,
  type BankStatement,
  type DerivedStatement,
} from "@sealane/protocol";
import { citedState, type KeyHistory } from "./key-history.ts";
import type { KeyState } from "./key-state.ts";
import { foldReturns } from "./audit-returns.ts";
import type { AuditFault } from "./audit-sheets.ts";
import type { AuditState } from "./audit-state.ts";
import { minorOf, standingOf } from "./positions.ts";
import {
  addPart,
  abortFault,
  adjustmentFault,
  applyAbort,
  applyAdjustment,
  applyDefault,
  applyLiquidityIn,
  applyLiquidityOut,
  applySlotsIn,
  applySlotsOut,
  bankStatementFault,
  cutFault,
  cutWindow,
  defaultFault,
  isWhole,
  joinWindow,
  liquidityInFault,
  liquidityOutFault,
  mayEndHere,
  partFault,
  slotsInFault,
  slotsOutFault,
  takeBankStatement,
  type SettlementState,
  type StatementContext,
} from "./settlement/index.ts";
import type { VerifiedEntry } from "./verify-entry.ts";

const fault = (code: string, detail: string): AuditFault => ({ code, detail });

const keysOf = (state: AuditState, { context }: VerifiedEntry): KeyState => {
  const keys = citedState(state.history, context.keys);
  if (keys === undefined) throw new Error("broken invariant: a verified entry cites no state");
  return keys;
};

/** Pending is not in the log, so an auditor sees at least the headroom that there was. */
const contextOf = (state: AuditState, keys: KeyState): StatementContext => ({
  keys,
  balances: state.balances,
  mayLeave: (name, currency) => {
    const participant = keys.participants.get(name);
    if (participant === undefined) return 0n;
    return standingOf(state.balances, participant, currency, state.settlement).headroom;
  },
});

const textOf = (note: string): string => {
  const read = readNote(note);
  return read.ok ? read.note.text : "";
};

const dueText = (state: AuditState, { kind, body }: DerivedStatement): string =>
  statementText(state.origin, kind, body);

const causeFault = (state: AuditState, entry: VerifiedEntry): AuditFault | undefined => {
  const { settlement, context, timeMs } = entry;
  if (settlement === undefined) return undefined;
  const keys = keysOf(state, entry);
  const { origin } = state;
  switch (settlement.kind) {
    case "window-cut": {
      const at = { origin, keys, seq: context.seq, timeMs };
      // Who has signed it was judged with the entry.
      const signers = { operators: 1, scheduler: false };
      return cutFault(state.settlement, settlement.body, at, signers);
    }
    case "bank-statement": {
      const step = addPart(state.settlement.partial, settlement.body, textOf(entry.inner));
      if (!step.ok) return step;
      const { statement, prev } = step.partial;
      if (!isWhole(step.partial)) return undefined;
      return bankStatementFault(state.settlement, contextOf(state, keys), statement, prev);
    }
    case "window-default": {
      const at = { keys, balances: state.balances, timeMs };
      return defaultFault(state.settlement, settlement.body, at);
    }
    case "settlement-abort":
      return abortFault(state.settlement, settlement.body);
    case "adjustment": {
      const hash = noteHash(textOf(entry.inner));
      return adjustmentFault(state.settlement, contextOf(state, keys), settlement.body, hash);
    }
    case "liquidity-out": {
      const hash = noteHash(textOf(entry.inner));
      const at = { ...contextOf(state, keys), origin, timeMs };
      return liquidityOutFault(state.settlement, at, settlement.body, hash);
    }
    case "liquidity-in":
      return liquidityInFault(state.settlement, state, settlement.letGo);
    case "slots-out":
      return slotsOutFault(state.settlement, keys, origin, settlement.body);
    case "slots-in":
      return slotsInFault(state.settlement, keys, origin, settlement.gone);
    case "window-net":
    case "settlement":
    case "liquidity":
      return fault("derived-unexpected", `nothing before it gives this ${settlement.kind}`);
    default:
      return settlement satisfies never;
  }
};

/** An id ends in the lane that has its slot, or had it when the id was reserved. */
export const slotFault = (state: AuditState, entry: VerifiedEntry): AuditFault | undefined => {
  const { transferId, returns } = entry;
  if (transferId === undefined) return undefined;
  // What comes back stands where the original does, though its slot has left since.
  if (returns !== undefined && slotOf(returns.original.terms.id) === slotOf(transferId)) {
    return undefined;
  }
  const { settlement, origin } = state;
  if (mayEndHere(settlement, keysOf(state, entry), origin, transferId)) return undefined;
  return fault("wrong-lane", `transfer ${transferId} is another lane's`);
};

/** Whether the entry may stand here, as far as settlement is concerned. Changes nothing. */
export const auditedSettlementFault = (
  state: AuditState,
  entry: VerifiedEntry,
): AuditFault | undefined => {
  const [due] = state.settlement.due;
  const apart =
    entry.settlement?.kind === "bank-statement" ? undefined : partFault(state.settlement);
  if (apart !== undefined) return apart;
  if (due === undefined) return causeFault(state, entry);
  if (textOf(entry.inner) === dueText(state, due)) return undefined;
  return fault("derived-missing", `the log must go on with a ${due.kind} that it gives`);
};

/** Takes what a transfer, a return or an advance means for settlement. */
export const noteSettlement = (
  settlement: SettlementState,
  history: KeyHistory,
  entry: VerifiedEntry,
): void => {
  const { advance, terms, context, returns } = entry;
  if (advance !== undefined) {
    const { id, participant, currency, amount } = advance;
    settlement.unbacked.set(id, { participant, currency, minor: minorOf(amount, currency) });
    settlement.dirty.add(`advance ${id}`);
  }
  const keys = citedState(history, context.keys);
  foldReturns(settlement, entry);
  if (returns?.kind === "return" && keys !== undefined) {
    joinWindow(settlement, keys, returns.original.terms, context.postings);
  }
  if (terms === undefined || context.outcome !== "committed" || keys === undefined) return;
  joinWindow(settlement, keys, terms, context.postings);
};

/** A part waits for the last one, which says what all of them mean. */
const foldStatement = (
  state: AuditState,
  keys: KeyState,
  body: BankStatement,
  { inner, context }: VerifiedEntry,
): readonly DerivedStatement[] => {
  const { settlement: own } = state;
  const step = addPart(own.partial, body, textOf(inner));
  if (!step.ok) throw new Error(`broken invariant: ${step.detail}`);
  const { statement, prev, of } = step.partial;
  const whole = isWhole(step.partial);
  if (of > 1) own.dirty.add("partial");
  own.partial = whole ? undefined : step.partial;
  if (!whole) return [];
  return takeBankStatement(own, contextOf(state, keys), statement, {
    hash: prev,
    seq: context.seq,
  });
};

/** Folds an entry that stands. To be called before its postings are moved. */
export const foldSettlement = (state: AuditState, entry: VerifiedEntry): void => {
  const { settlement: own } = state;
  if (own.due.length > 0) {
    own.due = own.due.slice(1);
    own.dirty.add("due");
    return;
  }
  const { settlement, context, timeMs } = entry;
  noteSettlement(own, state.history, entry);
  if (settlement === undefined) return;
  const keys = keysOf(state, entry);
  const { origin } = state;
  let due: readonly DerivedStatement[] = [];
  if (settlement.kind === "window-cut") {
    due = cutWindow(own, settlement.body, { origin, keys, seq: context.seq, timeMs });
  } else if (settlement.kind === "bank-statement") {
    due = foldStatement(state, keys, settlement.body, entry);
  } else if (settlement.kind === "window-default") applyDefault(own, settlement.body);
  else if (settlement.kind === "settlement-abort") applyAbort(own, settlement.body, origin);
  else if (settlement.kind === "adjustment") {
    applyAdjustment(own, settlement.body, noteHash(textOf(entry.inner)));
  } else if (settlement.kind === "liquidity-out") {
    const hash = noteHash(textOf(entry.inner));
    applyLiquidityOut(own, settlement.body, { seq: context.seq, hash });
  } else if (settlement.kind === "liquidity-in") {
    applyLiquidityIn(own, settlement.letGo, context.seq);
  } else if (settlement.kind === "slots-out") {
    applySlotsOut(own, keys, origin, settlement.body, context.seq);
  } else if (settlement.kind === "slots-in") {
    applySlotsIn(own, keys, origin, settlement.gone, context.seq);
  }
  if (due.length > 0) {
    own.due = due;
    own.dirty.add("due");
  }
};
