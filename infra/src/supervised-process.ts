// A child process that cannot outlive its supervisor and is not reached by the terminal's Ctrl-C: it
// has a session of its own, so that only the supervisor decides the order of stopping. If the
// supervisor dies by any means, `watchdog.sh` (one tiny shell for all children) ends them.
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { InfraError } from "./infra-error.ts";
import { processStartTime } from "./process-identity.ts";

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type SupervisedProcess = {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, however it did; never rejects. */
  readonly exited: Promise<Exit>;
  /** Asks it to stop, and kills it after `graceMs`. Resolves when it is gone. */
  readonly stop: (graceMs: number) => Promise<void>;
  /** Sends any signal; no effect once it has ended. */
  readonly kill: (signal: NodeJS.Signals) => void;
};

export type SupervisedOptions = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child. Default: ours. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Appended to: standard output and standard error. */
  readonly logFile: string;
  /** What asks it to stop. Default SIGTERM; PostgreSQL's fast stop is SIGINT. */
  readonly stopSignal?: NodeJS.Signals;
};

/** Starts a child under the watchdog. Throws `start-failed` when the program cannot be run. */
export async function spawnSupervised(options: SupervisedOptions): Promise<SupervisedProcess> {
  const stopSignal = options.stopSignal ?? "SIGTERM";
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, "a", 0o600);
  const child = spawn(options.command, options.args, {
    // A session of its own: the terminal's Ctrl-C goes to the supervisor alone.
    detached: true,
    stdio: ["ignore", log, log],
    ...(options.env && { env: options.env }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.uid !== undefined && { uid: options.uid }),
    ...(options.gid !== undefined && { gid: options.gid }),
  });
  closeSync(log);
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const pid = await started(child, options);
  watch(`+ ${pid} ${processStartTime(pid) ?? "gone"} ${stopSignal.slice(3)}`);
  void exited.then(() => watch(`- ${pid}`));
  return { name: options.name, pid, exited, ...controls(child, exited, stopSignal) };
}

function started(child: ChildProcess, options: SupervisedOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      reject(
        new InfraError("start-failed", `${options.name}: cannot run ${options.command}`, error),
      );
    });
    if (child.pid !== undefined) resolve(child.pid);
  });
}

function controls(child: ChildProcess, exited: Promise<Exit>, stopSignal: NodeJS.Signals) {
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  const stop = async (graceMs: number): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    kill(stopSignal);
    kill("SIGCONT"); // a process that a fault test stopped must wake up to hear the signal
    const timer = new AbortController();
    const late = delay(graceMs, "late" as const, { signal: timer.signal }).catch(() => "done");
    if ((await Promise.race([exited, late])) === "late") kill("SIGKILL");
    timer.abort();
    await exited;
  };
  return { kill, stop };
}

let watchdog: ChildProcess | undefined;

/** Tells the watchdog one line; starts it with the first child. */
function watch(line: string): void {
  watchdog ??= startWatchdog();
  watchdog.stdin?.write(`${line}\n`);
}

function startWatchdog(): ChildProcess {
  const script = fileURLToPath(new URL("watchdog.sh", import.meta.url));
  const child = spawn("/bin/sh", [script], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  // Neither it nor its pipe keeps us alive; when it dies, the next child gets a new one.
  child.unref();
  child.once("error", () => (watchdog = undefined));
  child.once("exit", () => (watchdog = undefined));
  child.stdin.on("error", () => (watchdog = undefined));
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  return child;
}
