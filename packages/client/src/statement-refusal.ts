// What a provider's own check found wrong with a statement that a hosted adapter asked it to sign:
// nothing was signed, and nothing was sent.

export type StatementFaultCode =
  | "statement-malformed"
  | "wrong-log"
  | "id-mismatch"
  | "payer-mismatch"
  | "payee-mismatch"
  | "account-mismatch"
  | "reference-mismatch"
  | "amount-mismatch"
  | "fee-mismatch"
  | "quote-mismatch"
  | "quote-unknown"
  | "sheet-mismatch"
  | "policy-unknown"
  | "expiry-mismatch"
  | "reason-mismatch"
  | "credit-unknown"
  | "signature-wrong";

export type StatementFault = {
  readonly ok: false;
  readonly code: StatementFaultCode;
  readonly detail: string;
};

export const fault = (code: StatementFaultCode, detail: string): StatementFault => ({
  ok: false,
  code,
  detail,
});

/** The adapter put something else before the provider than what it asked for. */
export class StatementRefusal extends Error {
  readonly code: StatementFaultCode;
  readonly retryable = false;

  constructor({ code, detail }: StatementFault) {
    super(`not signed: ${detail}`);
    this.name = "StatementRefusal";
    this.code = code;
  }
}
