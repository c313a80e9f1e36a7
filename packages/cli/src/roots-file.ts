// The root keys that an auditor pinned: a line `participant verifier-key` each, `#` begins a comment.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PinnedRoots } from "@sealane/rules";
import { fromUtf8, parseVerifierKey, TlogError } from "@sealane/tlog";
import { CliError } from "./cli-error.ts";
import { readBytes } from "./defaults.ts";

const malformed = (line: string): CliError => {
  const action = "Give one `participant verifier-key` a line, each participant once.";
  return new CliError("roots-malformed", `not a pinned root key: ${line}`, action);
};

const isVerifierKey = (text: string): boolean => {
  try {
    parseVerifierKey(text);
    return true;
  } catch (error) {
    if (error instanceof TlogError) return false;
    throw error;
  }
};

/** @throws CliError `roots-malformed` */
export const parseRoots = (text: string): PinnedRoots => {
  const roots = new Map<string, string>();
  for (const line of text.split("\n")) {
    const said = line.trim();
    if (said === "" || said.startsWith("#")) continue;
    const [participant = "", root = "", ...more] = said.split(/\s+/);
    if (more.length > 0 || roots.has(participant) || !isVerifierKey(root)) throw malformed(line);
    roots.set(participant, root);
  }
  return roots;
};

/** The file that was given, or `roots` beside the policy when it is there. @throws CliError */
export const loadRoots = (
  given: string | undefined,
  policyPath: string,
): PinnedRoots | undefined => {
  const path = given ?? join(dirname(policyPath), "roots");
  if (given === undefined && !existsSync(path)) return undefined;
  return parseRoots(fromUtf8(readBytes(path, "the pinned root keys")));
};
