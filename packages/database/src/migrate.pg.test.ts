import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { createDatabase, execute, query, runMigrations, type MigrationOptions } from "./index.ts";

const url = inject("databaseUrl");
const admin = new pg.Client({ connectionString: url });
const PASSWORD = "pässword' with $odd/chars";

let folder: string;
let schema: string;
let options: MigrationOptions & { role: { name: string; passwordFile: string } };

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

beforeAll(() => admin.connect());
afterAll(() => admin.end());

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sealane-migrations-"));
  schema = `test_${randomUUID().replaceAll("-", "")}`;
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  options = { adminUrl: url, schema, folder, role: { name: schema, passwordFile } };
  write(
    "0001_a.sql",
    "CREATE TABLE entry (n bigint PRIMARY KEY);\nGRANT INSERT ON entry TO {{role}};\n",
  );
});

afterEach(async () => {
  await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await admin.query(`DROP ROLE IF EXISTS ${schema}`);
  rmSync(folder, { recursive: true });
});

it("applies what is new, in order, once", async () => {
  const lines: string[] = [];
  expect(await runMigrations({ ...options, log: (line) => lines.push(line) })).toEqual([
    "0001_a.sql",
  ]);
  expect(lines).toEqual([`${schema}: applied 0001_a.sql`]);
  write("0002_b.sql", "ALTER TABLE {{schema}}.entry ADD hash bytea;");
  expect(await runMigrations(options)).toEqual(["0002_b.sql"]);
  expect(await runMigrations(options)).toEqual([]);
});

it("survives four runners at once", async () => {
  const results = await Promise.all(Array.from({ length: 4 }, () => runMigrations(options)));
  expect(results.flat()).toEqual(["0001_a.sql"]);
});

it.each([true, false])(
  "begins anew where every table was dropped, also its own: %s; never where one is left",
  async (ownToo) => {
    const maker = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';";
    write("0002_b.sql", `${maker}\nCREATE TABLE other (n bigint DEFAULT f());`);
    const both = ["0001_a.sql", "0002_b.sql"];
    expect(await runMigrations(options)).toEqual(both);
    await admin.query(`DROP TABLE ${schema}.entry`);
    expect(await runMigrations(options)).toEqual([]);
    await admin.query(`DROP TABLE ${schema}.other`);
    if (ownToo) await admin.query(`DROP TABLE ${schema}.schema_migrations`);
    expect(await runMigrations(options)).toEqual(both);
    expect(await runMigrations(options)).toEqual([]);
    await admin.query(`INSERT INTO ${schema}.other DEFAULT VALUES`);
  },
);

it("refuses when an applied file changed or is gone", async () => {
  await runMigrations(options);
  write("0001_a.sql", "CREATE TABLE other (n bigint);");
  await expect(runMigrations(options)).rejects.toMatchObject({ code: "bad-migration" });
  rmSync(join(folder, "0001_a.sql"));
  await expect(runMigrations(options)).rejects.toMatchObject({ code: "bad-migration" });
});

it("leaves nothing of a file that fails, and keeps the ones before it", async () => {
  write("0002_b.sql", "CREATE TABLE half (n bigint); SELECT 1/0;");
  await expect(runMigrations(options)).rejects.toThrow("0002_b.sql: division by zero");
  const text = "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1";
  const { rows } = await admin.query(text, [schema]);
  expect(rows.map(({ tablename }) => tablename)).toEqual(["entry", "schema_migrations"]);
  write("0002_b.sql", "CREATE TABLE whole (n bigint);");
  expect(await runMigrations(options)).toEqual(["0002_b.sql"]);
});

it("refuses a placeholder that nothing is given for, and odd names", async () => {
  const { role: _role, ...withoutRole } = options;
  await expect(runMigrations(withoutRole)).rejects.toMatchObject({ code: "bad-migration" });
  const odd = { ...options, schema: 'x"; DROP SCHEMA public' };
  await expect(runMigrations(odd)).rejects.toMatchObject({ code: "bad-migration" });
});

it("makes a role that can log in with its password and do what was granted, no more", async () => {
  await runMigrations(options);
  const database = createDatabase({
    url,
    user: schema,
    passwordFile: options.role.passwordFile,
    applicationName: schema,
    poolSize: 1,
    schema,
    statementTimeoutMs: 5_000,
  });
  const insert = { name: "insert", text: "INSERT INTO entry VALUES (1)", values: [] };
  expect(await execute(database.pool, insert)).toBe(1);
  for (const text of [
    "SELECT n FROM entry",
    "DELETE FROM entry",
    "CREATE TABLE mine (n bigint)",
    "SELECT sha256 FROM schema_migrations",
    "CREATE TABLE public.mine (n bigint)",
    "CREATE ROLE friend",
  ]) {
    const refused = query(database.pool, { name: text, text, values: [] });
    await expect(refused, text).rejects.toMatchObject({ code: "insufficient-privilege" });
  }
  await database.close();
});

it("sets a new password when its file changed", async () => {
  await runMigrations(options);
  writeFileSync(options.role.passwordFile, "another");
  await runMigrations(options);
  const target = new URL(url);
  target.username = schema;
  target.password = "another";
  const client = new pg.Client({ connectionString: target.href });
  await client.connect();
  expect((await client.query("SELECT current_user AS name")).rows).toEqual([{ name: schema }]);
  await client.end();
});
