// Bundles, participants' exports and pinned roots before three verifiers: ours, Go's and Python's let the
// same ones stand and refuse the same ones. Go changes every byte of a bundle, Python a seeded sample.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRoots, verifyBundle } from "@sealane/cli";
import { policy, policyText } from "@sealane/rules/testing";
import { TlogError } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeBundles } from "./bundles.ts";
import { seeded } from "./corpus.ts";
import { buildGoVerifier, findGo, findPythonVerifier, type Verifier } from "./verifiers.ts";

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
