// `sealane keys …`: what participants and operators say in the key log. Keys are files; each command
// signs with those it is given, and sends the statement or, with --out, writes it for the next signer.
import { isAmount, keysInForce, type KeyPurpose } from "@sealane/rules";
import { generateEnvelopeKey, generateKeyFile, KEY_TYPE, readEnvelopeKey } from "@sealane/signer";
import { toBase64 } from "@sealane/tlog";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { out, outJson, running } from "../output.ts";
import { registerAuthority } from "./authority.ts";
import { sayAndTell, type SayFlags } from "./finish.ts";
import { readSigningKey, withKeyFaults } from "./key-files.ts";
import { findKeyLog, stateAtHand } from "./key-log-view.ts";
import { registerKeyViews } from "./list.ts";
import { registerLogKey } from "./log-key.ts";
import { collect, operatorOption, rootOption, sayOptions } from "./options.ts";
import { registerRecovery } from "./recovery.ts";
import { rotate, type RotateFlags } from "./rotate.ts";
import { registerSlots } from "./slots.ts";
import { registerSteps } from "./steps.ts";
import { registerToken } from "./token.ts";

type Flags = SayFlags & {
  readonly root: string;
  readonly operator: readonly string[];
  readonly reason: string;
};

const registerGenerate = (keys: Command): void => {
  keys
    .command("generate")
    .description("make a key file (mode 0600), never over another; prints the public half")
    .argument("<file>", "such as keys/hk-wallet/transfer-2.key, beside transfer.key")
    .option("--name <name>", "below its owner: hk-wallet.example/k2")
    .option("--type <type>", "signing, witness or envelope", "signing")
    .option("--json", "print one JSON object")
    .action((file: string, flags: { name?: string; type: string; json?: boolean }) =>
      running(flags.json === true, () =>
        withKeyFaults(async () => {
          const { name, type } = flags;
          const said = await generate(file, type, name);
          if (flags.json === true) outJson({ ok: true, file, ...said });
          else out(Object.values(said).join("\n"));
          return true;
        }),
      ),
    );
};

const generate = async (
  file: string,
  type: string,
  name: string | undefined,
): Promise<{ readonly vkey: string } | { readonly x25519: string }> => {
  if (type === "envelope") {
    return { x25519: toBase64((await generateEnvelopeKey(file)).publicKey) };
  }
  if (type !== "signing" && type !== "witness") {
    const action = "Choose signing, witness or envelope.";
    throw new CliError("type-unknown", `${type} is no type of key`, action);
  }
  if (name === undefined) {
    throw new CliError("name-missing", "whose key is it?", "Give --name, such as hk.example/k2.");
  }
  const keyType = type === "witness" ? KEY_TYPE.cosignature : KEY_TYPE.ed25519;
  return { vkey: (await generateKeyFile(file, name, keyType)).vkey };
};

const runRegister = async (
  participant: string,
  flags: Flags & { readonly key: string; readonly purpose: string },
): Promise<boolean> => {
  const { purpose } = flags;
  if (purpose === "envelope") {
    const { publicKey } = await withKeyFaults(() => readEnvelopeKey(flags.key));
    const body = { participant, purpose, x25519: toBase64(publicKey) };
    return sayAndTell("key", body, [flags.root], flags);
  }
  const { vkey } = await readSigningKey(flags.key);
  // The key signs for itself: whoever registers it has it.
  return sayAndTell("key", { participant, purpose, vkey }, [flags.root, flags.key], flags);
};

const registerRegister = (keys: Command): void => {
  rootOption(sayOptions(keys.command("register")))
    .description("a new key of a participant: signed by its root key, and by itself")
    .argument("<participant>")
    .requiredOption("--key <file>", "the new key")
    .option("--purpose <purpose>", "transfer, rate-sheet or envelope", "transfer")
    .action((participant: string, flags: Flags & { key: string; purpose: string }) =>
      running(flags.json === true, () => runRegister(participant, flags)),
    );
};

const registerRotate = (keys: Command): void => {
  rootOption(sayOptions(keys.command("rotate")))
    .description("a new key beside the old one for a while, then the old one ends")
    .argument("<participant>")
    .requiredOption("--new <file>", "the new key: a sibling such as transfer-2.key is picked up")
    .option("--old <name>", "which key ends; default: the only one in force")
    .option("--purpose <purpose>", "transfer or rate-sheet", "transfer")
    .option("--overlap <time>", "how long both count; no terms live longer than 300s", "300s")
    .option("--reason <label>", "said in the log", "rotated")
    .action((participant: string, flags: RotateFlags) =>
      running(flags.json === true, async () => {
        const steps = await rotate(participant, flags);
        if (flags.json === true) outJson({ ok: true, steps });
        else for (const { kind, seq, file } of steps) out(`${kind}: ${file ?? `entry ${seq}`}`);
        return true;
      }),
    );
};

const runRevoke = async (
  participant: string,
  flags: Flags & { readonly key: string },
): Promise<boolean> => {
  const state = await stateAtHand(findKeyLog(flags));
  const purposes: readonly KeyPurpose[] = ["transfer", "rate-sheet"];
  const found = purposes
    .flatMap((purpose) => (state === undefined ? [] : keysInForce(state, participant, purpose)))
    .find(({ key, vkey }) => key.name === flags.key || vkey === flags.key);
  const vkey = found?.vkey ?? (flags.key.includes("+") ? flags.key : undefined);
  if (vkey === undefined) {
    const message = `${participant} has no key ${flags.key} in force`;
    throw new CliError("not-registered", message, "See sealane keys list; offline give its vkey.");
  }
  const body = { participant, vkey, reason: flags.reason };
  return sayAndTell("revocation", body, [flags.root], flags);
};

const registerRevoke = (keys: Command): void => {
  rootOption(sayOptions(keys.command("revoke")))
    .description("a key ends now: what is decided after that place counts it no more")
    .argument("<participant>")
    .requiredOption("--key <name>", "its name or verifier key")
    .option("--reason <label>", "said in the log", "revoked")
    .action((participant: string, flags: Flags & { key: string }) =>
      running(flags.json === true, () => runRevoke(participant, flags)),
    );
};

const registerSuspensions = (keys: Command): void => {
  const add = (name: string, suspended: boolean, what: string): void => {
    operatorOption(sayOptions(keys.command(name)))
      .description(what)
      .argument("<participant>")
      .option("--reason <label>", "said in the log", name)
      .action((participant: string, flags: Flags) =>
        running(flags.json === true, () => {
          const body = { participant, suspended, reason: flags.reason };
          return sayAndTell("suspension", body, flags.operator, flags);
        }),
      );
  };
  add("suspend", true, "one operator stops a participant, within 2 s");
  add("resume", false, "two operators let it go on: --out FILE, then keys cosign FILE --send");
};

/** `HKD 100000.00 2` @throws CliError */
export const parseThreshold = (text: string) => {
  const [currency = "", amount = "", count = "", ...more] = text.split(" ");
  if (more.length > 0 || !/^[1-9]\d?$/.test(count) || !isAmount(amount, currency)) {
    const action = 'Write currency, amount and count: --operators-from "HKD 100000.00 2".';
    throw new CliError("threshold-invalid", `"${text}" is no threshold`, action);
  }
  return { currency, amount, count: Number(count) };
};

const runPolicy = async (
  policy: string,
  flags: Flags & { readonly operatorsFrom?: readonly string[] },
): Promise<boolean> => {
  const operatorsFrom = (flags.operatorsFrom ?? []).map(parseThreshold);
  const state = await stateAtHand(findKeyLog(flags));
  const most = Math.max(0, ...operatorsFrom.map(({ count }) => count));
  if (state !== undefined && most > state.operatorKeys.length) {
    const message = `${most} operators can never sign: there are ${state.operatorKeys.length}`;
    throw new CliError("threshold-invalid", message, "Ask for fewer.");
  }
  if (flags.json !== true) {
    out("Whatever it says, verifiers hold the floor: payer and payee, each by a key of its own.");
    if (most > 0) {
      out("Adapters gather no operators' signatures yet: from that amount on terms are refused.");
    }
  }
  const body = { policy, kind: "transfer", operatorsFrom };
  return sayAndTell("policy", body, flags.operator, flags);
};

const registerPolicies = (keys: Command): void => {
  operatorOption(sayOptions(keys.command("policy")))
    .description("a policy that terms may cite: how many operators must sign from an amount on")
    .argument("<name>", "such as transfer-2")
    .option("--operators-from <threshold>", '"HKD 100000.00 2"; again for each', collect)
    .action((policy: string, flags: Flags & { operatorsFrom?: string[] }) =>
      running(flags.json === true, () => runPolicy(policy, flags)),
    );
  operatorOption(rootOption(sayOptions(keys.command("bind"))))
    .description("every transfer that a participant pays must cite this policy: its root agrees")
    .argument("<participant>")
    .argument("<policy>")
    .option("--reason <label>", "said in the log", "bound")
    .action((participant: string, policy: string, flags: Flags) =>
      running(flags.json === true, () => {
        const body = { participant, policy, reason: flags.reason };
        return sayAndTell("binding", body, [flags.root, ...flags.operator], flags);
      }),
    );
};

/** Adds `keys` to the program. */
export const registerKeys = (program: Command): void => {
  const keys = program
    .command("keys")
    .description("who signs what: read the key log, and say something in it");
  registerKeyViews(keys);
  registerGenerate(keys);
  registerRegister(keys);
  registerRotate(keys);
  registerRevoke(keys);
  registerSuspensions(keys);
  registerPolicies(keys);
  registerAuthority(keys);
  registerRecovery(keys);
  registerLogKey(keys);
  registerSlots(keys);
  registerSteps(keys);
  registerToken(keys);
};
