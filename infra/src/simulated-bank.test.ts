// The bank's settings that a world writes start the bank's process as they are.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { provision } from "./provision.ts";
import { writeBankSettings } from "./simulated-bank.ts";
import { portsFromEnv } from "./world.ts";

const main = fileURLToPath(new URL("../../packages/simulator/src/bank/main.ts", import.meta.url));

it("starts the bank's own process, with the world's accounts and key", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sealane-world-"));
  try {
    const home = await provision(directory, portsFromEnv({}));
    const env = { SEALANE_BANK: writeBankSettings(home, 0) };
    const child = spawn(process.execPath, [main], { env });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    expect(JSON.parse(line)).toMatchObject({ event: "bank-ready", bank: "bank.example" });
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
