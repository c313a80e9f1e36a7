import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkFile } from "./room-checker.ts";
import { ROOM_RULES } from "./room-rules.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Every source file that git knows or would add. */
function sourceFiles(): string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.tsx", "*.mts"];
  const files = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).split("\n");
  const inRooms = files.filter((file) => file.includes("/") && !file.endsWith(".d.ts"));
  return inRooms.filter((file) => existsSync(join(ROOT, file)));
}

const faultsOf = (file: string, source: string): string[] =>
  checkFile(file, source).map(({ what }) => what);

describe("the rooms", () => {
  const files = sourceFiles();

  it("are all looked at", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files).toContain("packages/messaging/src/kafkajs-internals.ts");
  });

  it("import only what their rule allows, and the pure ones are pure", () => {
    const violations = files.flatMap((file) =>
      checkFile(file, readFileSync(join(ROOT, file), "utf8")),
    );
    expect(violations.map(({ file, what }) => `${file} ${what}`)).toEqual([]);
  });

  it.each(Object.entries(ROOM_RULES).filter(([, { pure }]) => pure))(
    "%s imports pure rooms only",
    (_room, { rooms }) => {
      for (const name of rooms) expect(ROOM_RULES[`packages/${name}`]?.pure).toBe(true);
    },
  );
});

describe("the check catches", () => {
  it.each([
    ["a static import", 'import { Kafka } from "kafkajs";'],
    ["an import of types alone", 'import type { Kafka } from "kafkajs";'],
    ["a bare import", 'import "kafkajs";'],
    ["a dynamic import", 'export const load = () => import("kafkajs");'],
    ["a re-export", 'export { Kafka } from "kafkajs";'],
    ["a re-export of everything", 'export * from "kafkajs";'],
    ["a path inside a package", 'import x from "kafkajs/src/cluster";'],
    ["a require", 'const x = require("kafkajs");'],
    ["a resolved path", 'const x = require.resolve("kafkajs");'],
    ["a type by import()", 'export type K = import("kafkajs").Kafka;'],
  ])("%s", (_kind, source) => {
    expect(faultsOf("services/ledger/src/x.ts", source).join()).toMatch(/^imports kafkajs/);
    expect(faultsOf("packages/messaging/src/x.ts", source)).toEqual([]);
  });

  it.each([
    ["services/ledger/src/x.ts", "@sealane/wallet-adapter"],
    ["services/ledger/src/x.ts", "../../wallet-adapter/src/views.ts"],
    ["services/ledger/src/x.ts", "pg"],
    ["services/ledger/src/x.ts", "express"],
    ["packages/rules/src/x.ts", "decimal.js"],
    ["packages/protocol/src/x.ts", "@sealane/rules"],
    ["packages/tlog/src/x.ts", "@sealane/money"],
    ["packages/messaging/src/x.ts", "@sealane/database"],
    ["packages/client/src/x.ts", "@sealane/http"],
    ["packages/cli/src/x.ts", "@sealane/witness"],
    ["infra/src/x.ts", "@sealane/ledger"],
    ["infra/src/x.ts", "../../services/ledger/src/main.ts"],
    ["test/src/x.test.ts", "@sealane/ledger"],
    ["services/ledger/src/x.ts", "./testing/commands.ts"],
    ["packages/money/src/x.ts", "node:fs"],
    ["packages/money/src/x.ts", "fs"],
    ["packages/money/src/x.ts", "vitest"],
  ])("%s importing %s", (file, target) => {
    const faults = faultsOf(file, `import { x } from "${target}";`);
    expect(faults).toEqual([expect.stringContaining(`imports ${target}`)]);
  });

  it.each([
    "Date.now()",
    'Date["now"]()',
    "new Date()",
    "Date()",
    "Math.random()",
    "setTimeout(f, 1)",
    "process.env.X",
    "performance.now()",
    "crypto.randomUUID()",
    "fetch(url)",
    "console.log(1)",
    "async () => 1",
    "globalThis.process",
  ])("%s in a pure room", (expression) => {
    const source = `export const x = ${expression};`;
    const faults = faultsOf("packages/rules/src/x.ts", source);
    expect(faults).not.toEqual([]);
    expect(faultsOf("services/ledger/src/x.ts", source)).toEqual([]);
  });

  it("a file of a room that nobody listed", () => {
    expect(faultsOf("packages/new/src/x.ts", "")).toEqual(["belongs to no known room"]);
  });
});

describe("the check allows", () => {
  it.each([
    "// Date.now() and import 'pg'",
    "export const text = \"Date.now() process import('pg')\";",
    "export const at = (ms: number) => new Date(ms);",
    "export const x = (step: { process: number }) => step.process;",
    "export type Timer = { setTimeout: number };",
    'import { decide } from "./decide.ts";',
    'import type { Amount } from "@sealane/money";',
    'import { sha256 } from "#sha256";',
  ])("%s in a pure room", (source) => {
    expect(faultsOf("packages/rules/src/x.ts", source)).toEqual([]);
  });

  it("bindings to Node in the files that are named so, and test tools in tests", () => {
    const source = 'import { createHash } from "node:crypto";';
    expect(faultsOf("packages/tlog/src/sha256-node.ts", source)).toEqual([]);
    expect(faultsOf("packages/tlog/src/sha256.test.ts", source)).toEqual([]);
    expect(faultsOf("packages/tlog/src/x.test.ts", 'import "fast-check";')).toEqual([]);
  });
});
