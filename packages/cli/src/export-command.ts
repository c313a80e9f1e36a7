// `sealane export`: brings a log into a folder that `sealane audit` and others' verifiers read. Can be
// interrupted and run again: full tiles that are there stay.
import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readDefaults } from "./defaults.ts";
import { exportLog } from "./export-log.ts";
import { openLog } from "./log-source.ts";
import { out, outJson, running, startProgress } from "./output.ts";

type ExportFlags = {
  readonly out: string;
  readonly url?: string;
  readonly policy?: string;
  readonly json?: boolean;
};

const runExport = async (flags: ExportFlags): Promise<boolean> => {
  const defaults = readDefaults();
  const url = flags.url ?? defaults.log;
  if (url === undefined) {
    throw new CliError("log-missing", "which log?", "Give its URL: --url URL.");
  }
  const known = flags.policy ?? defaults.policy;
  const policy = known === undefined ? undefined : loadPolicy(known, defaults).policy;
  const progress = startProgress("export", "entries");
  const report = await exportLog({
    source: openLog(url),
    folder: flags.out,
    policy,
    onProgress: progress.to,
  }).finally(progress.end);
  if (flags.json === true) {
    outJson({ ok: true, folder: flags.out, ...report });
    return true;
  }
  const { origin, entries, keysEntries, files, kept } = report;
  out(`${origin}: ${entries} entries and ${keysEntries} of the key log, in ${flags.out}`);
  out(`  ${files} files, ${kept} of them were there already`);
  out(`Check it: npx sealane audit ${flags.out} --policy FILE`);
  return true;
};

/** Adds `export` to the program. */
export const registerExport = (program: Command): void => {
  program
    .command("export")
    .description("everything an auditor needs, in a folder")
    .requiredOption("--out <folder>", "where to put it")
    .option("--url <url>", "the log; default: the one of .sealane/cli.json")
    .option("--policy <file>", "check the checkpoints while at it")
    .option("--json", "print one JSON object")
    .action((flags: ExportFlags) => running(flags.json === true, () => runExport(flags)));
};
