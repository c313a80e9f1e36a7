// What Node makes of our sources when it loads them (types taken out, code compiled) is kept for the next
// start, which then takes a third of the time; each thread of an audit starts so too. In a folder of the
// user's own, not in /tmp: what lies there is run. Where it cannot be made, nothing is kept.
import { mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const exists = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "EEXIST";

/** To be called before the modules that are worth keeping are imported. */
export const useCompileCache = (): void => {
  let folder = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  // One after the other: where nothing can be made, such as below /proc, Node's own recursion never ends.
  for (const path of [folder, join(folder, "sealane"), join(folder, "sealane", "compiled")]) {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (!exists(error)) return;
    }
    folder = path;
  }
  enableCompileCache(folder);
};
