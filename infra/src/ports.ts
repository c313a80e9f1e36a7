// Ports of the local stack: is one free, which are taken and how to move them, a free one for tests.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
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

/**
 * A port of 127.0.0.1 that is free at this moment, and that no outgoing connection will be given.
 * For tests and benchmarks: another program that asks for it by number may take it a moment later.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(firstTestPort, firstTestPort + testPorts);
    if (await isPortFree(port)) return port;
  }
  throw new InfraError("start-failed", "a hundred ports were tried, and none was free");
}
