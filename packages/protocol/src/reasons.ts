// Why something is refused: one union, its ISO 20022 reason and what the caller can do about it.
// A new code does not compile until it is mapped. Sources: ISO 20022 external code sets (Q3 2025),
// `field.md`. Emit only codes of the set.

export const refusalCodes = {
  "terms-malformed": ["FF01", 422, "Send terms that match the published schema."],
  "wrong-log": ["DS17", 422, "Sign terms for the log that this lane writes now."],
  "wrong-lane": ["DT04", 409, "Send it to the lane that the key log names for this transfer id."],
  "signature-missing": ["DS0A", 422, "Add the payer provider's signature."],
  "signature-wrong": ["DS0B", 422, "Sign the exact bytes of the terms."],
  "key-unknown": ["DS0D", 422, "Register the key in the key log, or use a registered one."],
  "key-revoked": ["DS0C", 422, "Sign with a key that is in force."],
  "key-purpose": ["DS0G", 422, "Use a key registered for this purpose."],
  "key-shared": ["DS26", 422, "Payer and payee must sign with keys of their own."],
  "payer-unknown": ["RC03", 404, "Use a participant of this ledger."],
  "payee-unknown": ["RC04", 404, "Use a participant of this ledger."],
  "payer-suspended": ["AG07", 403, "Ask the operator why; nothing can be sent until resumed."],
  "payee-suspended": ["AG07", 403, "Try again after the payee has been resumed."],
  "same-participant": ["RC04", 422, "Payer and payee must be different participants."],
  "currency-not-served": ["AM03", 422, "Use a currency that the participant serves."],
  "amount-invalid": ["AM11", 422, "Send an exact decimal string."],
  "amount-decimals": ["CH20", 422, "Use no more decimals than the currency's."],
  "amount-zero": ["AM01", 422, "Send more than zero."],
  "amount-mismatch": ["AM09", 422, "Price the transfer again and sign the new terms."],
  "fee-mismatch": ["AM09", 422, "Use the fee schedule in force and its rounding."],
  "schedule-unknown": ["CH16", 422, "Cite a fee schedule of the key log for this pair."],
  "policy-unknown": ["CH16", 422, "Cite a policy of the key log."],
  "policy-unmet": ["DS0A", 422, "Add the signatures that the policy asks for at this amount."],
  "policy-bound": ["CH16", 422, "Cite the policy that the key log binds the payer to."],
  "sheet-unknown": ["AM09", 422, "Quote from a rate sheet that has been logged."],
  "sheet-expired": ["TM01", 422, "Ask for a new quote."],
  "sheet-withdrawn": ["AM09", 422, "Ask for a new quote."],
  "sheet-superseded": ["AM09", 422, "Ask for a new quote."],
  "sheet-pair": ["AM03", 422, "Cite a sheet for this pair of currencies."],
  "sheet-limit": ["AM02", 422, "Send less than the largest transfer of the sheet."],
  "sheet-exhausted": ["AM23", 422, "Wait for the next sheet."],
  "quote-used": ["DU03", 409, "Ask for a new quote; each is used once."],
  "quote-unknown": ["AM09", 422, "Ask for a quote at this adapter first."],
  "quote-expired": ["TM01", 422, "Ask for a new quote."],
  "quote-mismatch": ["AM09", 422, "Send the amounts and accounts that were quoted."],
  expired: ["AB05", 422, "Send it again with a new idempotency key."],
  "expiry-too-far": ["DT04", 422, "Let terms expire at most 300 s after they are sent."],
  "insufficient-funds": ["AM04", 422, "Add liquidity, or wait for settlement."],
  "insufficient-liquidity": [
    "AM23",
    422,
    "Try again later; the liquidity provider is at its limit.",
  ],
  "pending-limit": ["AM23", 429, "Wait until pending transfers have ended."],
  "cap-reached": ["AM23", 422, "Wait for settlement, or ask for a higher cap."],
  "request-mismatch": ["AM05", 422, "Use a new idempotency key for a new request."],
  cancelled: ["CUST", 409, "The payer cancelled this transfer."],
  "not-cancellable": ["ARDT", 409, "It has ended already; ask the payee for a return."],
  "original-unknown": ["CH16", 422, "Name a transfer that this lane has committed, and its entry."],
  "return-not-yours": ["AG01", 403, "Only the payee's provider returns, only the payer's recalls."],
  "return-late": ["DT01", 422, "Too long ago to be returned here: send a new transfer."],
  "return-conflict": ["AM09", 409, "Another return came first: sign again after it."],
  "return-exceeds": ["AM09", 422, "Return at most what has not been returned yet."],
  "return-terms": ["CH16", 422, "Use a rate and a bearer of the fee that the policy allows."],
  "recall-unknown": ["CH16", 422, "Name a recall of this transfer that has no answer yet."],
  "recall-open": ["AM05", 409, "Wait for the answer to the recall that is open."],
  "recall-binding": ["CUST", 409, "The sender may cancel until it is paid out: return all of it."],
  "not-paid-out": ["CUST", 409, "Say first that it was credited, or return all of it."],
  "entry-too-large": ["FF01", 422, "Send shorter terms."],
  "set-aside": ["TM01", 422, "The operators set this command aside."],
  recovered: [
    "AB10",
    422,
    "It was lost with the ledger: send it again with a new idempotency key.",
  ],
  "lane-unsealed": ["AB08", 503, "Try again later: too few witnesses answer."],
  "lane-clock": ["AB08", 503, "Try again later: the ledger's clock and the witnesses' differ."],
} as const satisfies Record<string, readonly [string, number, string]>;

export type RefusalCode = keyof typeof refusalCodes;

/** ISO 20022 external reason code of a refusal. */
export const isoReasonOf = (code: RefusalCode): string => refusalCodes[code][0];
/** HTTP status that an adapter answers when this refusal is known at once. */
export const httpStatusOf = (code: RefusalCode): number => refusalCodes[code][1];
/** What the caller can do, for problem details. */
export const actionOf = (code: RefusalCode): string => refusalCodes[code][2];

/** Timeouts by who let the time pass: the payee's agent did not answer before `expiresAt`. */
export const expiredReason = "AB05";
