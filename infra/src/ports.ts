// Ports of the local stack: is one free, which are taken and how to move them, a free one for tests.
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

/** A port of 127.0.0.1 that is free at this moment. For tests: it may be taken a moment later. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port: 0, host: "127.0.0.1" }, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new InfraError("start-failed", "the system gave no port"));
      });
    });
  });
}
