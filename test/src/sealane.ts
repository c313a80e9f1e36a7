// The command line as a person starts it, against a running system: another process, which does not
// hold up the transfers that a test has running meanwhile.
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { Stack } from "@sealane/infra";

/** A running system, whoever started it. */
type Running = { readonly stack: Pick<Stack, "home"> };

export type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string };

const program = join(import.meta.dirname, "..", "..", "packages", "cli", "bin", "sealane.js");

/**
 * Runs `sealane …` in the world's folder: paths such as `keys/hk-wallet/root.key` lie below it.
 * @param onStart is given the process, for a test that ends it
 */
export const runSealane = (
  system: Running,
  args: readonly string[],
  onStart?: (child: ChildProcess) => void,
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const cwd = system.stack.home.dir;
    const env = { ...process.env, SEALANE_HOME: cwd };
    const child = spawn(process.execPath, [program, ...args], { cwd, env });
    onStart?.(child);
    const chunks = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (chunks.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (chunks.stderr += text));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status: status ?? -1, ...chunks }));
  });

/** Runs `sealane … --json`, which must succeed. @returns its last line */
export const sealaneJson = async (
  system: Running,
  args: readonly string[],
): Promise<Record<string, unknown>> => {
  const { status, stdout, stderr } = await runSealane(system, [...args, "--json"]);
  if (status !== 0) throw new Error(`sealane ${args.join(" ")}: ${stderr}${stdout}`);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Record<string, unknown>;
};
