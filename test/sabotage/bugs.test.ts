// Every bug still fits: its text stands once in its file, its test is there, and planting it changes
// something. Whether the tests notice is what `npm run sabotage` finds out.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { plant, type Bug } from "./bug.ts";
import { bugs } from "./bugs.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

describe.each(bugs.map((bug) => [bug.name, bug] as const))("%s", (_name, bug) => {
  it("still fits", () => {
    const source = read(bug.file);
    const planted = plant(bug, source);
    expect(planted).toMatchObject({ ok: true });
    expect(planted).not.toMatchObject({ source });
    expect(existsSync(join(root, bug.test))).toBe(true);
    expect(/\.(?:pg|kafka|system)\.test\.ts$/.test(bug.test)).toBe(bug.project === "servers");
  });
});

it("no two have one name", () => {
  expect(new Set(bugs.map(({ name }) => name)).size).toBe(bugs.length);
});

it.each(["", "twice twice"])("a bug that does not fit is said to: %j", (source) => {
  const bug: Bug = {
    name: "x",
    what: "x",
    file: "a.ts",
    find: "twice",
    replace: "once",
    test: "a.test.ts",
    title: "x",
  };
  expect(plant(bug, source)).toMatchObject({ ok: false });
});
