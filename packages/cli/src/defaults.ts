// What `verify`, `audit` and `export` fall back on: `.sealane/cli.json`, where there is one. They work
// without it: an auditor has a policy and nothing else.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseStrictJson } from "@sealane/protocol";
import { parsePolicy, TlogError, type TlogPolicy } from "@sealane/tlog";
import { findHome } from "./cli-config.ts";
import { CliError } from "./cli-error.ts";

export type Defaults = {
  readonly log?: string | undefined;
  /** Of every lane, where there are several. */
  readonly logs?: readonly string[] | undefined;
  readonly reconciliation?: string | undefined;
  readonly policy?: string | undefined;
  readonly keylog?: string | undefined;
  /** A file: who one is at reconciliation's desk. */
  readonly staffToken?: string | undefined;
};

const none: Defaults = {};

/** Reads what there is; a missing file is no error. @throws CliError when it is malformed */
export const readDefaults = (
  cwd: string = process.cwd(),
  env: NodeJS.ProcessEnv = process.env,
): Defaults => {
  let path: string;
  let text: string;
  try {
    path = join(findHome(cwd, env), "cli.json");
    text = readFileSync(path, "utf8");
  } catch {
    return none;
  }
  const json = parseStrictJson(text);
  if (!json.ok || typeof json.value !== "object" || json.value === null) {
    throw new CliError("config-unreadable", `${path} is not a JSON object`, "Run `npm start`.");
  }
  const field = (name: string): string | undefined => {
    const value = (json.value as Record<string, unknown>)[name];
    return typeof value === "string" ? value : undefined;
  };
  const list = (name: string): string[] | undefined => {
    const value = (json.value as Record<string, unknown>)[name];
    return Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined;
  };
  const file = (name: string): string | undefined => {
    const value = field(name);
    return value === undefined ? undefined : resolve(dirname(path), value);
  };
  return {
    log: field("log"),
    logs: list("logs"),
    reconciliation: field("reconciliation"),
    policy: file("policy"),
    keylog: file("keylog"),
    staffToken: file("staffTokenFile"),
  };
};

/** Bytes of a file. @throws CliError */
export const readBytes = (path: string, what: string): Uint8Array => {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "is missing" : "is unreadable";
    throw new CliError("file-unreadable", `${what} ${path} ${reason}`, "Check the path.", cause);
  }
};

export type LoadedPolicy = { readonly path: string; readonly policy: TlogPolicy };

/** The policy that was asked for, or the default one. @throws CliError */
export const loadPolicy = (given: string | undefined, defaults: Defaults): LoadedPolicy => {
  const path = given ?? defaults.policy;
  if (path === undefined) {
    const action = "Give the file that you pinned: --policy FILE.";
    throw new CliError("policy-missing", "whom do you trust? There is no policy", action);
  }
  const bytes = readBytes(path, "the policy");
  try {
    return { path, policy: parsePolicy(Buffer.from(bytes).toString("utf8")) };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    const action = "A policy is a C2SP tlog-policy: log, witness, group and quorum lines.";
    throw new CliError("policy-malformed", `${path}: ${error.message}`, action, error);
  }
};
