// Ports of the local stack: is one free, which are taken and how to move them, a free one for tests.
import { randomInt } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { InfraError } from "./infra-error.ts";

export type NamedPort = {
  /** What listens there, as the reader knows it: "the console". */
  readonly name: string;
  readonly port: number;
  /** The environment variable that moves it. */
  readonly env: string;
};

/** Throws `ports-taken`, naming every taken port and the variable that moves it. */
export async function checkPortsFree(ports: readonly NamedPort[]): Promise<void> {
  const free = await Promise.all(ports.map(({ port }) => isPortFree(port)));
  const taken = ports.filter((_, index) => !free[index]);
  const lines = taken.map(
    ({ name, port, env }) => `  127.0.0.1:${port} (${name}): move it with ${env}=PORT`,
  );
  const twins = ports.filter((port, index) => ports.findIndex((p) => p.port === port.port) < index);
  for (const { name, port, env } of twins) {
    lines.push(`  127.0.0.1:${port} is given twice, the second time for ${name} (${env})`);
  }
  if (lines.length === 0) return;
  const message = ["These ports are taken by other programs:", ...lines].join("\n");
  throw new InfraError("ports-taken", message);
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

// Below the range from which systems take the local ports of outgoing connections (Linux: 32768 to
// 60999; BSD, macOS and Windows: from 49152): a server that is killed and started again on its port
// must not find a client's connection there, not even its own clients' attempts to reconnect.
const firstTestPort = 20_000;
const testPorts = 12_000;

/** One file for each port that a running program was given here, with its process's number. */
const givenPorts = join(tmpdir(), `sealane-ports-${userInfo().uid}`);
const ours = new Set<string>();
const giveBack = (): void => ours.forEach((file) => rmSync(file, { force: true }));

const isRunning = (file: string): boolean => {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

const claim = (file: string): boolean => {
  try {
    mkdirSync(givenPorts, { recursive: true, mode: 0o700 });
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    return false;
  }
};

/** Whether the port is this process's now, until it ends; one of a process that is gone may be had. */
const reserve = (port: number): boolean => {
  const file = join(givenPorts, String(port));
  if (!claim(file)) {
    if (isRunning(file)) return false;
    rmSync(file, { force: true });
    if (!claim(file)) return false;
  }
  if (ours.size === 0) process.once("exit", giveBack);
  ours.add(file);
  return true;
};

/**
 * A port of 127.0.0.1 that is free, that no outgoing connection will be given, and that no other test or benchmark
 * on this machine gets while this process runs: what is to listen there may start seconds later.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(firstTestPort, firstTestPort + testPorts);
    if (reserve(port) && (await isPortFree(port))) return port;
  }
  throw new InfraError("start-failed", "a hundred ports were tried, and none was free");
}
