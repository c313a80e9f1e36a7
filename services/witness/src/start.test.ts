// The auditor's process, started as an auditor would, and stopped by a signal.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileSigner, generateKeyFile, KEY_TYPE } from "@sealane/signer";
import {
  composeNote,
  EMPTY_ROOT,
  formatAddCheckpoint,
  formatCheckpointText,
  openNote,
  parseVerifierKey,
  verifierFor,
} from "@sealane/tlog";
import { afterAll, expect, test } from "vitest";
import { readLogsFile } from "./logs-file.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-witness-service-"));
afterAll(() => rmSync(directory, { recursive: true }));
const inside = (name: string): string => join(directory, name);

const { vkey } = await generateKeyFile(inside("key"), "auditor.example/w", KEY_TYPE.cosignature);
await generateKeyFile(inside("log"), "ledger.example/0");
const log = await fileSigner(inside("log"));
writeFileSync(inside("logs"), `# the operator's logs\n\n${log.vkey}\n`);

function start(env: Record<string, string>) {
  const main = new URL("./main.ts", import.meta.url).pathname;
  return spawn(process.execPath, [main], { env: { PATH: process.env["PATH"] ?? "", ...env } });
}

async function readyUrl(child: ReturnType<typeof start>): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) return url;
  }
  throw new Error("the process ended without being ready");
}

test("cosigns over HTTP, counts it, and ends cleanly on SIGTERM", async () => {
  const child = start({
    SEALANE_WITNESS_PORT: "0",
    SEALANE_WITNESS_KEY_FILE: inside("key"),
    SEALANE_WITNESS_STATE_FILE: inside("state"),
    SEALANE_WITNESS_LOGS: inside("logs"),
  });
  const url = await readyUrl(child);
  const origin = "ledger.example/0";
  const text = formatCheckpointText({ origin, size: 0, root: EMPTY_ROOT, extensions: [] });
  const checkpoint = composeNote(text, [await log.signLine(text)]);
  const body = formatAddCheckpoint({ oldSize: 0, proof: [], checkpoint });
  const answer = await fetch(`${url}/add-checkpoint`, { method: "POST", body });
  const note = checkpoint + (await answer.text());
  expect(openNote(note, [verifierFor(parseVerifierKey(vkey))]).verified).toHaveLength(1);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('witness_answers_total{status="200"} 1');
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  expect(code).toBe(0);
});

test("says all that is missing before it starts", async () => {
  const child = start({});
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(1);
  for (const name of ["KEY_FILE", "STATE_FILE", "LOGS"]) {
    expect(told).toContain(`SEALANE_WITNESS_${name}: is not set`);
  }
});

test.each([
  ["no key at all", "# nothing\n", "names no log"],
  ["a line that is no key", `${log.vkey}\nledger.example+0\n`, "line 2"],
])("refuses a logs file with %s", async (_name, text, told) => {
  writeFileSync(inside("bad-logs"), text);
  await expect(readLogsFile(inside("bad-logs"))).rejects.toThrow(told);
});
