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
