// Faults of the local stack. `code` is stable; the message is for the person at the terminal and says
// what to do next.

export type InfraErrorCode =
  | "directory-in-use"
  | "lanes-changed"
  | "lanes-invalid"
  | "missing-program"
  | "not-ready"
  | "ports-invalid"
  | "ports-taken"
  | "process-gone"
  | "process-stuck"
  | "server-unusable"
  | "settings-missing"
  | "start-failed";

export class InfraError extends Error {
  override readonly name = "InfraError";
  readonly code: InfraErrorCode;
  readonly retryable = false;

  constructor(code: InfraErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
