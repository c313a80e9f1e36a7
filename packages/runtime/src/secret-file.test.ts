// Secrets: trimmed, present, and open to their owner alone.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readSecretFile } from "./secret-file.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-secret-"));
afterAll(() => rmSync(directory, { recursive: true }));

function secret(name: string, text: string, mode: number): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test("answers the trimmed text of a file that only its owner can read", () => {
  expect(readSecretFile(secret("good", " token\n", 0o600))).toBe("token");
  expect(readSecretFile(secret("read-only", "token", 0o400))).toBe("token");
});

test.each([0o640, 0o604, 0o660, 0o666, 0o610])("refuses mode %o", (mode) => {
  const path = secret(`open-${mode}`, "token", mode);
  expect(() => readSecretFile(path)).toThrow(expect.objectContaining({ code: "secret-exposed" }));
});

test("says that a file is missing or empty", () => {
  expect(() => readSecretFile(join(directory, "none"))).toThrow(
    expect.objectContaining({ code: "secret-missing" }),
  );
  expect(() => readSecretFile(secret("empty", "\n", 0o600))).toThrow(
    expect.objectContaining({ code: "secret-empty" }),
  );
});
