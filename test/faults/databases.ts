// Postgres for a fault world, behind a proxy: alone, on a small volume that can be filled, or with a
// standby that every commit waits for and that can take the primary's place.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { createDatabase } from "@sealane/database";
import { freePort, startPostgres, type PostgresServer } from "@sealane/infra";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export type Rows = readonly Readonly<Record<string, unknown>>[];

export type Databases = {
  /** The superuser's URL, through the proxy. */
  readonly url: string;
  readonly proxy: TcpProxy;
  readonly standby: Standby | undefined;
  readonly volume: Volume | undefined;
  /** The primary's. */
  pid(): number;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL for every process of the server, as when a machine dies. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Starts it again if it has ended by itself. @returns whether it answers */
  ensureUp(): Promise<boolean>;
  /** One statement as the superuser, around the proxy. */
  ask(text: string): Promise<Rows>;
  stop(): Promise<void>;
};

export type Standby = {
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** The standby becomes the primary, and the proxy leads to it. */
  promote(): Promise<void>;
};

export type Volume = {
  /** Leaves no byte free. */
  fill(): void;
  empty(): void;
  unmount(): void;
};

const withPort = (url: string, port: number): string => {
  const target = new URL(url);
  target.port = String(port);
  return target.href;
};

const askAt = async (url: string, text: string): Promise<Rows> => {
  const { pool, close } = createDatabase({
    url,
    applicationName: "fault-test",
    poolSize: 1,
    schema: "public",
    statementTimeoutMs: 30_000,
  });
  try {
    return (await pool.query(text)).rows as Rows;
  } finally {
    await close();
  }
};

/** Its children notice only later that the postmaster is gone, and must not write meanwhile. */
const killAll = async (server: PostgresServer): Promise<void> => {
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(server.pid)], {
    encoding: "utf8",
  });
  server.kill("SIGKILL");
  for (const pid of children.trim().split(/\s+/).map(Number)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  await server.exited;
};

/** A file system in memory. @returns undefined where none may be mounted */
export const mountVolume = (place: string, megabytes: number): Volume | undefined => {
  mkdirSync(place, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=711`, "tmpfs", place], {
      stdio: "pipe",
    });
  } catch {
    return undefined;
  }
  const filler = join(place, "filler");
  return {
    fill: () => {
      const { bavail, bsize } = statfsSync(place);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
    },
    empty: () => rmSync(filler, { force: true }),
    unmount: () => execFileSync("umount", ["-l", place]),
  };
};

export const canMount = (dir: string): boolean => {
  const place = join(dir, "mount-try");
  const mounted = mountVolume(place, 1) !== undefined;
  if (mounted) execFileSync("umount", [place]);
  rmSync(place, { recursive: true, force: true });
  return mounted;
};

type Options = { readonly standby?: boolean; readonly volumeMb?: number };

const standbyName = "standby";

/** Starts Postgres, and its standby out of a copy of the stopped primary. */
export const startDatabases = async (dir: string, options: Options): Promise<Databases> => {
  const place = join(dir, "postgres");
  const volume = options.volumeMb === undefined ? undefined : mountVolume(place, options.volumeMb);
  const logs = join(dir, "logs");
  const port = await freePort();
  const standbyPort = await freePort();
  const proxy = await startTcpProxy(await freePort(), port);
  const plain = { dir: place, port, logFile: join(logs, "postgres.log") };
  const alone = volume === undefined ? plain : { ...plain, settings: { min_wal_size: "32MB" } };
  const synchronous = { ...plain, settings: { synchronous_standby_names: standbyName } };
  const primaryOptions = options.standby === true ? synchronous : alone;
  const other = { ...plain, dir: join(dir, "postgres-2"), port: standbyPort };

  let primary = await startPostgres(options.standby === true ? plain : alone);
  let second: PostgresServer | undefined;
  const { url } = primary;
  const startSecond = async (): Promise<void> => {
    const login = new URL(url);
    const parts = [
      "host=127.0.0.1",
      `port=${port}`,
      `user=${login.username}`,
      `password=${login.password}`,
      `application_name=${standbyName}`,
    ];
    second = await startPostgres({
      ...other,
      logFile: join(logs, "postgres-2.log"),
      settings: { primary_conninfo: parts.join(" ") },
    });
  };
  if (options.standby === true) {
    await primary.stop();
    const copy = { recursive: true, preserveTimestamps: true } as const;
    mkdirSync(other.dir, { recursive: true });
    cpSync(join(place, "password"), join(other.dir, "password"), copy);
    // Owner and mode too: `cp` as root keeps what Node's copy does not.
    execFileSync("cp", ["-a", join(place, "data"), join(other.dir, "data")]);
    chmodSync(other.dir, 0o711);
    writeFileSync(join(other.dir, "data", "standby.signal"), "");
    primary = await startPostgres(primaryOptions);
    await startSecond();
  }
  let current = url;
  const standby: Standby = {
    kill: async () => {
      if (second !== undefined) await killAll(second);
    },
    restart: startSecond,
    promote: async () => {
      await askAt(withPort(url, standbyPort), "select pg_promote(true, 30)");
      current = withPort(url, standbyPort);
      proxy.retarget(standbyPort);
    },
  };
  return {
    url: withPort(url, proxy.port),
    proxy,
    standby: options.standby === true ? standby : undefined,
    volume,
    pid: () => primary.pid,
    signal: (signal) => primary.kill(signal),
    kill: () => killAll(primary),
    restart: async () => {
      primary = await startPostgres(primaryOptions);
    },
    ensureUp: async () => {
      const ended = await Promise.race([primary.exited, Promise.resolve(undefined)]);
      if (ended !== undefined) primary = await startPostgres(primaryOptions);
      return (await askAt(current, "select 1 as one")).length === 1;
    },
    ask: (text) => askAt(current, text),
    stop: async () => {
      await Promise.all([primary.stop(), second?.stop()]);
      await proxy.stop();
      if (existsSync(place)) volume?.unmount();
    },
  };
};
