// The services as processes of the local stack, and what their supervisor asks about them.
import { spawnSupervised, type SupervisedProcess } from "./supervised-process.ts";

export { checkPortsFree, freePort, type NamedPort } from "./ports.ts";
export { waitForReady } from "./readiness.ts";

export type ServiceOptions = {
  readonly name: string;
  /** The file to run, TypeScript as it is. */
  readonly entry: string;
  /** Added to our environment; a variable set to undefined is taken out of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Before the entry: `--import`, `--max-old-space-size` and the like. */
  readonly nodeArgs?: readonly string[];
};

/**
 * Starts a service with the Node that runs us. Its output goes to `logFile`. It does not hear Ctrl-C;
 * it ends when we say so, or when we die in any way (see `supervised-process.ts`).
 */
export function spawnService(options: ServiceOptions): Promise<SupervisedProcess> {
  return spawnSupervised({
    name: options.name,
    command: process.execPath,
    args: [...(options.nodeArgs ?? []), options.entry],
    env: { ...process.env, ...options.env },
    logFile: options.logFile,
  });
}
