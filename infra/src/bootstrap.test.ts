import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const script = join(import.meta.dirname, "../bootstrap.mjs");

/** Runs the bootstrap where no program can be found. */
function runWithout(env: Record<string, string>, ...args: string[]) {
  const options = { env: { PATH: "/nonexistent", ...env }, encoding: "utf8" } as const;
  return spawnSync(process.execPath, [script, ...args], options);
}

it("says in one message what is missing and how to install it, and nothing on standard output", () => {
  const { status, stdout, stderr } = runWithout({}, "start", "--json");
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("missing: npm, java (17 or newer)");
  expect(stderr).toContain("apt-get install openjdk-17-jre-headless maven");
});

it.each([
  ["start", { KAFKA_BROKERS: "127.0.0.1:1" }],
  ["check", {}],
])("needs no Java for %s with %j", (command, env) => {
  const { status, stderr } = runWithout(env, command);
  expect(status).toBe(1);
  expect(stderr).toContain("missing: npm.");
});
