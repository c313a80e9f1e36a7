// For tests: the books in a schema of their own on a real Postgres, and a log that is a list of
// entries.
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LogReadError } from "@sealane/client";
import { openServiceDatabase, runMigrations, type Sql } from "@sealane/database";
import type { EntriesMessage } from "@sealane/protocol";
import type { KeyHistory } from "@sealane/rules";
import type { TlogPolicy } from "@sealane/tlog";
import { makeBookReader } from "./book-reader.ts";
import { makeBookkeeper, type Bookkeeper, type Incoming } from "./bookkeeper.ts";
import type { Fault } from "./books.ts";
import { makeBooksStore, type BooksStore } from "./books-store.ts";

const folder = fileURLToPath(new URL("../../../migrations/reconciliation/", import.meta.url));

/** A fresh schema with the service's own role. */
export const openTestSchema = async (url: string) => {
  const schema = `books_${randomUUID().replaceAll("-", "")}`;
  const dir = mkdtempSync(join(tmpdir(), "sealane-books-"));
  const passwordFile = join(dir, "password");
  writeFileSync(passwordFile, randomUUID());
  await runMigrations({ adminUrl: url, schema, folder, role: { name: schema, passwordFile } });
  const open = (user: string) =>
    openServiceDatabase({
      url,
      user,
      passwordFile: user === schema ? passwordFile : undefined, // else the URL's own user
      schema,
      applicationName: "books-test",
      poolSize: 2,
      onConnectionLost: () => undefined,
    });
  const { database, sql } = open(schema);
  const admin = open("admin");
  const close = async (): Promise<void> => {
    await database.close();
    await admin.sql.query({ text: `drop schema ${schema} cascade` });
    await admin.sql.query({ text: `drop role ${schema}` });
    await admin.database.close();
    rmSync(dir, { recursive: true });
  };
  return { database, sql, admin: admin.sql, close };
};

export type TestBooks = {
  readonly keeper: Bookkeeper;
  readonly letters: string[];
  readonly faults: Fault[];
  /** First entries of the ranges that were asked of the log. */
  readonly fetched: number[];
};

/** What is needed of the test kit's world, which only tests themselves may import. */
export type TestWorld = {
  readonly origin: string;
  readonly entries: readonly string[];
  readonly keyLog: { history(): KeyHistory };
  checkpoint(size?: number, count?: number): string;
  nowMs(): number;
};

export type TestBooksOptions = {
  /** What the service pins. */
  readonly policy: TlogPolicy;
  /** The log as it is served; the world's unless told. */
  readonly served?: () => readonly string[];
  readonly checkpoint?: () => string;
  readonly store?: (store: BooksStore) => BooksStore;
  readonly history?: () => KeyHistory;
};

/** One instance of the service's core, as after a start. */
export const startBooks = (sql: Sql, world: TestWorld, options: TestBooksOptions): TestBooks => {
  const letters: string[] = [];
  const faults: Fault[] = [];
  const fetched: number[] = [];
  const served = options.served ?? (() => world.entries);
  const { policy } = options;
  const { origin } = world;
  const store = makeBooksStore(sql, 0, origin);
  let seen = options.history?.() ?? world.keyLog.history();
  const keeper = makeBookkeeper({
    lane: 0,
    origin,
    policy,
    signatures: true,
    store: options.store?.(store) ?? store,
    log: {
      entries: (from, to) => {
        fetched.push(from);
        if (to > served().length) {
          return Promise.reject(new LogReadError("log-refused", `there is no entry ${to - 1}`));
        }
        return Promise.resolve(served().slice(from, to));
      },
      checkpoint: () => Promise.resolve(options.checkpoint?.() ?? world.checkpoint()),
    },
    keys: {
      history: () => seen,
      reach: () => {
        seen = world.keyLog.history();
        return Promise.resolve();
      },
    },
    onDeadLetter: (_record, code) => void letters.push(code),
    onStored: () => undefined,
    onFault: (fault) => void faults.push(fault),
    clock: () => world.nowMs(),
  });
  return { keeper, letters, faults, fetched };
};

export const readBooks = (sql: Sql) => makeBookReader(sql, 0);

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** A record of the topic. */
export const record = (offset: number, value: unknown): Incoming => ({
  offset: BigInt(offset),
  value: typeof value === "string" ? new TextEncoder().encode(value) : encode(value),
});

/** A message of entries `from` to `to`, exclusive, as the ledger publishes it. */
export const messageOf = (
  notes: readonly string[],
  from: number,
  to = notes.length,
  checkpoint?: string,
): EntriesMessage => ({
  v: 1,
  lane: 0,
  from,
  entries: notes.slice(from, to).map((note, at) => ({ type: "entry", seq: from + at, note })),
  ...(checkpoint === undefined ? {} : { checkpoint }),
});

/** All of a world as the ledger publishes it: a message per entry, then the seal. */
export const publish = ({ entries, checkpoint }: TestWorld): Incoming[] => [
  ...entries.map((_, seq) => record(seq, messageOf(entries, seq, seq + 1))),
  record(entries.length, messageOf([], entries.length, undefined, checkpoint())),
];
