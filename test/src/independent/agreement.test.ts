// Three verifiers, one answer: of logs that differ from a good one in one statement, signed by all whom it
// takes, ours, Go's and Python's let the same ones stand. Where Go or Python is missing, it says so.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditLog } from "@sealane/cli";
import {
  bankLinesOf,
  cut,
  makeLog,
  makeReturnLog,
  makeSettlingWorld,
  netsOf,
  policy,
  policyText,
  settle,
  type World,
} from "@sealane/rules/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seeded } from "./corpus.ts";
import { mutate } from "./mutations.ts";
import { publishedFiles, writeFolder } from "./published-folder.ts";
import { buildGoVerifier, findPythonVerifier, type Verifier } from "./verifiers.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-agreement-"));
const others: Verifier[] = [];
beforeAll(() => {
  for (const tool of [buildGoVerifier(folder), findPythonVerifier()]) {
    if ("found" in tool) others.push(tool.found);
    else process.stderr.write(`SKIPPED: a verifier of agreement: ${tool.skipped}\n`);
  }
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

const makeSettled = (): World => {
  const world = makeSettlingWorld();
  world.transfer({ key: "a" });
  const nets = netsOf(cut(world));
  world.transfer({ key: "b" });
  settle(world, bankLinesOf(nets));
  return world;
};

/** What follows from a bank's statement, line by line: only ours recomputes it (verifiers/README.md). */
const onlyOurs = new Set(["derived-missing", "account-unknown", "line-twice"]);

const cases: readonly (readonly [what: string, make: () => World, which: "entry" | "key"])[] = [
  ["transfers that ended in every way", makeLog, "entry"],
  ["their keys and policies", makeLog, "key"],
  ["returns and recalls", makeReturnLog, "entry"],
  ["windows and a settlement", makeSettled, "entry"],
  ["their corridor, bank and keys", makeSettled, "key"],
];

describe("a log in which one statement says something else", () => {
  it.each(cases)(
    "stands for all or for none: %s",
    async (what, make, which) => {
      const world = make();
      const random = seeded(what.length);
      const places = Array.from({ length: 16 }, (_, at) => join(folder, `${what}-${at}`));
      const ours: string[] = [];
      for (const place of places) {
        writeFolder(place, publishedFiles(mutate(random, world, which)));
        const report = await auditLog({ log: place, policy, threads: 0 });
        ours.push(report.ok ? "ok" : report.code);
      }
      expect(ours.filter((said) => said !== "ok").length).toBeGreaterThan(6);
      for (const one of others) {
        const verdicts = await one.logs(places, { policy: policyText });
        for (const [at, { ok, detail }] of verdicts.entries()) {
          const said = ours[at] ?? "";
          if (onlyOurs.has(said)) continue;
          expect([one.name, places[at], detail, ok]).toEqual([
            one.name,
            places[at],
            detail,
            said === "ok",
          ]);
        }
      }
    },
    120_000,
  );
});
