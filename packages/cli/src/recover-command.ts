// `sealane recover`: for the operator whose ledger refuses to sign, because its database was lost or
// restored from an old copy. Starts the ledger's own program with the ledger's own settings (who may
// write those tables is the ledger alone), and tells what it does.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseEnv } from "node:util";
import type { Command } from "commander";
import { findHome } from "./cli-config.ts";
import { CliError } from "./cli-error.ts";
import { out, running } from "./output.ts";

type Flags = {
  readonly from: readonly string[];
  readonly settings?: string;
  readonly token?: string;
  readonly lane?: string;
  readonly json?: boolean;
};

type Line = { readonly event: string } & Readonly<Record<string, unknown>>;

const room = ["..", "..", "..", "services", "ledger"];
const program = join(import.meta.dirname, ...room, "src", "recover", "main.ts");

const localSettings = (): string | undefined => {
  try {
    const path = join(findHome(process.cwd(), process.env), "state", "ledger.env");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
};

/** What is in our own environment wins: in a container of the ledger all of it is there. */
const environment = ({ settings }: Flags): NodeJS.ProcessEnv => {
  const path = settings ?? localSettings();
  if (path === undefined) return process.env;
  try {
    return { ...parseEnv(readFileSync(path, "utf8")), ...process.env };
  } catch (cause) {
    const action = "Give the ledger's settings, NAME=value lines: --settings FILE.";
    throw new CliError("settings-unreadable", `${path} cannot be read`, action, cause);
  }
};

const show = ({ event, ...said }: Line): void => {
  const say = (name: string): string => String(said[name]);
  switch (event) {
    case "audited":
      out(`${say("place")}: ${say("entries")} entries, all of it stands`);
      return;
    case "witnesses":
      out(`${say("answered")} witnesses answered; one has seen ${say("witnessed")} entries`);
      return;
    case "verified":
      out(`${say("entries")} entries are at hand, every one verified; root ${say("root")}`);
      return;
    case "waiting":
      out(`${say("open")} transfers were open: they expire within ${say("seconds")} s`);
      return;
    case "recovered":
      if (said["changed"] === false) {
        out(`Nothing to recover: the database has all ${say("entries")} entries.`);
        return;
      }
      out(`Recovered ${say("origin")}: ${say("entries")} entries, ${say("before")} before.`);
      out(`  ${say("open")} open transfers end as expired. Intents that were sent before now and`);
      out(`  have no entry are refused (topic offsets below ${say("recoveredTo")}).`);
      out("Start the ledger.");
      return;
    default:
      out(`Not recovered, and nothing was changed: ${say("detail")} (${say("code")}).`);
  }
};

const asLine = (text: string): Line | undefined => {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
};

const runRecover = async (flags: Flags): Promise<boolean> => {
  if (!existsSync(program)) {
    const action = "Run it where the ledger is installed.";
    throw new CliError("ledger-missing", `${program} is not there`, action);
  }
  const args = flags.from.flatMap((place) => ["--from", place]);
  if (flags.token !== undefined) args.push("--token", flags.token);
  if (flags.lane !== undefined) args.push("--lane", flags.lane);
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", program, ...args],
    {
      env: environment(flags),
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  for await (const text of createInterface({ input: child.stdout })) {
    const line = asLine(text);
    if (flags.json === true || line === undefined) out(text);
    else show(line);
  }
  return (await ended) === 0;
};

/** Adds `recover` to the program. */
export const registerRecover = (commands: Command): void => {
  const collect = (place: string, places: readonly string[]): string[] => [...places, place];
  commands
    .command("recover")
    .description(
      "for operators: rebuild a ledger that is behind its witnesses from what was published",
    )
    .option(
      "--from <place>",
      "folder of an export, URL of another copy of the log, or a participant's file; may be repeated",
      collect,
      [],
    )
    .option("--token <file>", "an auditor's token, where a log's entries are not open")
    .option("--lane <n>", "which lane, where the ledger has several; one at a time")
    .option(
      "--settings <file>",
      "the ledger's settings; default: the environment, or the local stack's",
    )
    .option("--json", "print JSON lines; the last one is the result")
    .action((flags: Flags) => running(flags.json === true, () => runRecover(flags)));
};
