// Which logs this witness cosigns: a file with one verifier key a line. The key's name is the log's
// origin. Empty lines and lines that start with # are skipped.
import { readFile } from "node:fs/promises";
import { OperationalError } from "@sealane/runtime";
import { parseVerifierKey, TlogError } from "@sealane/tlog";
import type { WitnessLog } from "@sealane/witness";

/** Reads the file; throws an OperationalError that names the line that cannot be used. */
export async function readLogsFile(path: string): Promise<readonly WitnessLog[]> {
  const lines = (await readFile(path, "utf8")).split("\n").map((line) => line.trim());
  const logs = lines.flatMap((vkey, at) =>
    vkey === "" || vkey.startsWith("#") ? [] : [logOf(vkey, path, at + 1)],
  );
  if (logs.length === 0) throw unusable(`${path} names no log: write one verifier key a line`);
  return logs;
}

function logOf(vkey: string, path: string, line: number): WitnessLog {
  try {
    return { origin: parseVerifierKey(vkey).name, vkey };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw unusable(`${path}, line ${line}, is not a verifier key: ${error.message}`, error);
  }
}

function unusable(message: string, cause?: unknown): OperationalError {
  return new OperationalError("logs-file-unusable", message, { retryable: false, cause });
}
