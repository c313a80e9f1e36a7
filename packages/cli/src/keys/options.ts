// The options that several `sealane keys` commands share.
import type { Command } from "commander";

/** For an option that may be given again. */
export const collect = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  value,
];

/** Where the key log is. */
export const logOptions = (command: Command): Command =>
  command
    .option("--policy <file>", "whom you trust: a C2SP tlog-policy")
    .option("--url <url>", "the lane's log; default: the one of .sealane/cli.json")
    .option("--keys <file>", "read a copy of the key log instead of the ledger's")
    .option("--json", "print one JSON object");

/** For commands that say something. */
export const sayOptions = (command: Command): Command =>
  logOptions(command).option("--out <file>", "write the statement there instead of sending it");

export const rootOption = (command: Command): Command =>
  command.requiredOption("--root <file>", "the participant's root key");

export const operatorOption = (command: Command): Command =>
  command.requiredOption("--operator <file>", "an operator's key; again for each", collect);
