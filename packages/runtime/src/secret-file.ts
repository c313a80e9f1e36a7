// Secrets come as paths of files, never as values of the environment, and a file that others on the
// machine can read is refused: a leaked key is worse than a service that does not start.
import { readFileSync, statSync } from "node:fs";
import { OperationalError } from "./errors.ts";

const OTHERS = 0o077;

/**
 * The trimmed text of a secret file. Throws an OperationalError: `secret-missing`,
 * `secret-exposed` (group or others have any right on it) or `secret-empty`.
 */
export function readSecretFile(path: string): string {
  const mode = modeOf(path);
  if ((mode & OTHERS) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, "0");
    throw fault("secret-exposed", `${path} is open to others (mode ${octal}): chmod 600 it`);
  }
  const text = readFileSync(path, "utf8").trim();
  if (text === "") throw fault("secret-empty", `${path} is empty: write the secret into it`);
  return text;
}

function modeOf(path: string): number {
  try {
    return statSync(path).mode;
  } catch (cause) {
    throw fault("secret-missing", `${path} cannot be read: create it with mode 600`, cause);
  }
}

function fault(code: string, message: string, cause?: unknown): OperationalError {
  return new OperationalError(code, message, { retryable: false, cause });
}
