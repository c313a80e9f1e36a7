import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { lastWords } from "./last-words.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-words-"));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  [
    "what was thrown",
    '{"level":"info","msg":"up"}\nfile:///x.ts:3\n  throw new Error()\n\nInvariantError: broken\n    at x\n',
    "broken\n  ",
  ],
  [
    "what was logged",
    '{"level":"fatal","err":{"message":"gone"},"msg":"no"}\n{"a":1}\n',
    "gone\n  ",
  ],
  ["the last of both", 'Error: one\n{"level":"error","msg":"two"}\n', "two\n  "],
  ["nothing", '{"level":"info","msg":"stopping"}\n', ""],
])("finds %s", (name, text, words) => {
  const file = join(folder, `${name}.log`);
  writeFileSync(file, text);
  expect(lastWords(file)).toBe(words);
});

it("has nothing to say of a log that is not there", () => {
  expect(lastWords(join(folder, "none.log"))).toBe("");
});
