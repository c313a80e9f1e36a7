// One test of a tree, run by its name in a process of its own: did it pass, did it fail, was it there?
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Bug } from "./bug.ts";

export type Ran =
  | { readonly ended: "passed" | "failed"; readonly tests: number; readonly first?: string }
  | { readonly ended: "not-run"; readonly why: string };

type Report = {
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
};

const mostMs = 240_000;

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

const firstLine = (text: string | undefined): string => (text ?? "").split("\n")[0] ?? "";

const judge = (report: Report): Ran => {
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const passed = results.filter(({ status }) => status === "passed");
  const failed = results.filter(({ status }) => status === "failed");
  if (failed.length > 0) {
    const first = firstLine(failed[0]?.failureMessages?.[0]);
    return { ended: "failed", tests: failed.length + passed.length, first };
  }
  if (passed.length > 0) return { ended: "passed", tests: passed.length };
  const why = firstLine(report.testResults.find(({ message }) => message)?.message);
  return { ended: "not-run", why: why === "" ? "no test of this name" : why };
};

/** @param root of the tree whose test is run */
export const runTest = (
  root: string,
  { test, title, project }: Pick<Bug, "test" | "title" | "project">,
): Promise<Ran> => {
  const output = join(root, "sabotage-report.json");
  rmSync(output, { force: true });
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const which = ["run", "--root", root, "--project", project ?? "pure", test, "-t", escaped(title)];
  const args = [vitest, ...which, "--reporter=json", `--outputFile=${output}`];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: "ignore", timeout: mostMs });
    child.once("error", reject);
    child.once("exit", () => {
      try {
        resolve(judge(JSON.parse(readFileSync(output, "utf8")) as Report));
      } catch {
        resolve({ ended: "not-run", why: "vitest wrote no report" });
      }
    });
  });
};
