// The process that hosts the cores: reads its file, listens, remembers, and ends on a signal.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "sealane-cores-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("hosts every core of its file until it is told to stop", async () => {
  const adapterTokenFile = "token";
  writeFileSync(join(directory, adapterTokenFile), "adapter-token-0123456789\n", { mode: 0o600 });
  const common = { adapterTokenFile, port: 0 };
  const file = join(directory, "cores.json");
  const cores = [
    { participant: "hk-wallet.example", currency: "HKD", prefix: "+8529", ...common },
    { participant: "ph-wallet.example", currency: "PHP", prefix: "+63917", ...common },
  ];
  writeFileSync(file, JSON.stringify(cores));
  const main = new URL("./main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [main], { env: { SEALANE_CORES: file } });
  const urls = new Map<string, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as { participant: string; url: string };
    urls.set(told.participant, told.url);
    if (urls.size === cores.length) break;
  }
  const headers = { authorization: "Bearer adapter-token-0123456789" };
  const ask = (participant: string, account: string) =>
    fetch(`${urls.get(participant)}/v1/accounts/${account}`, { headers });
  expect((await ask("hk-wallet.example", "+85290000001")).status).toBe(200);
  expect((await ask("ph-wallet.example", "+639170000999")).status).toBe(200);
  expect((await ask("ph-wallet.example", "+85290000001")).status).toBe(404);
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  expect(code).toBe(0);
});
