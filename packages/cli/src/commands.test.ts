// The program as people and scripts start it: another process, exit codes, two streams.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLog, policyText, takeApart } from "@sealane/rules/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportLog } from "./export-log.ts";
import { memoryLog } from "./testing/memory-log.ts";

const program = join(import.meta.dirname, "..", "bin", "sealane.js");
const world = makeLog();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sealane-cli-"));
  const keys = {
    checkpoint: world.keyCheckpoint(),
    entries: world.keyLog.entries,
    sheets: [takeApart(world.entries[2] ?? "").inner],
  };
  writeFileSync(join(folder, "trust.policy"), policyText);
  writeFileSync(join(folder, "keylog"), JSON.stringify(keys));
  writeFileSync(join(folder, "paid.tlog-proof"), world.receipt(3));
  writeFileSync(join(folder, "cli.json"), JSON.stringify({ policy: "trust.policy" }));
  await exportLog({ source: memoryLog(world), folder: join(folder, "log") });
});
afterAll(() => rmSync(folder, { recursive: true }));

const sealane = (args: readonly string[], home = "") => {
  const env = { ...process.env, SEALANE_HOME: home };
  const options = { cwd: folder, env, encoding: "utf8", timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], options);
  return { status, stdout, stderr, last: stdout.trimEnd().split("\n").at(-1) ?? "" };
};

describe("sealane verify", () => {
  it("prints a line per question and exits with 0", () => {
    const { status, stdout, stderr } = sealane([
      "verify",
      "paid.tlog-proof",
      "--policy",
      "trust.policy",
    ]);
    expect(stderr).toBe("");
    for (const question of ["sealed", "keys", "parties", "policy", "conversion"]) {
      expect(stdout).toMatch(new RegExp(`^  ${question} +checked  `, "m"));
    }
    expect(stdout).toMatch(/^ {2}disclosures +not checked {2}/m);
    expect(stdout).toMatch(/The receipt stands\.\n$/);
    expect(status).toBe(0);
  });

  it("takes the policy from cli.json, and answers programs in JSON", () => {
    const { status, stdout } = sealane(["verify", "paid.tlog-proof", "--json"], folder);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      checks: { sealed: { status: "checked" } },
    });
    expect(status).toBe(0);
  });

  it("says what a receipt alone proves, and exits with 1 when it proves nothing", () => {
    const alone = mkdtempSync(join(folder, "alone-"));
    writeFileSync(join(alone, "p"), policyText);
    const proven = sealane(["verify", "paid.tlog-proof", "--policy", join(alone, "p")]);
    expect(proven).toMatchObject({ status: 0 });
    expect(proven.last).toContain("logged, sealed, these bytes");
    const changed = world.receipt(3).replace("index 3", "index 2");
    writeFileSync(join(alone, "changed"), changed);
    const refused = sealane(["verify", join(alone, "changed"), "--policy", join(alone, "p")]);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.last).toBe("The receipt does not stand: sealed failed.");
    expect(refused.stdout).toContain("(inclusion-mismatch)");
  });

  it("says what is missing", () => {
    const noPolicy = sealane(["verify", "paid.tlog-proof"]);
    expect(noPolicy).toMatchObject({ status: 1, stdout: "" });
    expect(noPolicy.stderr).toContain("--policy FILE");
    const noFile = sealane(["verify", "nothing", "--policy", "trust.policy", "--json"]);
    expect(noFile.status).toBe(1);
    expect(JSON.parse(noFile.last)).toMatchObject({ ok: false, code: "file-unreadable" });
  });
});

describe("sealane audit", () => {
  const args = ["audit", "log", "--policy", "trust.policy"];

  it("prints totals for people, and a last JSON line for programs", () => {
    const people = sealane(args);
    expect(people).toMatchObject({ status: 0, stderr: "" });
    expect(people.stdout).toContain("2 committed, 1 rejected, 1 expired, 1 cancelled");
    expect(people.stdout).toMatch(/HKD +1067\.67 +0\.00 +3\.00/);
    const programs = sealane([...args, "--no-signatures", "--json"]);
    expect(programs.status).toBe(0);
    expect(JSON.parse(programs.stdout.split("\n")[0] ?? "")).toMatchObject({
      event: "audited",
      totals: { flows: [{ currency: "HKD", sent: "1067.67" }, { currency: "PHP" }] },
    });
    expect(JSON.parse(programs.last)).toEqual({
      ok: true,
      entries: 11,
      entriesPerSecond: expect.any(Number),
    });
  });

  it("gives no verdict where there is no log, and says what to give", () => {
    const nothing = sealane(["audit", folder, "--policy", "trust.policy"]);
    expect(nothing.status).toBe(1);
    expect(nothing.stdout).toContain("There is no log to audit");
    expect(nothing.last).toContain("the folder of an export");
  });

  it("exits with 1 and says the position at a difference", () => {
    writeFileSync(join(folder, "few"), policyText.replace("3 w1 w2", "4 w1 w2"));
    const unsealed = sealane(["audit", "log", "--policy", "few", "--json"]);
    expect(unsealed.status).toBe(1);
    expect(JSON.parse(unsealed.last)).toMatchObject({ ok: false, code: "quorum-missing" });
    rmSync(join(folder, "log", "tile", "entries", "000.p"), { recursive: true });
    const missing = sealane(args);
    expect(missing.status).toBe(1);
    expect(missing.stdout).toContain("at position 0");
  });
});

describe("sealane export", () => {
  it("says when the log cannot be reached", () => {
    const args = [
      "export",
      "--out",
      join(folder, "x"),
      "--url",
      "http://127.0.0.1:1/log",
      "--json",
    ];
    const { status, stderr, last } = sealane(args);
    expect(status).toBe(1);
    expect(stderr).toContain("cannot be read");
    expect(JSON.parse(last)).toMatchObject({ ok: false, code: "log-unreachable" });
  });
});
