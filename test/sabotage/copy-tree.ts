// A copy of the working tree to plant bugs in: the user's own is never touched. Files that git knows or
// would add; what is installed is linked, but for our own workspaces, which have to be those of the copy.
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export type TreeCopy = { readonly root: string; readonly remove: () => void };

const scope = "@sealane";

const filesOf = (root: string): string[] => {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 });
  return listed.split("\0").filter((file) => file !== "" && existsSync(join(root, file)));
};

/** `node_modules` as links, except for our own scope: those are links into the workspaces beside it. */
const linkInstalled = (from: string, to: string): void => {
  mkdirSync(join(to, scope), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== scope) symlinkSync(join(from, name), join(to, name));
  }
  const own = join(from, scope);
  for (const name of readdirSync(own)) {
    cpSync(join(own, name), join(to, scope, name), { recursive: true, verbatimSymlinks: true });
  }
};

export const copyTree = (root: string): TreeCopy => {
  const copy = mkdtempSync(join(tmpdir(), "sealane-sabotage-"));
  for (const file of filesOf(root)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true });
  }
  linkInstalled(join(root, "node_modules"), join(copy, "node_modules"));
  const jars = join(root, "infra", ".kafka");
  if (existsSync(jars)) symlinkSync(jars, join(copy, "infra", ".kafka"));
  return { root: copy, remove: () => rmSync(copy, { recursive: true, force: true }) };
};
