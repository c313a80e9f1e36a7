// `sealane keys log-key`: another key for a log's checkpoints. Two operators and the new key sign, the old
// one too where there still is one. What the old key signed goes on counting, so a policy keeps its line
// and gets one more: the command prints it, since nobody else's policy changes by itself.
import type { LogKeyRecord } from "@sealane/protocol";
import type { Command } from "commander";
import { out, running } from "../output.ts";
import { say, tell, type SayFlags } from "./finish.ts";
import { readSigningKey } from "./key-files.ts";
import { operatorOption, sayOptions } from "./options.ts";

type LogKeyFlags = SayFlags & {
  readonly new: string;
  readonly old?: string;
  readonly operator: readonly string[];
  readonly reason: string;
};

const run = async (flags: LogKeyFlags): Promise<boolean> => {
  const { name: log, vkey } = await readSigningKey(flags.new);
  const record: LogKeyRecord = { log, vkey, reason: flags.reason };
  const old = flags.old === undefined ? [] : [flags.old];
  const said = await say("log-key", record, [...flags.operator, flags.new, ...old], flags);
  const done = tell(said, flags.json);
  if (flags.json !== true) {
    out("Every policy needs this line from now on, beside the old one:");
    out(`  log ${vkey}`);
  }
  return done;
};

/** Adds `log-key` to `keys`. */
export const registerLogKey = (keys: Command): void => {
  operatorOption(sayOptions(keys.command("log-key")))
    .description(
      "another key for a log's checkpoints, named as its log: two operators, the new key",
    )
    .requiredOption("--new <file>", "the new key; its name is the log's: sealane.example/keys")
    .option("--old <file>", "the old key, where there still is one")
    .option("--reason <label>", "said in the log: rotated, lost, stolen", "rotated")
    .action((flags: LogKeyFlags) => running(flags.json === true, () => run(flags)));
};
