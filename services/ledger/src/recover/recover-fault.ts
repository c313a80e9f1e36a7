// Why a lane is not recovered: told to the operator, with the place in the log where there is one. Nothing
// has been written then.

export class RecoverFault extends Error {
  readonly code: string;
  readonly position: number | undefined;

  constructor(code: string, message: string, position?: number, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.position = position;
  }
}
