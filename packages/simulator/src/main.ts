// Hosts the cores that a JSON file describes, in one process. The file is a list of objects; see
// docs/rooms/simulator.md. Stops on SIGINT and SIGTERM.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { filePath, loadConfig, onShutdown, readSecretFile } from "@sealane/runtime";
import { z } from "zod";
import { startCore, type RunningCore } from "./start-core.ts";

const coreFile = z.array(
  z.strictObject({
    participant: z.string().min(1),
    currency: z.string().regex(/^[A-Z]{3}$/),
    decimals: z.int().min(0).max(4).default(2),
    prefix: z.string().min(1),
    accounts: z.int().min(1).max(9_999_999).default(999),
    port: z.int().min(0).max(65_535),
    adapterTokenFile: z.string().min(1),
    journalFile: z.string().min(1).optional(),
    signing: z
      .strictObject({
        transferKeyFile: z.string().min(1),
        policyFile: z.string().min(1),
        keyLogUrl: z.string().min(1),
      })
      .optional(),
  }),
);

const config = loadConfig(
  z.object({ SEALANE_CORES: filePath.describe("a JSON file that lists the cores") }),
);
const base = dirname(config.SEALANE_CORES);
const described = coreFile.parse(JSON.parse(readFileSync(config.SEALANE_CORES, "utf8")));
const cores: RunningCore[] = [];
const at = (path: string): string => resolve(base, path);
for (const { adapterTokenFile, journalFile, signing, ...core } of described) {
  const own = signing && {
    ...signing,
    transferKeyFile: at(signing.transferKeyFile),
    policyFile: at(signing.policyFile),
  };
  const journal = journalFile === undefined ? undefined : at(journalFile);
  const adapterToken = readSecretFile(at(adapterTokenFile));
  cores.push(await startCore({ ...core, adapterToken, journalFile: journal, signing: own }));
}
onShutdown(cores.map((core) => ({ name: core.participant, run: () => core.close() })));
// Said last: whoever hears it may stop the cores at once.
for (const { participant, url } of cores) {
  process.stdout.write(`${JSON.stringify({ event: "core-ready", participant, url })}\n`);
}
