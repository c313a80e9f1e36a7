// `node infra/src/passwords.ts NAME=SHARED_FILE…`: makes each password once, keeps it in the world's
// folder, and hands a copy to the one server that mounts the shared file's folder. No password has a
// default, and none is in an environment.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InfraError } from "./infra-error.ts";

const write = (path: string, text: string, mode: number): void => {
  writeFileSync(`${path}.new`, text, { mode, flush: true });
  renameSync(`${path}.new`, path);
};

const home = process.env.SEALANE_HOME ?? "";
if (home === "") throw new InfraError("settings-missing", "SEALANE_HOME is not set");
const dir = join(home, "keys", "servers");
mkdirSync(dir, { recursive: true, mode: 0o700 });
for (const argument of process.argv.slice(2)) {
  const [name = "", shared = ""] = argument.split("=");
  const kept = join(dir, `${name}.password`);
  if (!existsSync(kept)) write(kept, randomBytes(24).toString("base64url"), 0o600);
  // Readable by that server's own user; nothing else mounts the folder.
  write(shared, readFileSync(kept, "utf8"), 0o444);
}
