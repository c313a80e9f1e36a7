// An error for the person at the terminal: what is wrong, and what to do about it.
import { AdapterRefusal, AdapterUnavailable, LogReadError } from "@sealane/client";

export class CliError extends Error {
  readonly code: string;
  readonly action: string;

  constructor(code: string, message: string, action: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.action = action;
  }
}

/** What to tell about an error that is not a bug; undefined for a bug. */
export const explain = (error: unknown): { message: string; action: string } | undefined => {
  if (error instanceof CliError) return error;
  if (error instanceof AdapterRefusal) {
    const action = error.problem.action ?? "See the adapter's /v1/openapi.json.";
    return { message: `${error.message} (${error.code})`, action };
  }
  if (error instanceof AdapterUnavailable) {
    const action = "Look whether the system runs (`npm start`), then run the same command again.";
    return { message: error.message, action };
  }
  if (error instanceof LogReadError) return { message: error.message, action: "Is the ledger up?" };
  return undefined;
};

/** Runs a command; a known error becomes two lines on stderr and exit code 1. */
export const reporting = async (run: () => Promise<void>): Promise<void> => {
  try {
    await run();
  } catch (error) {
    const told = explain(error);
    if (told === undefined) throw error;
    process.stderr.write(`error: ${told.message}\n       ${told.action}\n`);
    process.exitCode = 1;
  }
};
