import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readMigrations } from "./migration-files.ts";

// printf 'SELECT 1;\n' | sha256sum
const SHA256_OF_SELECT_1 = "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "sealane-migrations-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string): void => writeFileSync(join(folder, name), "SELECT 1;\n");

it("reads files in the order of their numbers, with their hashes", () => {
  ["0002_b.sql", "0001_a.sql", "README.md"].forEach(write);
  const migrations = readMigrations(folder);
  expect(migrations.map(({ number, name }) => [number, name])).toEqual([
    [1, "0001_a.sql"],
    [2, "0002_b.sql"],
  ]);
  expect(migrations[0]?.sha256).toBe(SHA256_OF_SELECT_1);
});

it.each([
  ["a gap", ["0001_a.sql", "0003_c.sql"]],
  ["a number twice", ["0001_a.sql", "0001_b.sql"]],
  ["a begin other than 1", ["0002_b.sql"]],
  ["another form of name", ["1_a.sql"]],
])("refuses %s", (_case, names) => {
  names.forEach(write);
  expect(() => readMigrations(folder)).toThrow(expect.objectContaining({ code: "bad-migration" }));
});
