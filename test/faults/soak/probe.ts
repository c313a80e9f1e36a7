// Loaded into every Node process of a soak (`--import` in NODE_OPTIONS; the product has no code for it):
// twice a minute a full collection, then what is still held, for the soak to read. Its own timer does not
// keep the process, and is not among the resources that Node counts.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";
import type { ProbeReport } from "./samples.ts";

const everyMs = 30_000;
const folder = process.env["SEALANE_SOAK_PROBES"];

const countsOf = (names: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

if (folder !== undefined && isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const file = join(folder, `${process.pid}.json`);
  const tell = (): void => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    const resources = countsOf(process.getActiveResourcesInfo());
    const report: ProbeReport = { atMs: Date.now(), heapBytes: heapUsed, external, resources };
    writeFileSync(`${file}.new`, JSON.stringify(report));
    renameSync(`${file}.new`, file);
  };
  setInterval(tell, everyMs).unref();
}
