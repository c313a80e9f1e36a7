import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase, sql, type Database } from "@sealane/database";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "./ports.ts";
import { startPostgres, type PostgresOptions, type PostgresServer } from "./postgres.ts";

const dir = mkdtempSync(join(tmpdir(), "sealane-postgres-"));
let options: PostgresOptions;
let server: PostgresServer;
let database: Database<unknown>;

async function open(): Promise<void> {
  server = await startPostgres(options);
  database = createDatabase({
    url: server.url,
    applicationName: "test",
    poolSize: 2,
    schema: "public",
    statementTimeoutMs: 10_000,
  });
}

beforeAll(async () => {
  chmodSync(dir, 0o711);
  options = { dir: join(dir, "pg"), port: await freePort(), logFile: join(dir, "log") };
  await open();
});

afterEach(async () => {
  await database.close();
  await server.stop();
  await open();
});

afterAll(async () => {
  await database.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

const rowsOf = async <T>(query: ReturnType<typeof sql<T>>): Promise<readonly T[]> =>
  (await query.execute(database.db)).rows;

describe("the local PostgreSQL", () => {
  it("keeps an acknowledged commit on disk, and speaks to 127.0.0.1 alone", async () => {
    const rows = await rowsOf(sql<{ name: string; setting: string }>`
      SELECT name, setting FROM pg_settings WHERE name = ANY(ARRAY[
        'fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'max_connections',
        'password_encryption', 'data_checksums', 'TimeZone', 'unix_socket_directories'])`);
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
      listen_addresses: "127.0.0.1",
      max_connections: "100",
      password_encryption: "scram-sha-256",
      data_checksums: "on",
      TimeZone: "UTC",
      unix_socket_directories: "",
    });
    expect(statSync(join(options.dir, "password")).mode & 0o777).toBe(0o600);
  });

  it("refuses who does not know the password", async () => {
    const url = server.url.replace(/:[^:@/]+@/, ":wrong@");
    const stranger = createDatabase({
      url,
      applicationName: "stranger",
      poolSize: 1,
      schema: "public",
      statementTimeoutMs: 1_000,
    });
    await expect(stranger.ping()).rejects.toMatchObject({ code: "28P01" });
    await stranger.close();
  });

  it("has the committed rows, and only those, after kill -9 and a second start", async () => {
    await rowsOf(sql`CREATE TABLE kept AS SELECT n FROM generate_series(1, 1000) AS n`);
    const half = await database.pool.connect();
    await half.query("BEGIN; INSERT INTO kept VALUES (0)");
    server.kill("SIGKILL");
    expect(await server.exited).toEqual({ code: null, signal: "SIGKILL" });
    half.release(true);
    await database.close();
    await open();
    const rows = await rowsOf(sql<{ n: bigint }>`SELECT count(*) AS n FROM kept`);
    expect(rows).toEqual([{ n: 1_000n }]);
  });

  it("refuses to start twice in one folder", async () => {
    const again = startPostgres({ ...options, port: await freePort() });
    await expect(again).rejects.toMatchObject({ code: "directory-in-use" });
    await database.ping();
  });

  it("says why it could not start, with the end of its log", async () => {
    const other = { ...options, dir: join(dir, "other"), logFile: join(dir, "other.log") };
    const error: unknown = await startPostgres(other).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "start-failed" });
    expect(String(error)).toContain("Address already in use");
  });
});
