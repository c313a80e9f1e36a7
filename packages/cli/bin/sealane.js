#!/usr/bin/env node
// Starts the command line. The sources are TypeScript and run as they are, which takes Node 22.18 or
// newer: an older one that found this file hands over to the Node that the install brought along.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);

/** The `node` of the nearest node_modules/.bin above this file. */
const findNode = () => {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    const node = join(dir, "node_modules", ".bin", "node");
    if (existsSync(node)) return node;
    if (dirname(dir) === dir) return undefined;
  }
};

const handOver = (node) => {
  const env = { ...process.env, SEALANE_HANDED_OVER: "1" };
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit", env });
  // A terminal's Ctrl-C reaches the child by itself; this process waits for how it ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT") child.kill(signal);
    });
  }
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
};

if (major > 22 || (major === 22 && minor >= 18)) {
  const { useCompileCache } = await import("../src/compile-cache.ts");
  useCompileCache();
  const { main } = await import("../src/main.ts");
  await main(process.argv);
} else {
  const node = process.env.SEALANE_HANDED_OVER === undefined ? findNode() : undefined;
  if (node === undefined) {
    process.stderr.write(`sealane: Node 22.18 or newer is needed; this is ${process.version}\n`);
    process.stderr.write("         Run `npm install` in the repository: it brings one along.\n");
    process.exitCode = 1;
  } else {
    handOver(node);
  }
}
