// Who the command line may act for, and where things lie: `.sealane/cli.json`, found from the working
// directory upwards, or in SEALANE_HOME. Paths in it are relative to it.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { adapterClient, defaultRetry, type AdapterClient, type RetryPolicy } from "@sealane/client";
import { CliError } from "./cli-error.ts";

export type CliParticipant = {
  /** As on the command line: `hk-wallet`. */
  readonly name: string;
  /** As in the ledger: `hk-wallet.example`. */
  readonly id: string;
  readonly url: string;
  readonly tokenFile: string;
  /** By which the ledger knows the participant, to read its own entries. */
  readonly ledgerTokenFile?: string;
  readonly currency: string;
  /** The first account is the prefix and 0000001. */
  readonly accountPrefix: string;
};

export type CliConfig = {
  readonly participants: readonly CliParticipant[];
  /** URL of the lane's log. */
  readonly log: string;
  /** Of every lane, where there are several; each ends with `/log`. */
  readonly logs: readonly string[];
  /** URL of the liquidity provider's door, if there is one. */
  readonly rates: string | undefined;
  readonly policy: string;
  readonly keylog: string;
  readonly receipts: string;
};

type Raw = Partial<Record<"log" | "rates" | "policy" | "keylog" | "receipts", string>> & {
  readonly logs?: readonly string[];
  readonly participants?: Readonly<Record<string, Omit<CliParticipant, "name">>>;
};

/** The folder that holds `cli.json`. @throws CliError when there is none */
export const findHome = (cwd: string, env: NodeJS.ProcessEnv): string => {
  const given = env["SEALANE_HOME"];
  if (given !== undefined && given !== "") return resolve(cwd, given);
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    if (existsSync(join(dir, ".sealane", "cli.json"))) return join(dir, ".sealane");
    if (dirname(dir) === dir) break;
  }
  throw new CliError(
    "home-missing",
    `no .sealane/cli.json from ${cwd} upwards`,
    "Run `npm start` first, or set SEALANE_HOME to the folder that holds cli.json.",
  );
};

/** Reads and resolves the file. @throws CliError */
export const readCliConfig = (
  cwd: string = process.cwd(),
  env: NodeJS.ProcessEnv = process.env,
): CliConfig => {
  const home = findHome(cwd, env);
  const path = join(home, "cli.json");
  let raw: Raw;
  try {
    raw = JSON.parse(readFileSync(path, "utf8")) as Raw;
  } catch (cause) {
    throw new CliError("config-unreadable", `${path} cannot be read`, "Run `npm start`.", cause);
  }
  if (raw.participants === undefined || raw.log === undefined) {
    throw new CliError(
      "config-incomplete",
      `${path} names no participants or no log`,
      "Run `npm start`.",
    );
  }
  return {
    participants: Object.entries(raw.participants).map(([name, participant]) => {
      const { tokenFile, ledgerTokenFile } = participant;
      return {
        ...participant,
        name,
        tokenFile: resolve(home, tokenFile),
        ...(ledgerTokenFile === undefined
          ? {}
          : { ledgerTokenFile: resolve(home, ledgerTokenFile) }),
      };
    }),
    log: raw.log,
    logs: raw.logs ?? [raw.log],
    rates: raw.rates,
    policy: resolve(home, raw.policy ?? "trust.policy"),
    keylog: resolve(home, raw.keylog ?? "keylog"),
    receipts: resolve(home, raw.receipts ?? "receipts"),
  };
};

/** A participant by its short name or its id. @throws CliError that names those there are */
export const participantOf = (config: CliConfig, name: string): CliParticipant => {
  const found = config.participants.find((one) => one.name === name || one.id === name);
  if (found !== undefined) return found;
  const names = config.participants.map((one) => one.name).join(", ");
  throw new CliError(
    "participant-unknown",
    `there is no participant ${name}`,
    `Choose one of ${names}.`,
  );
};

/** A client for a participant's adapter. @throws CliError when its token cannot be read */
export const clientOf = (
  { url, tokenFile, name }: CliParticipant,
  retry: RetryPolicy = defaultRetry,
): AdapterClient => {
  try {
    return adapterClient({ baseUrl: url, token: readFileSync(tokenFile, "utf8").trim(), retry });
  } catch (cause) {
    const message = `the token of ${name} cannot be read from ${tokenFile}`;
    throw new CliError(
      "token-unreadable",
      message,
      "Run as the user who started the system.",
      cause,
    );
  }
};

export const firstAccount = ({ accountPrefix }: CliParticipant): string =>
  `${accountPrefix}0000001`;
