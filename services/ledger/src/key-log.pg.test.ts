// The key log in a real Postgres: an instance that waited while another wrote, two statements at the same
// instant, two seals in the wrong order, and the same after a restart.
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openServiceDatabase, runMigrations, type Sql } from "@sealane/database";
import { keyEntryContextSchema, readNote, readStatement } from "@sealane/protocol";
import { genesisMs, makeGenesis, testKeys } from "@sealane/rules/testing";
import type { KeyMaterial } from "@sealane/signer";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openKeyLog, type KeyLog } from "./key-log.ts";

const migrations = fileURLToPath(new URL("../../../migrations/ledger/", import.meta.url));
const schema = `keys_${randomUUID().replaceAll("-", "")}`;
let folder: string;
let sql: Sql;
let close: () => Promise<void>;

beforeAll(async () => {
  const url = inject("databaseUrl");
  folder = mkdtempSync(join(tmpdir(), "sealane-key-log-"));
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, randomUUID(), { mode: 0o600 });
  const role = { name: schema, passwordFile };
  await runMigrations({ adminUrl: url, schema, folder: migrations, role });
  const open = (user: string) =>
    openServiceDatabase({
      url,
      user,
      passwordFile: user === schema ? passwordFile : undefined,
      schema,
      applicationName: "key-log-test",
      poolSize: 4,
      onConnectionLost: () => undefined,
    });
  const own = open(schema);
  sql = own.sql;
  close = async () => {
    await own.database.close();
    const admin = open("admin");
    await admin.sql.query({ text: `drop schema ${schema} cascade` });
    await admin.sql.query({ text: `drop role ${schema}` });
    await admin.database.close();
    rmSync(folder, { recursive: true });
  };
});
afterAll(() => close());

const { name, seed, vkey, key } = testKeys.keyLog;
const material: KeyMaterial = {
  name,
  seed,
  vkey,
  type: 1,
  keyId: key.keyId,
  publicKey: key.publicKey,
};

const open = (): Promise<KeyLog> => openKeyLog(sql, material, [], join(folder, "tiles"));

/** The statements of the tests' genesis, as their signers sent them. */
const statements = makeGenesis().entries.map((entry) => {
  const note = readNote(entry);
  const read = note.ok ? readStatement(note.note, "entry", keyEntryContextSchema) : undefined;
  return read?.ok === true ? (read.statement.inner ?? "") : "";
});

const sealAt = (keyLog: KeyLog, size: number): Promise<void> => {
  const checkpoint = { origin: name, size, text: "", note: "" };
  return keyLog.sealed({ checkpoint, note: `sealed at ${size}`, timeMs: 0 });
};

test("an instance that waited reads what the other has appended and sealed meanwhile", async () => {
  const waiting = await open();
  const writing = await open();
  for (const inner of statements.slice(0, 2)) await writing.append(inner, genesisMs);
  await sealAt(writing, 2);
  expect(waiting.cosigned()).toBeUndefined();
  await waiting.refresh();
  expect(waiting.entries()).toEqual(writing.entries());
  expect(waiting.checkpoint()).toEqual(writing.checkpoint());
  expect(waiting.cosigned()?.cited).toEqual(writing.cosigned()?.cited);
  // It goes on from there, and the other one after it.
  expect(await waiting.append(statements[2] ?? "", genesisMs)).toEqual({ ok: true, seq: 2 });
  await writing.refresh();
  expect(writing.entries()).toEqual(waiting.entries());
});

test("statements that come at once are judged and kept one after the other", async () => {
  const keyLog = await open();
  const begun = keyLog.entries().length;
  const rest = statements.slice(begun);
  const appended = await Promise.all(rest.map((inner) => keyLog.append(inner, genesisMs)));
  expect(appended).toEqual(rest.map((_, at) => ({ ok: true, seq: begun + at })));
  const again = await Promise.all([0, 1].map(() => keyLog.append(rest[0] ?? "", genesisMs)));
  expect(again).toMatchObject([{ code: "replayed" }, { code: "replayed" }]);
  expect((await open()).entries()).toEqual(keyLog.entries());
});

test("what lanes cite never goes backwards, whatever order the seals are stored in", async () => {
  const keyLog = await open();
  await Promise.all([sealAt(keyLog, 3), sealAt(keyLog, 5), sealAt(keyLog, 4)]);
  expect(keyLog.cosigned()?.cited.size).toBe(5);
  await sealAt(keyLog, 2);
  expect([keyLog.cosigned()?.cited.size, keyLog.sealedNote()]).toEqual([5, "sealed at 5"]);
  const later = await open();
  expect([later.cosigned()?.cited.size, later.sealedNote()]).toEqual([5, "sealed at 5"]);
  expect(later.cosigned()?.cited.root).toBe(later.history().roots[5]);
});
