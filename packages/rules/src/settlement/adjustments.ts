// What a break comes to where money moves: two operators give cover to a participant or take it. It is
// posted once for one break, and takes nothing that is not there.
import type { Adjustment } from "@sealane/protocol";
import { isAmount, minorOf } from "../positions.ts";
import { backedCover, type StatementContext } from "./bank-statement.ts";
import type { SettlementState } from "./state.ts";
import { settlementFault, type SettlementFault } from "./windows.ts";

const no = settlementFault;

const seenKey = ({ id }: Adjustment): string => `adjustment ${id}`;

/**
 * Why an adjustment may not be posted, or undefined. `statement-repeated`: it was, which is no harm.
 * @param hash of the statement's text
 */
export const adjustmentFault = (
  state: SettlementState,
  { keys, balances, mayLeave }: StatementContext,
  body: Adjustment,
  hash: string,
): SettlementFault | undefined => {
  const { id, participant, currency, side, amount } = body;
  const before = state.seen.get(seenKey(body));
  if (before !== undefined) {
    return before === hash
      ? no("statement-repeated", id)
      : no("statement-reused", `break ${id} was adjusted otherwise`);
  }
  const record = keys.participants.get(participant);
  if (record === undefined) return no("account-unknown", `${participant} has no cover`);
  if (!record.currencies.includes(currency)) return no("currency-not-served", currency);
  if (!isAmount(amount, currency)) return no("amount-decimals", `${amount} ${currency}`);
  if (side === "credit") return undefined;
  const minor = minorOf(amount, currency);
  const backed = backedCover(state, balances, participant, currency);
  if (minor > mayLeave(participant, currency) || minor > backed) {
    return no("withdrawal-uncovered", `${participant} needs its cover in ${currency}`);
  }
  return undefined;
};

/** Remembers an adjustment in which nothing is at fault. */
export const applyAdjustment = (state: SettlementState, body: Adjustment, hash: string): void => {
  state.seen.set(seenKey(body), hash);
  state.dirty.add(`seen ${seenKey(body)}`);
};
