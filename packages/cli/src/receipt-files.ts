// Receipts on disk, and beside them what it takes to verify them offline.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keepForVerifying, LogReadError, logUrlOf } from "@sealane/client";
import { parsePolicy } from "@sealane/tlog";
import type { CliConfig } from "./cli-config.ts";

export const receiptPath = (config: CliConfig, transferId: string): string =>
  join(config.receipts, `${transferId}.tlog-proof`);

/** Writes a file whole or not at all. */
export const writeWhole = (path: string, text: string | Uint8Array): void => {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
};

/** URL of the log that an entry is of. */
export const logOf = (config: CliConfig, entry: string): string =>
  logUrlOf(parsePolicy(readFileSync(config.policy, "utf8")), entry) ?? config.log;

/** Brings the copy of the key log up to what an entry cites; tells when it could not. */
export const keepKeys = async (config: CliConfig, entry: string): Promise<void> => {
  const logUrl = logOf(config, entry);
  const options = { path: config.keylog, logUrl, ratesUrl: config.rates, entry };
  try {
    if (await keepForVerifying(options)) return;
    process.stderr.write("warning: the rate sheet of this receipt was not found in the log\n");
  } catch (error) {
    if (!(error instanceof LogReadError)) throw error;
    process.stderr.write(`warning: ${config.keylog} is not up to date: ${error.message}\n`);
  }
};
