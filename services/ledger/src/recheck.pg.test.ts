// One byte changes on disk: of an entry's row (as a superuser can), of a tile's file. The recheck names the
// place, and finds nothing where nothing changed.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDatabase } from "@sealane/database";
import { entryText, formatTime, zeroHash } from "@sealane/protocol";
import { origin, signed, testKeys } from "@sealane/rules/testing";
import {
  appendLeaves,
  composeNote,
  emptyRange,
  formatCheckpointText,
  leafHash,
  rangeRoot,
  signNoteLine,
  toBase64,
  utf8,
} from "@sealane/tlog";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { makeRecheck } from "./recheck.ts";
import { openTestSchema } from "./test-lane.ts";
import { openTree, type Tree } from "./tree.ts";

/** Two full tiles and a partial one. */
const size = 600;

const makeEntries = (): string[] => {
  const entries: string[] = [];
  for (let seq = 0; seq < size; seq += 1) {
    const before = entries.at(-1);
    const prev = before === undefined ? zeroHash : toBase64(leafHash(utf8(before)));
    const draft = {
      seq,
      time: formatTime(1_800_000_000_000 + seq),
      keys: { size: 1, root: zeroHash },
      outcome: "recorded",
      reason: undefined,
      rules: 1,
      chains: [],
      postings: [],
      inner: "an inner note\n",
    } as const;
    entries.push(
      signed(
        entryText(origin, draft, prev, () => zeroHash),
        [testKeys.entry],
      ),
    );
  }
  return entries;
};

const entries = makeEntries();
const hashes = entries.map((entry) => leafHash(utf8(entry)));
const checkpointText = formatCheckpointText({
  origin,
  size,
  root: rangeRoot(appendLeaves(emptyRange(), hashes)),
  extensions: [],
});
const { name, seed } = testKeys.checkpoint;
const checkpoint = composeNote(checkpointText, [signNoteLine(name, seed, checkpointText)]);

let schema: Awaited<ReturnType<typeof openTestSchema>>;
let tree: Tree;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
  await schema.sql.query({
    text: `insert into entry (lane, seq, leaf_hash, bytes)
      select 0, at - 1, leaf, bytes
      from unnest($1::bytea[], $2::bytea[]) with ordinality as t(leaf, bytes, at)`,
    values: [hashes.map((hash) => Buffer.from(hash)), entries.map((one) => Buffer.from(one))],
  });
  tree = openTree(join(schema.dir, "tiles"));
  tree.append(hashes);
});
afterEach(() => schema.close());

const recheck = () =>
  makeRecheck({
    sql: schema.sql,
    lane: 0,
    tree,
    checkpoint: () => checkpoint,
    perSecond: 1_000_000,
    onCorrupt: () => undefined,
    onRound: () => undefined,
    onError: () => undefined,
  }).round(new AbortController().signal);

/** What no role of ours may do. */
const asSuperuser = async (statement: string): Promise<void> => {
  const { rows } = await schema.sql.query<{ name: string }>({
    text: "select current_schema() as name",
  });
  const { pool, close } = createDatabase({
    url: inject("databaseUrl"),
    applicationName: "recheck-test",
    poolSize: 1,
    schema: rows[0]?.name ?? "",
    statementTimeoutMs: 5_000,
  });
  const client = await pool.connect();
  await client.query("set session_replication_role = replica");
  await client.query(statement);
  client.release(true);
  await close();
};

test("a disk that has what was written", async () => {
  expect(await recheck()).toBeUndefined();
});

test("one byte of an entry", async () => {
  await asSuperuser("update entry set bytes = set_byte(bytes, 40, 63) where seq = 300");
  expect(await recheck()).toMatchObject({ position: 300 });
});

test("an entry with the hash that its new bytes have", async () => {
  await asSuperuser(`update entry set bytes = overlay(bytes placing '?' from 20),
    leaf_hash = sha256('\\x00'::bytea || overlay(bytes placing '?' from 20)) where seq = 570`);
  // Its own hash fits; the next entry names another.
  expect(await recheck()).toMatchObject({ position: 571 });
});

test("the last entry with another hash: nothing follows it, but the checkpoint knows it", async () => {
  await asSuperuser(`update entry set bytes = overlay(bytes placing '?' from 20),
    leaf_hash = sha256('\\x00'::bytea || overlay(bytes placing '?' from 20)) where seq = 599`);
  expect(await recheck()).toMatchObject({ position: size });
});

test("an entry that is gone", async () => {
  await asSuperuser("delete from entry where seq = 12");
  expect(await recheck()).toMatchObject({ position: 12 });
});

test("one byte of a tile's file", async () => {
  const file = join(schema.dir, "tiles", "tile", "0", "001");
  const bytes = readFileSync(file);
  bytes[32 * 7 + 3] = (bytes[32 * 7 + 3] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  expect(await recheck()).toMatchObject({ position: 256 + 7 });
});
