// What Node makes of our sources when it loads them (types taken out, code compiled) is kept for the next
// start, which then takes a third of the time; each thread of an audit starts so too. In a folder of the
// user's own, not in /tmp: what lies there is run. Where it cannot be written, nothing is kept.
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/** To be called before the modules that are worth keeping are imported. */
export const useCompileCache = (): void => {
  const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  enableCompileCache(join(caches, "sealane", "compiled"));
};
