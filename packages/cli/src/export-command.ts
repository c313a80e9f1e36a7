// `sealane export`: brings a log into a folder that `sealane audit` and others' verifiers read. Can be
// interrupted and run again: full tiles that are there stay. With `--participant` it is one provider's
// own entries instead, in one file that proves that none is missing.
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { clientOf, participantOf, readCliConfig } from "./cli-config.ts";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readBytes, readDefaults, type Defaults } from "./defaults.ts";
import { exportLog } from "./export-log.ts";
import { exportParticipant } from "./export-participant.ts";
import { laneFolder, originAt, placesOf } from "./lane-places.ts";
import { openLog } from "./log-source.ts";
import { out, outJson, running, startProgress } from "./output.ts";
import { writeWhole } from "./receipt-files.ts";
import { chainSentence } from "./show-bundle.ts";

type ExportFlags = {
  readonly out: string;
  readonly url?: string;
  readonly policy?: string;
  readonly token?: string;
  readonly participant?: string;
  readonly statement?: boolean;
  readonly json?: boolean;
};

/** A token from a file. @throws CliError */
export const readToken = (path: string): string =>
  Buffer.from(readBytes(path, "the token")).toString("utf8").trim();

const logUrl = ({ url }: ExportFlags, known: string | undefined): string => {
  const found = url ?? known;
  if (found !== undefined) return found;
  throw new CliError("log-missing", "which log?", "Give its URL: --url URL.");
};

const runExport = async (flags: ExportFlags): Promise<boolean> => {
  const defaults = readDefaults();
  const places = placesOf(flags.url, defaults);
  const token = flags.token === undefined ? undefined : readToken(flags.token);
  for (const url of places) {
    const several = places.length > 1;
    const folder = several ? laneFolder(flags.out, await originAt(url, token)) : flags.out;
    await exportOneLog(flags, defaults, { url, token, folder });
  }
  if (flags.json !== true) out(`Check it: npx sealane audit ${flags.out} --policy FILE`);
  return true;
};

type OneLog = { readonly url: string; readonly token: string | undefined; readonly folder: string };

const exportOneLog = async (
  flags: ExportFlags,
  defaults: Defaults,
  { url, token, folder }: OneLog,
): Promise<void> => {
  const known = flags.policy ?? defaults.policy;
  const policy = known === undefined ? undefined : loadPolicy(known, defaults).policy;
  const progress = startProgress("export", "entries");
  const report = await exportLog({
    source: openLog(url, token),
    folder,
    policy,
    onProgress: progress.to,
  }).finally(progress.end);
  if (flags.json === true) {
    outJson({ ok: true, folder, ...report });
    return;
  }
  const { origin, entries, keysEntries, files, kept } = report;
  out(`${origin}: ${entries} entries and ${keysEntries} of the key log, in ${folder}`);
  out(`  ${files} files, ${kept} of them were there already`);
};

/** Who exports, and the token by which the ledger knows it. @throws CliError */
const whoExports = (name: string, flags: ExportFlags) => {
  const config = readCliConfig();
  const participant = participantOf(config, name);
  const file = flags.token ?? participant.ledgerTokenFile;
  if (file === undefined) {
    const message = `there is no token of ${name} for the ledger`;
    throw new CliError("token-unreadable", message, "Give its file: --token FILE.");
  }
  try {
    return { config, participant, token: readFileSync(file, "utf8").trim() };
  } catch (cause) {
    const action = "Run as the user who holds that provider's tokens.";
    throw new CliError("token-unreadable", `${file} cannot be read`, action, cause);
  }
};

const sealWaitSeconds = 20;

const runExportParticipant = async (name: string, flags: ExportFlags): Promise<boolean> => {
  const { config, participant, token } = whoExports(name, flags);
  const { policy } = loadPolicy(flags.policy, readDefaults());
  if (flags.statement === true) {
    await clientOf(participant).state({ waitSeconds: sealWaitSeconds });
  }
  const progress = startProgress("export", "places");
  const { text, verdict } = await exportParticipant({
    participant: participant.id,
    log: logUrl(flags, config.log),
    token,
    policy,
    onProgress: progress.to,
  }).finally(progress.end);
  writeWhole(flags.out, text);
  const { chain } = verdict;
  if (flags.json === true) outJson({ ok: true, file: flags.out, chain });
  else {
    if (chain !== undefined) out(chainSentence(chain));
    out(`Check it: npx sealane verify ${flags.out} --policy FILE`);
  }
  return true;
};

/** Adds `export` to the program. */
export const registerExport = (program: Command): void => {
  program
    .command("export")
    .description("everything an auditor needs, in a folder; or one participant's own, in a file")
    .requiredOption("--out <path>", "where to put it: a folder, with --participant a file")
    .option("--participant <name>", "only this provider's entries, all of them, with proofs")
    .option("--statement", "with --participant: have the provider sign first that this is all")
    .option("--url <url>", "the log; default: those of .sealane/cli.json, each lane's in a folder")
    .option("--token <file>", "an auditor's token, or that participant's, for the ledger")
    .option("--policy <file>", "check the checkpoints while at it")
    .option("--json", "print one JSON object")
    .action((flags: ExportFlags) =>
      running(flags.json === true, () =>
        flags.participant === undefined
          ? runExport(flags)
          : runExportParticipant(flags.participant, flags),
      ),
    );
};
