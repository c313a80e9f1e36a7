// Results, kept case by case as they come: a run that was interrupted goes on where it stopped, and the
// table in the README is made from what is here.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CaseResult } from "./run-case.ts";

export type KeptResult = CaseResult & { readonly commit: string; readonly at: string };

const folder = join(import.meta.dirname, "results");
const fileOf = (name: string): string => join(folder, `${name}.json`);

/** The commit, with a mark when files differ from it. */
export const currentCommit = (): string => {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
    return git("describe", "--always", "--dirty=+", "--exclude=*");
  } catch {
    return "unknown";
  }
};

export const keepResult = (result: CaseResult): KeptResult => {
  mkdirSync(folder, { recursive: true });
  const kept = { ...result, commit: currentCommit(), at: new Date().toISOString() };
  writeFileSync(`${fileOf(result.name)}.new`, `${JSON.stringify(kept, undefined, 1)}\n`);
  renameSync(`${fileOf(result.name)}.new`, fileOf(result.name));
  return kept;
};

export const readResult = (name: string): KeptResult | undefined =>
  existsSync(fileOf(name))
    ? (JSON.parse(readFileSync(fileOf(name), "utf8")) as KeptResult)
    : undefined;
