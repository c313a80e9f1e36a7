// The generic steps of a key-log statement: proposed by one, signed by several, each on a machine of their
// own, sent by the last. Every other `sealane keys` command is a short way through them.
import { readFileSync } from "node:fs";
import { parseStrictJson } from "@sealane/protocol";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { running } from "../output.ts";
import { finish, finishAndTell, tell, type SayFlags } from "./finish.ts";
import { readProposal, readSigningKeys } from "./key-files.ts";
import { findKeyLog, stateAtHand } from "./key-log-view.ts";
import { collect, logOptions } from "./options.ts";
import { addLine, propose } from "./proposal.ts";

const readBodyFile = (path: string): unknown => {
  const json = parseStrictJson(readFileSync(path === "-" ? 0 : path, "utf8"));
  if (json.ok) return json.value;
  throw new CliError("body-invalid", `${path}: ${json.detail}`, "Give one JSON object.");
};

type SignFlags = SayFlags & { readonly key?: readonly string[]; readonly send?: boolean };

const runSign = async (file: string, flags: SignFlags): Promise<boolean> => {
  const keys = await readSigningKeys(flags.key ?? []);
  const signed = keys.reduce(addLine, readProposal(file));
  // Kept first: what was signed is not lost when it cannot be sent.
  const kept = await finish(signed, { ...flags, out: file });
  return flags.send === true ? finishAndTell(signed, flags) : tell(kept, flags.json);
};

const runPropose = async (kind: string, flags: SayFlags & { body: string }): Promise<boolean> => {
  const place = findKeyLog(flags);
  const state = await stateAtHand(place);
  return finishAndTell(propose(place.origin, kind, readBodyFile(flags.body), state), flags);
};

/** Adds `propose`, `sign` (`cosign`) and `submit` to `keys`. */
export const registerSteps = (keys: Command): void => {
  logOptions(keys.command("propose"))
    .description("write any statement, signed by nobody yet")
    .argument("<kind>", "key, revocation, suspension, policy, binding, participant, lanes, …")
    .requiredOption("--body <file>", "one JSON object; - reads standard input")
    .requiredOption("--out <file>", "where to write the statement")
    .action((kind: string, flags: SayFlags & { body: string }) =>
      running(flags.json === true, () => runPropose(kind, flags)),
    );
  logOptions(keys.command("sign"))
    .alias("cosign")
    .description("show a statement, and add a line to it; nothing else in it changes")
    .argument("<file>", "the statement")
    .option("--key <file>", "your key; again for each; without one it is only shown", collect)
    .option("--send", "send it, if it needs no other line")
    .action((file: string, flags: SignFlags) =>
      running(flags.json === true, () => runSign(file, flags)),
    );
  logOptions(keys.command("submit"))
    .description("send a signed statement; twice is harmless, a statement counts once")
    .argument("<file>", "the statement")
    .action((file: string, flags: SayFlags) =>
      running(flags.json === true, () => finishAndTell(readProposal(file), flags)),
    );
};
