// Why an envelope could not be opened. Its message never holds key bytes or content.

export type EnvelopeFault = "envelope-malformed" | "envelope-not-for-us" | "envelope-refused";

/** `envelope-not-for-us`: no wrap for this reader; `envelope-refused`: wrong key, aad or bytes. */
export class EnvelopeError extends Error {
  readonly code: EnvelopeFault;
  readonly retryable = false;

  constructor(code: EnvelopeFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "EnvelopeError";
    this.code = code;
  }
}
