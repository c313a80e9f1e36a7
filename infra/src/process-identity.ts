// Who a pid is. A pid alone is reused by the system, so a process is named by its pid and its start
// time; both are written beside a server's data, and a later start reads them. Only a process whose
// pid and start time agree with what we wrote is ever ended.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { InfraError } from "./infra-error.ts";

export type ProcessIdentity = { readonly pid: number; readonly startedAt: string };

/** What a server's `process.json` says: the server itself and the supervisor that started it. */
export type ServerRecord = {
  readonly name: string;
  readonly server: ProcessIdentity;
  readonly supervisor: ProcessIdentity;
};

const RECORD_FILE = "process.json";

/**
 * The start time of a live process: clock ticks since boot on Linux (`/proc/PID/stat`, field 22), the
 * text of `ps` elsewhere; undefined when there is no such process or it is a zombie.
 */
export function processStartTime(pid: number): string | undefined {
  if (process.platform === "linux") return linuxStartTime(pid);
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return text.replaceAll(/\s/g, "") || undefined;
  } catch {
    return undefined;
  }
}

function linuxStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The identity of a live process; throws `process-gone` when it has ended already. */
export function identify(pid: number): ProcessIdentity {
  const startedAt = processStartTime(pid);
  if (startedAt === undefined) throw new InfraError("process-gone", `process ${pid} has ended`);
  return { pid, startedAt };
}

/** Is exactly this process (not a later one with the same pid) still running? */
export function isAlive(identity: ProcessIdentity): boolean {
  return processStartTime(identity.pid) === identity.startedAt;
}

/** Writes who runs in `dir`. Called once the server is spawned. */
export function writeServerRecord(dir: string, name: string, pid: number): void {
  const record: ServerRecord = { name, server: identify(pid), supervisor: identify(process.pid) };
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, RECORD_FILE), `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

export function clearServerRecord(dir: string): void {
  rmSync(join(dir, RECORD_FILE), { force: true });
}

/** The record of `dir`, or undefined when there is none or it is torn. */
export function readServerRecord(dir: string): ServerRecord | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(dir, RECORD_FILE), "utf8"));
    return isServerRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isServerRecord(value: unknown): value is ServerRecord {
  if (typeof value !== "object" || value === null) return false;
  const { name, server, supervisor } = value as Record<string, unknown>;
  return typeof name === "string" && isIdentity(server) && isIdentity(supervisor);
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startedAt } = value as Record<string, unknown>;
  return Number.isSafeInteger(pid) && typeof startedAt === "string";
}

/**
 * Makes sure that nobody runs in `dir`: a leftover whose supervisor is gone is ended (`log` says so);
 * one whose supervisor lives is somebody's running system, and `directory-in-use` is thrown.
 */
export async function endLeftover(dir: string, log: (line: string) => void): Promise<void> {
  const record = readServerRecord(dir);
  if (record === undefined || !isAlive(record.server)) return clearServerRecord(dir);
  const { name, server, supervisor } = record;
  if (isAlive(supervisor)) {
    const message =
      `${name} already runs in ${dir} (pid ${server.pid}), started by process ${supervisor.pid}: ` +
      `stop that first, or use another folder`;
    throw new InfraError("directory-in-use", message);
  }
  log(`ending ${name} (pid ${server.pid}), left over from an earlier run in ${dir}`);
  await endProcess(server, "SIGTERM", 5_000);
  clearServerRecord(dir);
}

/** Signals exactly this process and waits until it is gone; SIGKILL after `graceMs`. */
export async function endProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  const deadline = Date.now() + graceMs;
  if (isAlive(identity)) process.kill(identity.pid, signal);
  while (isAlive(identity)) {
    if (Date.now() > deadline + 5_000) {
      throw new InfraError("process-stuck", `process ${identity.pid} does not end`);
    }
    if (Date.now() > deadline) process.kill(identity.pid, "SIGKILL");
    await delay(20);
  }
}
