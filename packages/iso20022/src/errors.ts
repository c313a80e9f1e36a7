/**
 * Why a document is refused, or why a message cannot be written: a stable code, and a sentence for
 * people. Never retryable: the same bytes fail again. A detail never quotes a value, since values of
 * others' files may be personal data; it names the place in the document.
 */
export type Iso20022ErrorCode =
  | "document-too-large"
  | "document-too-deep"
  | "document-too-many-elements"
  | "encoding-unsupported"
  | "doctype-refused"
  | "entity-refused"
  | "instruction-refused"
  | "xml-malformed"
  | "message-unknown"
  | "schema-invalid"
  | "element-missing"
  | "element-repeated"
  | "text-malformed"
  | "text-too-long"
  | "code-unknown"
  | "amount-malformed"
  | "currency-unknown"
  | "uetr-malformed"
  | "time-malformed"
  | "count-mismatch"
  | "account-unknown"
  | "line-ambiguous";

export class Iso20022Error extends Error {
  readonly code: Iso20022ErrorCode;
  readonly retryable = false;

  constructor(code: Iso20022ErrorCode, detail: string) {
    super(detail);
    this.name = "Iso20022Error";
    this.code = code;
  }
}

export type Iso20022Refusal = {
  readonly ok: false;
  readonly code: Iso20022ErrorCode;
  readonly detail: string;
};

/** What `run` gives, or the refusal that it throws; anything else thrown is a bug, and goes on. */
export const refusing = <T>(
  run: () => T,
): { readonly ok: true; readonly value: T } | Iso20022Refusal => {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    if (!(error instanceof Iso20022Error)) throw error;
    return { ok: false, code: error.code, detail: error.message };
  }
};
