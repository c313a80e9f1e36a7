// What Node makes of our sources when it loads them (types taken out, code compiled) is kept for the next
// start, which then takes a third of the time; each thread of an audit starts so too. Beside what npm
// installed, not where others may write: what lies there is run. Where it cannot be written, nothing is kept.
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

/** To be called before the modules that are worth keeping are imported. */
export const useCompileCache = (): void => {
  const beside = new URL("../../../node_modules/.cache/sealane-cli", import.meta.url);
  enableCompileCache(fileURLToPath(beside));
};
