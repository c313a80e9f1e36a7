// `npm run sabotage`: plants each bug in a copy of the tree and runs the one test that must notice. It has to
// pass without the bug and to fail with it. `--only NAME` (several by commas), `--pure` leaves out what needs
// Kafka and Postgres, `--json` prints an object a line. Ends with 1 when a bug was missed or does not fit.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { plant, type Bug } from "./bug.ts";
import { bugs } from "./bugs.ts";
import { copyTree } from "./copy-tree.ts";
import { runTest, type Ran } from "./run-test.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    pure: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

type Verdict = "caught" | "MISSED" | "does not fit" | "test is red" | "test did not run";

type Result = { readonly bug: Bug; readonly verdict: Verdict; readonly detail: string };

const out = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const note = (line: string): void => {
  process.stderr.write(`sabotage: ${line}\n`);
};

const chosen = (): readonly Bug[] => {
  const names = values.only?.split(",");
  const unknown = names?.find((name) => !bugs.some((bug) => bug.name === name));
  if (unknown !== undefined) throw new Error(`there is no bug ${unknown}`);
  return bugs
    .filter(({ name }) => names?.includes(name) ?? true)
    .filter(({ project }) => !values.pure || project !== "servers");
};

/** Each test once without a bug, whatever is planted in its way afterwards. */
const makeBaseline = (root: string) => {
  const known = new Map<string, Promise<Ran>>();
  return (bug: Bug): Promise<Ran> => {
    const key = `${bug.test} ${bug.title}`;
    const ran = known.get(key) ?? runTest(root, bug);
    known.set(key, ran);
    return ran;
  };
};

const detailOf = (ran: Ran): string => (ran.ended === "not-run" ? ran.why : (ran.first ?? ""));

const tryBug = async (
  root: string,
  bug: Bug,
  baseline: (bug: Bug) => Promise<Ran>,
): Promise<Result> => {
  const path = join(root, bug.file);
  const source = readFileSync(path, "utf8");
  const planted = plant(bug, source);
  if (!planted.ok) return { bug, verdict: "does not fit", detail: planted.why };
  const before = await baseline(bug);
  if (before.ended === "not-run")
    return { bug, verdict: "test did not run", detail: detailOf(before) };
  if (before.ended === "failed") return { bug, verdict: "test is red", detail: detailOf(before) };
  writeFileSync(path, planted.source);
  try {
    const after = await runTest(root, bug);
    if (after.ended === "failed") return { bug, verdict: "caught", detail: detailOf(after) };
    const missed = after.ended === "passed";
    return { bug, verdict: missed ? "MISSED" : "test did not run", detail: detailOf(after) };
  } finally {
    writeFileSync(path, source);
  }
};

const tell = ({ bug, verdict, detail }: Result): void => {
  const { name, what, file, test, title } = bug;
  if (values.json) return out(JSON.stringify({ name, what, file, test, title, verdict, detail }));
  out(`${verdict.padEnd(16)} ${name.padEnd(20)} ${file}`);
  out(`${"".padEnd(17)}${what}`);
  out(`${"".padEnd(17)}${test}: ${title}`);
  if (verdict !== "caught") out(`${"".padEnd(17)}${detail}`);
};

const runAll = async (): Promise<boolean> => {
  const list = chosen();
  note("copying the tree");
  const copy = copyTree(join(import.meta.dirname, "../.."));
  const stop = (): void => {
    copy.remove();
    process.exit(130);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const results: Result[] = [];
  try {
    const baseline = makeBaseline(copy.root);
    for (const [at, bug] of list.entries()) {
      note(`${at + 1} of ${list.length}: ${bug.name}`);
      const result = await tryBug(copy.root, bug, baseline);
      results.push(result);
      tell(result);
    }
  } finally {
    copy.remove();
  }
  const caught = results.filter(({ verdict }) => verdict === "caught").length;
  if (values.json) out(JSON.stringify({ ok: caught === list.length, bugs: list.length, caught }));
  else out(`${caught} of ${list.length} bugs caught`);
  return caught === list.length;
};

try {
  process.exitCode = (await runAll()) ? 0 : 1;
} catch (error) {
  note(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
