/**
 * The one error of this package. Everything here judges bytes that somebody else wrote, so a
 * refusal names its reason by a stable `code`; callers switch on the code, never on the message.
 * A message may quote the input, so it is for logs and people, not for programs.
 */

/** Why bytes were refused. Each code belongs to one format, or to one failed check. */
export type TlogErrorCode =
  | "text-malformed"
  | "base64-malformed"
  | "hex-malformed"
  | "note-malformed"
  | "note-unknown-key"
  | "note-ambiguous-key"
  | "note-bad-signature"
  | "vkey-malformed"
  | "key-inadmissible"
  | "cosignature-malformed"
  | "checkpoint-malformed"
  | "proof-malformed"
  | "range-malformed"
  | "inclusion-mismatch"
  | "consistency-mismatch"
  | "tile-missing"
  | "tile-malformed"
  | "bundle-malformed"
  | "policy-malformed"
  | "witness-request-malformed";

/** A refusal of bytes, with a stable code. It is never retryable: the same bytes fail again. */
export class TlogError extends Error {
  readonly code: TlogErrorCode;
  readonly retryable = false;

  constructor(code: TlogErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "TlogError";
    this.code = code;
  }
}
