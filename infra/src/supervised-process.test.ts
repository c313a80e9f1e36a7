// Real processes: what a supervisor must never do is leave one behind.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { spawnService } from "./processes.ts";
import {
  endLeftover,
  identify,
  isAlive,
  processStartTime,
  readServerRecord,
  writeServerRecord,
} from "./process-identity.ts";
import { spawnSupervised, type SupervisedProcess } from "./supervised-process.ts";

let dir: string;
const running: SupervisedProcess[] = [];

beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "sealane-infra-"))));

afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => child.stop(0)));
  rmSync(dir, { recursive: true, force: true });
});

/** A Node process that runs `program`, and has said "up". */
async function start(program: string): Promise<SupervisedProcess> {
  const entry = join(dir, "program.mjs");
  const logFile = join(dir, "log");
  writeFileSync(entry, `${program}; setInterval(() => {}, 1000); console.log("up");`);
  const child = await spawnService({ name: "test", entry, env: {}, logFile });
  running.push(child);
  await vi.waitFor(() => expect(readFileSync(logFile, "utf8")).toContain("up"), 10_000);
  return child;
}

const IGNORES_SIGTERM = 'process.on("SIGTERM", () => console.log("no"))';

describe("stop", () => {
  it("asks, and resolves when the process has ended", async () => {
    const child = await start('process.on("SIGTERM", () => process.exit(3))');
    await child.stop(10_000);
    expect(await child.exited).toEqual({ code: 3, signal: null });
  });

  it("kills what does not listen", async () => {
    const child = await start(IGNORES_SIGTERM);
    await child.stop(50);
    expect(await child.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("ends a process that was paused", async () => {
    const child = await start('process.on("SIGTERM", () => process.exit(4))');
    child.kill("SIGSTOP");
    await child.stop(10_000);
    expect(await child.exited).toEqual({ code: 4, signal: null });
  });

  it("does nothing for one that has ended", async () => {
    const child = await start("setTimeout(() => process.exit(5), 10)");
    expect(await child.exited).toEqual({ code: 5, signal: null });
    await child.stop(10_000);
    child.kill("SIGKILL");
  });
});

describe("a child", () => {
  it("has a session of its own, so that Ctrl-C reaches the supervisor alone", async () => {
    const child = await start("");
    const session = execFileSync("ps", ["-o", "sid=", "-p", String(child.pid)], {
      encoding: "utf8",
    });
    expect(Number(session)).toBe(child.pid);
  });

  it("cannot be started from a program that is not there", async () => {
    const options = { name: "x", command: join(dir, "none"), args: [], logFile: join(dir, "log") };
    await expect(spawnSupervised(options)).rejects.toMatchObject({ code: "start-failed" });
  });

  it.each([
    ["listens", 'process.on("SIGTERM", () => process.exit(0))'],
    ["does not listen", IGNORES_SIGTERM],
  ])("that %s ends when its supervisor is killed", async (_kind, program) => {
    const childEntry = join(dir, "child.mjs");
    writeFileSync(childEntry, `${program}; setInterval(() => {}, 1000); console.log("up");`);
    const supervisor = join(dir, "supervisor.mjs");
    const module = join(import.meta.dirname, "processes.ts");
    writeFileSync(
      supervisor,
      `import { spawnService } from ${JSON.stringify(module)};
       const options = { name: "c", entry: ${JSON.stringify(childEntry)}, env: {},
                         logFile: ${JSON.stringify(join(dir, "child.log"))} };
       const child = await spawnService(options);
       process.stdout.write(String(child.pid) + "\\n");
       setInterval(() => {}, 1000);`,
    );
    const parent = spawn(process.execPath, [supervisor], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once("data", (chunk) => resolve(Number(chunk)));
    });
    const log = join(dir, "child.log");
    await vi.waitFor(() => expect(readFileSync(log, "utf8")).toContain("up"), 10_000);
    const child = identify(pid);
    parent.kill("SIGKILL");
    await vi.waitFor(() => expect(isAlive(child)).toBe(false), { timeout: 20_000, interval: 50 });
  });
});

describe("a server's record", () => {
  it("names a process by pid and start time", async () => {
    const child = await start("");
    const identity = identify(child.pid);
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, startedAt: "1" })).toBe(false);
    await child.stop(1_000);
    expect(isAlive(identity)).toBe(false);
    expect(processStartTime(child.pid)).toBeUndefined();
  });

  it("keeps a second supervisor out of a folder in use", async () => {
    const child = await start("");
    writeServerRecord(dir, "kafka", child.pid);
    const attempt = endLeftover(dir, () => undefined);
    await expect(attempt).rejects.toMatchObject({ code: "directory-in-use" });
    expect(isAlive(identify(child.pid))).toBe(true);
  });

  it("ends a leftover whose supervisor is gone, and says so", async () => {
    const child = await start("");
    writeServerRecord(dir, "kafka", child.pid);
    const file = join(dir, "process.json");
    const record = JSON.parse(readFileSync(file, "utf8")) as { supervisor: { startedAt: string } };
    record.supervisor.startedAt = "1";
    writeFileSync(file, JSON.stringify(record));
    const lines: string[] = [];
    await endLeftover(dir, (line) => lines.push(line));
    expect(await child.exited).toEqual({ code: null, signal: "SIGTERM" });
    expect(lines).toEqual([expect.stringContaining(`ending kafka (pid ${child.pid})`)]);
    expect(readServerRecord(dir)).toBeUndefined();
  });

  it("never ends a process that only has the same pid", async () => {
    const child = await start("");
    writeServerRecord(dir, "kafka", child.pid);
    const file = join(dir, "process.json");
    const record = JSON.parse(readFileSync(file, "utf8")) as { server: { startedAt: string } };
    record.server.startedAt = "1";
    writeFileSync(file, JSON.stringify(record));
    await endLeftover(dir, () => undefined);
    expect(isAlive(identify(child.pid))).toBe(true);
    expect(readServerRecord(dir)).toBeUndefined();
  });

  it.each(["", "{", "[]", '{"name":"x","server":{"pid":"1"}}'])(
    "ignores a torn one: %j",
    (text) => {
      writeFileSync(join(dir, "process.json"), text);
      expect(readServerRecord(dir)).toBeUndefined();
    },
  );
});
