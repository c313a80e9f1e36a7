// The chart of accounts: who holds what. An account is `<participant>:<kind>`, per currency.
// Worked out with a transfer's postings in the room's README.
import type { ParticipantId } from "./names.ts";

/** What a participant owes (debits) and is owed (credits) until a settlement. */
export const positionAccount = (participant: ParticipantId): string => `${participant}:position`;
/** Prefunded cover: deposits and advances. */
export const liquidityAccount = (participant: ParticipantId): string => `${participant}:liquidity`;
/** Fees that were earned. */
export const feesAccount = (participant: ParticipantId): string => `${participant}:fees`;
/** Contra of liquidity that no bank statement covers yet. */
export const advancesAccount = (operator: ParticipantId): string => `${operator}:advances`;
/** Contra of a position: debits that were settled as credits, credits that were settled as debits. */
export const settledAccount = (participant: ParticipantId): string => `${participant}:settled`;
/** What a defaulted participant still owes after its cover has paid. */
export const shortfallAccount = (participant: ParticipantId): string => `${participant}:shortfall`;
/** Cover that has left one lane and is not yet in the other: zero over all lanes once it is. */
export const inTransitAccount = (participant: ParticipantId): string => `${participant}:in-transit`;
/** Cover that lies at the settlement bank. */
export const cashAccount = (operator: ParticipantId): string => `${operator}:cash`;
/** Where settlements pass through: zero in each currency once a window is settled. */
export const clearingAccount = (operator: ParticipantId): string => `${operator}:settlement`;
/** What breaks have cost the operator (debits) and brought it (credits). */
export const adjustmentsAccount = (operator: ParticipantId): string => `${operator}:adjustments`;
/** Minor units that two roundings of one conversion differ by. */
export const roundingAccount = (operator: ParticipantId): string => `${operator}:rounding`;
/** What the operator stands in for: contra of shortfalls. */
export const guaranteeAccount = (operator: ParticipantId): string => `${operator}:guarantee`;
