// A lane's state as rows: what a batch changed, and the state made again from what was kept. Whoever
// stores a lane stores these; a row that is forgotten here is what a restart forgets.
import type { BatchOutcome } from "./batch-outcome.ts";
import {
  creditOwed,
  noteChainSeq,
  sheetKey,
  type LaneState,
  type OpenTransfer,
  type SheetState,
} from "./lane-state.ts";
import { balanceKey, type Balance } from "./positions.ts";
import { takeSettlementRows, type SettlementRow } from "./settlement/rows.ts";
import type { VerifiedEntry } from "./verify-entry.ts";

/** What has to be stored of a batch, besides its entries, ends, quotes and messages as they are. */
export type LaneChanges = {
  /** Reserved and not ended in the same batch. */
  readonly opened: readonly OpenTransfer[];
  readonly balances: readonly Balance[];
  readonly sheets: readonly SheetState[];
  readonly settlement: readonly SettlementRow[];
};

/** Balances that the batch's postings may have touched: few, whatever the batch's size. */
const touchedBalances = (state: LaneState, outcome: BatchOutcome): Balance[] => {
  const keys = new Set<string>();
  for (const list of [outcome.reserved, outcome.entries, outcome.released]) {
    for (const { postings } of list) {
      for (const { debit, credit, currency } of postings) {
        keys.add(balanceKey(debit, currency));
        keys.add(balanceKey(credit, currency));
      }
    }
  }
  return [...keys].flatMap((key) => state.balances.get(key) ?? []);
};

/** To be asked once for a batch: settlement's rows are taken with it. */
export const laneChanges = (state: LaneState, outcome: BatchOutcome): LaneChanges => {
  const endedHere = new Set(outcome.ended.map(({ id }) => id));
  return {
    opened: outcome.reserved.filter(({ id }) => !endedHere.has(id)),
    balances: touchedBalances(state, outcome),
    sheets: [...new Set([...outcome.sheets, ...outcome.usedSheets])],
    settlement: takeSettlementRows(state.settlement),
  };
};

/** No entry before this place can still wait for its credit. */
export const firstUncredited = (state: LaneState): number => {
  let from = state.size;
  for (const [first] of state.uncredited.values()) {
    if (first !== undefined && first.seq < from) from = first.seq;
  }
  return from;
};

/** Open transfers, in any order, into a state that has none. */
export const restoreOpen = (state: LaneState, transfers: readonly OpenTransfer[]): void => {
  const open = transfers.toSorted(
    (one, other) => one.reservedAtMs - other.reservedAtMs || (one.id < other.id ? -1 : 1),
  );
  for (const transfer of open) {
    state.open.set(transfer.id, transfer);
    const payer = transfer.terms.payer.participant;
    state.pendingByPayer.set(payer, (state.pendingByPayer.get(payer) ?? 0) + 1);
  }
};

/** @param sheets newest first: the two newest of each pair are those that can be cited */
export const restoreSheets = (state: LaneState, sheets: readonly SheetState[]): void => {
  for (const sheet of sheets) {
    const key = sheetKey(sheet.sheet.provider, sheet.sheet.pair);
    const known = state.sheets.get(key) ?? [];
    if (known.length < 2) state.sheets.set(key, [...known, sheet]);
  }
};

/** An entry of `firstUncredited` or after it, in order: who waits for a credit, and in whose chain. */
export const restoreEntry = (state: LaneState, entry: VerifiedEntry): void => {
  const { context } = entry;
  for (const { participant, n } of context.chains) {
    noteChainSeq(state, participant, n, context.seq);
  }
  const credit = creditOwed(entry);
  if (credit === undefined) return;
  const { payee, owed } = credit;
  if (owed.n < (state.creditedTo.get(payee) ?? 0)) return;
  const waiting = state.uncredited.get(payee) ?? [];
  waiting.push(owed);
  state.uncredited.set(payee, waiting);
};
