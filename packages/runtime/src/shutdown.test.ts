// The end: all steps, in order, whatever became of one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { runShutdown } from "./shutdown.ts";

test("runs every step in order and reports the one that failed", async () => {
  const seen: string[] = [];
  const clean = await runShutdown(
    [
      { name: "http", run: () => void seen.push("http") },
      { name: "batch", run: () => Promise.reject(new Error("stuck")) },
      { name: "pool", run: async () => void seen.push("pool") },
    ],
    { onStepFailed: (step, error) => seen.push(`${step}: ${error.message}`) },
  );
  expect(seen).toEqual(["http", "batch: stuck", "pool"]);
  expect(clean).toBe(false);
});

test.each([
  ["Promise.resolve()", 0],
  ["Promise.reject(new Error('stuck'))", 1],
])("a process told to stop runs %s and exits with %i", async (step, code) => {
  const module = new URL("./shutdown.ts", import.meta.url).href;
  const program = `
    const { onShutdown } = await import(${JSON.stringify(module)});
    onShutdown([{ name: "step", run: () => ${step} }]);
    setInterval(() => {}, 1000);
    process.stdout.write("up");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  const [exitCode] = (await once(child, "exit")) as [number | null];
  expect(exitCode).toBe(code);
});
