import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";

const dir = mkdtempSync(join(tmpdir(), "sealane-watch-"));
afterAll(() => rmSync(dir, { recursive: true }));

it("asks the program to end when whoever started it was killed", async () => {
  const said = join(dir, "said");
  const program = join(dir, "program.mjs");
  writeFileSync(
    program,
    `import { writeFileSync } from "node:fs";
     const file = ${JSON.stringify(said)};
     process.on("SIGTERM", () => { writeFileSync(file, "ended"); process.exit(0); });
     writeFileSync(file, String(process.env.SEALANE_PARENT_PID));
     setInterval(() => {}, 1000);`,
  );
  const watch = `file://${join(import.meta.dirname, "parent-watch.ts")}`;
  const starter = `
    const env = { ...process.env, SEALANE_PARENT_PID: String(process.pid) };
    const args = ["--import", ${JSON.stringify(watch)}, ${JSON.stringify(program)}];
    require("node:child_process").spawn(process.execPath, args, { env, detached: true });
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["-e", starter], { stdio: "ignore" });
  // The variable is gone for the program and its own children.
  const current = (): string => (existsSync(said) ? readFileSync(said, "utf8") : "");
  await vi.waitFor(() => expect(current()).toBe("undefined"), 10_000);
  parent.kill("SIGKILL");
  await vi.waitFor(() => expect(current()).toBe("ended"), 10_000);
});
