// Bundles, participants' exports and pinned roots before three verifiers: ours, Go's and Python's let the
// same ones stand and refuse the same ones. Go changes every byte of a bundle, Python a seeded sample.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRoots, verifyBundle } from "@sealane/cli";
import { policy, policyText } from "@sealane/rules/testing";
import { parsePolicy, TlogError } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeBundles } from "./bundles.ts";
import { seeded } from "./corpus.ts";
import {
  buildGoVerifier,
  findGo,
  findPython,
  findPythonVerifier,
  type Verifier,
} from "./verifiers.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-bundles-"));
const rooms = join(import.meta.dirname, "../../../verifiers");
const others: Verifier[] = [];
const { small, exported, bad, roots, otherRoots } = makeBundles();

beforeAll(() => {
  for (const tool of [buildGoVerifier(folder), findPythonVerifier()]) {
    if ("found" in tool) others.push(tool.found);
    else process.stderr.write(`SKIPPED: a verifier of bundles: ${tool.skipped}\n`);
  }
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

/** Whether ours lets it stand; roots that cannot be read let nothing stand. */
const ours = (text: string, pinned?: string): boolean => {
  try {
    return verifyBundle(text, policy, pinned === undefined ? undefined : parseRoots(pinned)).ok;
  } catch (error) {
    if (error instanceof Error && "code" in error && !(error instanceof TlogError)) return false;
    throw error;
  }
};

describe("bundles", () => {
  it("stand, and a participant's export says that it is complete, and up to when", async () => {
    for (const text of [small, exported]) expect(ours(text, roots)).toBe(true);
    for (const one of others) {
      const verdicts = await one.bundles([small, exported], { policy: policyText, roots });
      expect(verdicts.map(({ detail }) => [one.name, detail])).toEqual([
        [one.name, "ok 2 receipts, 12 entries of the key log"],
        [one.name, expect.stringMatching(/ all 9 entries of \S+ from 0 to 8: complete up to 2026/)],
      ]);
    }
  });

  it("are refused by everyone for lines that are missing, moved, doubled or others'", async () => {
    const texts = bad.map(([, text]) => text);
    const passed = bad.filter(([, text]) => ours(text)).map(([what]) => `ours: ${what}`);
    for (const one of others) {
      const verdicts = await one.bundles(texts, { policy: policyText });
      for (const [at, { ok }] of verdicts.entries()) {
        if (ok) passed.push(`${one.name}: ${bad[at]?.[0]}`);
      }
    }
    expect(bad.length).toBeGreaterThan(30);
    expect(passed).toEqual([]);
  });

  it("are refused where a participant entered with another root key than the pinned one", async () => {
    for (const [what, pinned] of otherRoots) {
      expect([what, ours(small, pinned)]).toEqual([what, false]);
      for (const one of others) {
        const lines = one.bundles([small], { policy: policyText, roots: pinned });
        // What cannot be read as roots is said before anything is judged.
        const stood = await lines.then(
          ([verdict]) => verdict?.ok,
          () => false,
        );
        expect([one.name, what, stood]).toEqual([one.name, what, false]);
      }
    }
  });

  it("are refused by Python for a seeded sample of changed bytes", async () => {
    const python = others.find(({ name }) => name === "Python");
    if (python === undefined) return;
    const random = seeded(11);
    const texts = Array.from({ length: 150 }, () => {
      const at = Math.floor(random() * small.length);
      const code = small.charCodeAt(at) ^ (1 << Math.floor(random() * 8));
      return small.slice(0, at) + String.fromCharCode(code) + small.slice(at + 1);
    });
    const verdicts = await python.bundles(texts, { policy: policyText });
    expect(verdicts.filter(({ ok }) => ok)).toEqual([]);
  }, 180_000);

  const go = findGo();
  it.skipIf("skipped" in go)(
    "are refused by Go for any byte that is changed, added or taken away",
    () => {
      const env = {
        ...process.env,
        SEALANE_TEST_BUNDLE: join(folder, "small.bundle"),
        SEALANE_TEST_POLICY: join(folder, "trust.policy"),
      };
      writeFileSync(env.SEALANE_TEST_BUNDLE, small);
      writeFileSync(env.SEALANE_TEST_POLICY, policyText);
      const args = ["test", "-run", "Bundle", "-v", "./..."];
      const command = "found" in go ? go.found : "";
      const { status, stdout } = spawnSync(command, args, {
        cwd: join(rooms, "go"),
        encoding: "utf8",
        env,
      });
      expect([status, stdout]).toEqual([0, expect.stringContaining("--- PASS: TestNoByte")]);
    },
    240_000,
  );
});

describe("policies", () => {
  const lines = policyText.trimEnd().split("\n");
  const with3 = (change: (line: string) => readonly string[]): string =>
    `${lines.flatMap(change).join("\n")}\n`;
  const twice = (line: string): string[] =>
    line.startsWith("witness w1") ? [line, line.replace("w1", "w4")] : [line];
  const malformed: readonly (readonly [string, string])[] = [
    ["a key under two names", with3((line) => (line.startsWith("witness w4") ? [] : twice(line)))],
    ["a threshold beyond its members", with3((line) => [line.replace("3 w1 w2 w3", "4 w1 w1 w2")])],
    ["two quorum lines", `${policyText}quorum w1\n`],
    ["a line of another kind", `${policyText}trust everybody\n`],
    ["no quorum line", with3((line) => (line.startsWith("quorum") ? [] : [line]))],
    ["nothing", ""],
  ];

  it.each(malformed)("are not begun with by anybody: %s", async (_, text) => {
    expect(() => parsePolicy(text)).toThrow(/./);
    for (const one of others) {
      await expect(one.bundles([small], { policy: text })).rejects.toThrow(/cannot begin/);
    }
  });
});

describe("the script for receipts", () => {
  const script = join(rooms, "python", "verify.py");

  it("is one file of under 150 lines", () => {
    const text = readFileSync(script, "utf8");
    expect(text.split("\n").length - 1).toBeLessThan(150);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("imports nothing but the standard library, and needs its assertions", () => {
    const run = (...args: string[]) => spawnSync("python3", args, { encoding: "utf8" });
    const alone = join(folder, "verify.py");
    writeFileSync(alone, readFileSync(script));
    writeFileSync(join(folder, "p"), policyText);
    if ("skipped" in findPython()) return;
    const receipt = small.split("\n").find((line) => line.startsWith("receipt ")) ?? "";
    const bytes = Buffer.from(receipt.slice("receipt ".length), "base64");
    writeFileSync(join(folder, "good"), bytes);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(join(folder, "bad"), bytes);
    expect(run("-I", alone, join(folder, "p"), join(folder, "good"))).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/: sealed, entry 3 of /),
    });
    expect(run("-I", alone, join(folder, "p"), join(folder, "bad"))).toMatchObject({ status: 1 });
    expect(run("-O", alone, join(folder, "p"), join(folder, "good"))).toMatchObject({
      status: 1,
      stdout: "",
    });
  });
});
