// For tests: a lane's writer on a real Postgres, with an input that is a list, keys that a test may break,
// and what would be published kept in memory.
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openServiceDatabase, runMigrations, type Sql } from "@sealane/database";
import type { KeyHistory, KeysCited, KeyState } from "@sealane/rules";
import type { KeyMaterial } from "@sealane/signer";
import { assemble } from "./assembler.ts";
import { makeLaneStore } from "./lane-store.ts";
import { makeLaneWriter, type LaneInput } from "./lane-writer.ts";
import type { RawCommand } from "./open-command.ts";
import type { Outgoing } from "./publisher.ts";
import { makeSetAsideDesk } from "./set-aside.ts";
import { openTree } from "./tree.ts";

const folder = fileURLToPath(new URL("../../../migrations/ledger/", import.meta.url));

/** A fresh schema with the service's own role. */
export const openTestSchema = async (url: string) => {
  const schema = `lane_${randomUUID().replaceAll("-", "")}`;
  const dir = mkdtempSync(join(tmpdir(), "sealane-lane-"));
  const passwordFile = join(dir, "password");
  writeFileSync(passwordFile, randomUUID());
  await runMigrations({ adminUrl: url, schema, folder, role: { name: schema, passwordFile } });
  const open = (user: string, file?: string) =>
    openServiceDatabase({
      url,
      user,
      passwordFile: file,
      schema,
      applicationName: "lane-test",
      poolSize: 2,
      onConnectionLost: () => undefined,
    });
  const { database, sql } = open(schema, passwordFile);
  const close = async (): Promise<void> => {
    await database.close();
    const admin = open("admin");
    await admin.sql.query({ text: `drop schema ${schema} cascade` });
    await admin.sql.query({ text: `drop role ${schema}` });
    await admin.database.close();
    rmSync(dir, { recursive: true });
  };
  return { sql, dir, close };
};

export type TestLaneOptions = {
  readonly sql: Sql;
  /** For tiles, of this instance alone. */
  readonly dir: string;
  readonly origin: string;
  readonly keys: () => { readonly keys: KeyState; readonly cited: KeysCited };
  readonly history: () => KeyHistory;
  readonly clock: () => number;
  readonly clockTrouble?: () => string | undefined;
  readonly entryKey: KeyMaterial;
  readonly checkpointKey: KeyMaterial;
  /** Which lane; without it lane 0. */
  readonly lane?: number;
  /** How long the lease holds; without it as long as the service's. */
  readonly leaseMs?: number;
  readonly standbyAfterMs?: number;
  readonly onHeld?: (held: boolean) => void;
  /** Who holds the lease; writers of one name take the lane from each other. */
  readonly holder?: string;
  /** Whether the witnesses have seen more than is stored; without it they have not. */
  readonly confirm?: (size: number, continues: boolean) => Promise<string | undefined>;
  /** Stands between the writer and Kafka; without it every message arrives. */
  readonly produce?: (send: () => void) => Promise<void>;
  /** The lane's topic: what is in it when the writer begins, and what is pushed later. */
  readonly records: RawCommand[];
};

/** Starts a writer of a lane, as after a start of the service. */
export const startTestLane = (options: TestLaneOptions) => {
  const { sql, origin, keys, records, clock, entryKey, checkpointKey, lane = 0 } = options;
  const published: Outgoing[] = [];
  const produce = options.produce ?? ((send) => Promise.resolve(send()));
  const errors: object[] = [];
  const nothing = (): void => undefined;
  const desk = makeSetAsideDesk({
    sql,
    lane,
    origin,
    keys,
    checks: () => ({ origin, history: options.history(), signatures: true }),
  });
  const tree = openTree(join(options.dir, randomUUID()));
  const signing = { entry: entryKey, checkpoint: checkpointKey };
  const writer = makeLaneWriter({
    origin,
    lane,
    desk,
    store: makeLaneStore(sql, lane, origin),
    assembler: {
      assemble: (request) => Promise.resolve(assemble(origin, signing, request)),
      stop: () => Promise.resolve(),
    },
    tree,
    holder: options.holder ?? "test",
    leaseMs: options.leaseMs ?? 2_000,
    standbyAfterMs: options.standbyAfterMs,
    onHeld: options.onHeld ?? nothing,
    clock,
    keys,
    history: options.history,
    refreshKeys: () => Promise.resolve(),
    confirm: options.confirm ?? (() => Promise.resolve(undefined)),
    clockTrouble: options.clockTrouble ?? (() => undefined),
    publish: (messages) => {
      const send = (): void => void published.push(...messages);
      return produce(send);
    },
    onCheckpoint: nothing,
    metrics: { batch: nothing, sealed: nothing, deadLetter: nothing },
    spans: { batch: () => new Map(), sealed: nothing },
    log: { info: nothing, warn: nothing, error: (fields) => void errors.push(fields) },
  });
  const input: LaneInput = {
    start: (from) => writer.push(records.filter(({ offset }) => offset >= from)),
    stop: () => Promise.resolve(),
  };
  const running = writer.run(input);
  return {
    writer,
    desk,
    treeSize: tree.size,
    published,
    errors,
    push: (value: string): Promise<void> => {
      const record = { offset: BigInt(records.length), value: Buffer.from(value) };
      records.push(record);
      return writer.push([record]);
    },
    stop: async (): Promise<void> => {
      await writer.stop();
      await running;
    },
  };
};

export type TestLane = ReturnType<typeof startTestLane>;
