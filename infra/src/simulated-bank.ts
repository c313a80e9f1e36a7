// The simulated settlement bank of a local stack: its settings, with the accounts and the key of the stack's
// world, and starting it in this process. It is no part of `npm start`; demos and tests start it.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { noteSigner } from "@sealane/client";
import type { RunningBank } from "@sealane/simulator";
import type { Home } from "./home.ts";
import { bank, demoWorld, origin, type World } from "./world.ts";

const tokenAt = (home: Home): string => {
  const path = home.keys("bank", "operator.token");
  if (!existsSync(path)) {
    writeFileSync(path, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  }
  return path;
};

/** Writes `bank.json` for `packages/simulator/src/bank/main.ts`. @returns its path */
export const writeBankSettings = (
  home: Home,
  port: number,
  { bankAccounts }: World = demoWorld,
): string => {
  const settings = {
    bank,
    port,
    tokenFile: tokenAt(home),
    directory: home.path("bank"),
    accounts: bankAccounts,
    signing: { keyFile: home.keys("bank", "statements.key"), origin },
  };
  const path = home.path("bank.json");
  writeFileSync(path, `${JSON.stringify(settings, undefined, 2)}\n`);
  return path;
};

/** Starts the bank in this process, on a port that the system chooses unless told. */
export const startStackBank = async (
  home: Home,
  port = 0,
  { bankAccounts }: World = demoWorld,
): Promise<RunningBank> => {
  // Only when asked for: the schemas' validator takes its time to load.
  const { startBank } = await import("@sealane/simulator");
  const directory = home.path("bank");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const signer = noteSigner(readFileSync(home.keys("bank", "statements.key"), "utf8"));
  const token = readFileSync(tokenAt(home), "utf8").trim();
  const signing = { signer, origin };
  return startBank({ bank, port, token, directory, accounts: bankAccounts, signing });
};
