// `sealane keys root` and `keys ledger`: replacing the keys above the others. A participant's root by its
// old and new one and an operator, or, when the old one is lost, as `recovery.ts` says; operators and the
// entry key by two operators in force and everyone who is new.
import type { LedgerRecord } from "@sealane/protocol";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { running } from "../output.ts";
import { sayAndTell, type SayFlags } from "./finish.ts";
import { readSigningKey } from "./key-files.ts";
import { needState } from "./key-log-view.ts";
import { collect, operatorOption, sayOptions } from "./options.ts";
import { needParticipant, recordOf } from "./recovery.ts";

type RootFlags = SayFlags & {
  readonly new: string;
  readonly root?: string;
  readonly operator: readonly string[];
};

const runRoot = async (participant: string, flags: RootFlags): Promise<boolean> => {
  const known = await needParticipant(participant, flags);
  const { vkey: rootKey } = await readSigningKey(flags.new);
  const record = { ...recordOf(known), rootKey };
  const old = flags.root === undefined ? [] : [flags.root];
  return sayAndTell("participant", record, [...old, flags.new, ...flags.operator], flags);
};

type LedgerFlags = SayFlags & {
  readonly operator: readonly string[];
  readonly entryKey?: string;
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
};

/** A verifier key as it was written, or the public half of a key file. */
const vkeyOf = async (given: string): Promise<string> =>
  given.split("+").length >= 3 ? given : (await readSigningKey(given)).vkey;

const nameOf = (vkey: string): string => vkey.split("+")[0] ?? vkey;

/** The record in force, changed. @throws CliError */
export const nextLedger = (
  now: LedgerRecord | undefined,
  changes: {
    readonly entryKey?: string | undefined;
    readonly add: readonly string[];
    readonly remove: readonly string[];
  },
): LedgerRecord => {
  if (now === undefined) {
    const action = "Look at `sealane keys list`.";
    throw new CliError("not-registered", "the key log names no ledger yet", action);
  }
  const stray = changes.remove.find((name) => !now.operators.map(nameOf).includes(name));
  if (stray !== undefined) {
    const names = now.operators.map(nameOf).join(", ");
    throw new CliError("not-registered", `${stray} is no operator`, `Choose one of ${names}.`);
  }
  const kept = now.operators.filter((vkey) => !changes.remove.includes(nameOf(vkey)));
  const operators = [...kept, ...changes.add];
  if (operators.length < 2) {
    const action = "Add another with --add FILE.";
    throw new CliError("operators-too-few", "a ledger has at least two operators", action);
  }
  return { operator: now.operator, entryKey: changes.entryKey ?? now.entryKey, operators };
};

const runLedger = async (flags: LedgerFlags): Promise<boolean> => {
  const { entryKey, add = [], remove = [] } = flags;
  const record = nextLedger((await needState(flags)).ledger, {
    entryKey: entryKey === undefined ? undefined : await vkeyOf(entryKey),
    add: await Promise.all(add.map(vkeyOf)),
    remove,
  });
  const newcomers = add.filter((given) => given.split("+").length < 3);
  return sayAndTell("ledger", record, [...flags.operator, ...newcomers], flags);
};

/** Adds `root` and `ledger` to `keys`. */
export const registerAuthority = (keys: Command): void => {
  operatorOption(sayOptions(keys.command("root")))
    .description("another root key for a participant: signed by the old one, the new, an operator")
    .argument("<participant>")
    .requiredOption("--new <file>", "the new root key")
    .option("--root <file>", "the old one; without it: lost, announced, two operators sign")
    .action((participant: string, flags: RootFlags) =>
      running(flags.json === true, () => runRoot(participant, flags)),
    );
  operatorOption(sayOptions(keys.command("ledger")))
    .description("other operators or another entry key: two operators sign, and each that is new")
    .option("--entry-key <key>", "key file or verifier key; the ledger starts again with its file")
    .option("--add <key>", "a new operator's key file, or verifier key; again for each", collect)
    .option("--remove <name>", "an operator that is one no more; again for each", collect)
    .action((flags: LedgerFlags) => running(flags.json === true, () => runLedger(flags)));
};
