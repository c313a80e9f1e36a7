// The bootstrap in a copy of a fresh clone, on a machine that has nothing: it must say what to do, and
// neither start nor install anything.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
let clone: string;

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "sealane-clone-"));
  mkdirSync(join(clone, "infra"));
  for (const file of ["package-lock.json", "infra/bootstrap.mjs", "infra/kafka"]) {
    cpSync(join(ROOT, file), join(clone, file), { recursive: true });
  }
});

afterAll(() => rmSync(clone, { recursive: true }));

function run(env: Record<string, string>, ...args: string[]) {
  const script = join(clone, "infra/bootstrap.mjs");
  const options = { env: { PATH: "/nonexistent", ...env }, encoding: "utf8" } as const;
  return spawnSync(process.execPath, [script, ...args], options);
}

it("says in one message what is missing and how to install it, off standard output", () => {
  const { status, stdout, stderr } = run({}, "start", "--json");
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("missing: npm, java (17 or newer), mvn (Maven).");
  expect(stderr).toContain("apt-get install openjdk-17-jre-headless maven");
});

it.each([
  ["start", { KAFKA_BROKERS: "127.0.0.1:1" }],
  ["test", { KAFKA_BROKERS: "127.0.0.1:1" }],
  ["check", {}],
])("needs neither Java nor Maven for %s with %j", (command, env) => {
  const { status, stderr } = run(env, command);
  expect(status).toBe(1);
  expect(stderr).toContain("missing: npm.");
});
