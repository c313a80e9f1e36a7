import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "sealane-cache-"));
const program = join(import.meta.dirname, "..", "bin", "sealane.js");
const notAFolder = join(folder, "file");
writeFileSync(notAFolder, "");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const versionWith = (caches: string) =>
  spawnSync(process.execPath, [program, "--version"], {
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: caches },
    timeout: 60_000,
  });

describe("the command line", () => {
  it("keeps what was compiled in a folder that is its user's alone", () => {
    expect(versionWith(folder)).toMatchObject({ status: 0, stderr: "" });
    expect(statSync(join(folder, "sealane", "compiled")).mode & 0o777).toBe(0o700);
    expect(versionWith(folder)).toMatchObject({ status: 0, stderr: "" });
  });

  it.each([notAFolder, "/proc/nowhere"])("starts where nothing can be kept: %s", (caches) => {
    expect(versionWith(caches)).toMatchObject({ status: 0, stderr: "" });
    expect(existsSync(join(caches, "sealane"))).toBe(false);
  });
});
