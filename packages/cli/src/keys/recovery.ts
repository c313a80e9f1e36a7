// `sealane keys recovery` and `keys recover-root`: what becomes of a participant whose root key is lost. It
// agrees beforehand, under that key, to a waiting period; then two operators may announce another root in
// public view, and after the wait `keys root` makes it count. Who still has the old root withdraws it.
import type { ParticipantRecord } from "@sealane/protocol";
import type { Participant } from "@sealane/rules";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { running } from "../output.ts";
import { sayAndTell, type SayFlags } from "./finish.ts";
import { readSigningKey } from "./key-files.ts";
import { needState, type KeyLogFlags } from "./key-log-view.ts";
import { collect, operatorOption, rootOption, sayOptions } from "./options.ts";

/** @throws CliError `participant-unknown` */
export const needParticipant = async (name: string, flags: KeyLogFlags): Promise<Participant> => {
  const known = (await needState(flags)).participants.get(name);
  if (known !== undefined) return known;
  const action = "Name a participant of `sealane keys list`.";
  throw new CliError("participant-unknown", `there is no ${name}`, action);
};

/** A participant's record as it stands in the log, without what other statements have added to it. */
export const recordOf = (known: Participant): ParticipantRecord => {
  const { participant, roles, rootKey, currencies, exposure, caps, accounts, recovery } = known;
  return {
    participant,
    roles,
    rootKey,
    currencies,
    exposure,
    caps,
    ...(accounts === undefined ? {} : { accounts }),
    ...(recovery === undefined ? {} : { recovery }),
  };
};

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `72h`, `7d`, `600s`, or `never`. @throws CliError */
export const parseWait = (given: string): { readonly waitSeconds: number } | undefined => {
  if (given === "never") return undefined;
  const [, count, unit] = /^([1-9]\d{0,6})([smhd])$/.exec(given) ?? [];
  if (count === undefined || unit === undefined) {
    throw new CliError("wait-invalid", `${given} is no time to wait`, "Say 72h, 7d, or never.");
  }
  return { waitSeconds: Number(count) * (unitSeconds[unit] ?? 0) };
};

type RecoveryFlags = SayFlags & {
  readonly wait: string;
  readonly root: string;
  readonly operator: readonly string[];
};

const runRecovery = async (participant: string, flags: RecoveryFlags): Promise<boolean> => {
  const { recovery: _, ...record } = recordOf(await needParticipant(participant, flags));
  const agreed = parseWait(flags.wait);
  const body = agreed === undefined ? record : { ...record, recovery: agreed };
  return sayAndTell("participant", body, [flags.root, ...flags.operator], flags);
};

type RecoverFlags = SayFlags & {
  readonly new?: string;
  readonly withdraw?: boolean;
  readonly root?: string;
  readonly operator?: readonly string[];
  readonly reason: string;
};

const runRecover = async (participant: string, flags: RecoverFlags): Promise<boolean> => {
  const { nextRoot } = await needParticipant(participant, flags);
  const signers = [...(flags.operator ?? []), ...(flags.root === undefined ? [] : [flags.root])];
  const { reason } = flags;
  if (flags.withdraw === true) {
    const rootKey = nextRoot?.rootKey;
    if (rootKey === undefined) {
      const message = `no other root key of ${participant} is announced`;
      throw new CliError("not-registered", message, "Look at `sealane keys show`.");
    }
    const body = { participant, rootKey, withdrawn: true, reason };
    return sayAndTell("root-recovery", body, signers, flags);
  }
  if (flags.new === undefined) {
    throw new CliError("key-missing", "which root key?", "Give --new FILE, or --withdraw.");
  }
  const { vkey: rootKey } = await readSigningKey(flags.new);
  const body = { participant, rootKey, withdrawn: false, reason };
  return sayAndTell("root-recovery", body, [...signers, flags.new], flags);
};

/** Adds `recovery` and `recover-root` to `keys`. */
export const registerRecovery = (keys: Command): void => {
  operatorOption(rootOption(sayOptions(keys.command("recovery"))))
    .description("agree, while there is a root key, to its replacement should it be lost")
    .argument("<participant>")
    .requiredOption("--wait <time>", "how long it is announced first: 72h, 7d; never: not agreed")
    .action((participant: string, flags: RecoveryFlags) =>
      running(flags.json === true, () => runRecovery(participant, flags)),
    );
  sayOptions(keys.command("recover-root"))
    .description("announce a root key in the place of a lost one (two operators), or withdraw it")
    .argument("<participant>")
    .option("--new <file>", "the new root key; after the wait: sealane keys root, without --root")
    .option("--withdraw", "take it back: the root key in force signs, or two operators")
    .option("--root <file>", "the root key in force, to withdraw")
    .option("--operator <file>", "an operator's key; again for each", collect)
    .option("--reason <label>", "said in the log", "root-lost")
    .action((participant: string, flags: RecoverFlags) =>
      running(flags.json === true, () => runRecover(participant, flags)),
    );
};
