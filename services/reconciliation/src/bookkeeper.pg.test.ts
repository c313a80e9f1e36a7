import { auditEntry, auditTotals, type AuditTotals } from "@sealane/rules";
import { begin, hk, makeLog, policy, testKey, testKeys, type World } from "@sealane/rules/testing";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { Incoming } from "./bookkeeper.ts";
import {
  messageOf,
  openTestSchema,
  publish,
  readBooks,
  record,
  startBooks,
  type TestBooks,
  type TestBooksOptions,
} from "./test-books.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(() => schema.close());

const start = (world: World, options: Partial<TestBooksOptions> = {}): TestBooks =>
  startBooks(schema.sql, world, { policy, ...options });

const foldOf = (world: World, applied: number): AuditTotals => {
  const state = begin(world, false);
  for (const note of world.entries.slice(0, applied)) {
    expect(auditEntry(state, note)).toMatchObject({ ok: true });
  }
  return auditTotals(state);
};

const everything = { participant: undefined, currency: undefined };

/** Promise 7: the balances in Postgres are the fold of the log, and the sums of their postings. */
const expectBooks = async (world: World, applied = world.entries.length): Promise<void> => {
  const { balances } = foldOf(world, applied);
  const reader = readBooks(schema.sql);
  const now = await reader.balances(everything, undefined);
  expect(now).toMatchObject({ applied });
  const lines = (rows: AuditTotals["balances"]): string[] =>
    rows.map((row) => `${row.account} ${row.currency} ${row.debits} ${row.credits}`).toSorted();
  expect(lines(now.rows)).toEqual(lines(balances));
  expect(lines((await reader.balances(everything, applied)).rows)).toEqual(lines(balances));
  const { rows } = await schema.sql.query({ text: "select * from book_differences(0)" });
  expect(rows).toEqual([]);
};

describe("what the ledger publishes", () => {
  it("becomes balances that are the fold of the log, and a seal", async () => {
    const world = makeLog();
    const { keeper, letters } = start(world);
    await keeper.take(publish(world));
    await expectBooks(world);
    expect(keeper.standing()).toMatchObject({ applied: 11, sealedSize: 11 });
    expect(letters).toEqual([]);
  });

  it("is posted once when it is told twice", async () => {
    const world = makeLog();
    const { keeper } = start(world);
    const again = publish(world).map(({ value }, at) => ({ offset: BigInt(at + 12), value }));
    await keeper.take([...publish(world), ...again]);
    await expectBooks(world);
    expect(await keeper.nextOffset(false)).toBe(24n);
  });

  it("is posted once by two instances, of which the slower one begins again", async () => {
    const world = makeLog();
    const [one, other] = [start(world), start(world)];
    await one.keeper.take(publish(world).slice(0, 5));
    await other.keeper.take(publish(world).slice(0, 8));
    const behind = one.keeper.take(publish(world));
    await expect(behind).rejects.toMatchObject({ code: "books-moved", retryable: true });
    await expectBooks(world, 8);
    await one.keeper.take(publish(world));
    await expectBooks(world);
  });

  it("goes on after a restart at every message, with all that the fold has to remember", async () => {
    const world = makeLog();
    for (const message of publish(world)) await start(world).keeper.take([message]);
    await expectBooks(world);
    const { keeper, fetched } = start(world);
    expect(await keeper.nextOffset(false)).toBe(12n);
    expect(keeper.standing()).toMatchObject({ applied: 11, sealedSize: 11 });
    expect(fetched).toEqual([]);
  });

  it.each([
    ["before it was stored", false],
    ["after it was stored", true],
  ])("is posted once when storing broke off %s", async (_when, stored) => {
    const world = makeLog();
    let breaking = true;
    const { keeper } = start(world, {
      store: (store) => ({
        ...store,
        save: async (books) => {
          if (!breaking || stored) await store.save(books);
          if (breaking) throw new Error("the connection was lost");
        },
      }),
    });
    await expect(keeper.take(publish(world))).rejects.toThrow("the connection was lost");
    await expectBooks(world, stored ? 11 : 0);
    breaking = false;
    await keeper.take(publish(world));
    await expectBooks(world);
  });

  it("is completed from the log where messages are missing", async () => {
    const world = makeLog();
    const { keeper, fetched } = start(world);
    const messages = publish(world);
    await keeper.take([0, 6].flatMap((at) => messages[at] ?? []));
    expect(fetched).toEqual([1]);
    await expectBooks(world, 7);
    await keeper.take(messages.slice(11));
    expect(fetched).toEqual([1, 7]);
    await expectBooks(world);
  });

  it("is completed from the log when the topic is silent", async () => {
    const world = makeLog();
    const { keeper } = start(world);
    await keeper.catchUp();
    await expectBooks(world);
    expect(keeper.standing()).toMatchObject({ sealedSize: 11 });
  });

  it("is judged by keys that were logged after the start", async () => {
    const world = makeLog();
    const old = world.keyLog.history();
    const fresh = testKey(`${hk}/k3`);
    const body = { participant: hk, purpose: "transfer", vkey: fresh.vkey };
    world.keyLog.log("key", body, [testKeys.hkRoot, fresh], world.nowMs());
    world.publishSheet();
    const { keeper } = start(world, { history: () => old });
    await keeper.take(publish(world));
    await expectBooks(world, 12);
    expect(keeper.standing()).toMatchObject({ applied: 12 });
  });

  it("is compared with a seal of entries that an earlier process posted", async () => {
    const world = makeLog();
    await start(world).keeper.take(publish(world).slice(0, 11));
    const { keeper } = start(world);
    await keeper.take([record(11, messageOf([], 7, 7, world.checkpoint(7)))]);
    expect(keeper.standing()).toMatchObject({ applied: 11, sealedSize: 7 });
  });
});

describe("a message that is none of the ledger's", () => {
  const cases: [what: string, value: (world: World) => unknown, code: string][] = [
    ["not JSON", () => "{", "message-malformed"],
    ["another version", (world) => ({ ...messageOf(world.entries, 0), v: 2 }), "message-schema"],
    ["another lane", (world) => ({ ...messageOf(world.entries, 0), lane: 1 }), "wrong-lane"],
    ["out of order", (world) => ({ ...messageOf(world.entries, 0), from: 1 }), "not-consecutive"],
    [
      "an entry that is not in the log",
      (world) => messageOf([`${world.entries[0]}x`], 0),
      "entry-not-in-log",
    ],
    [
      "a checkpoint with too few cosignatures",
      (world) => messageOf([], 5, 5, world.checkpoint(5, 2)),
      "quorum-missing",
    ],
    [
      "the key log's checkpoint",
      (world) => messageOf([], 5, 5, world.keyCheckpoint()),
      "wrong-log",
    ],
  ];

  it.each(cases)("is dead-lettered and blocks nothing: %s", async (_what, value, code) => {
    const world = makeLog();
    const { keeper, letters, faults } = start(world);
    const good = publish(world).map((one): Incoming => ({ ...one, offset: one.offset + 1n }));
    await keeper.take([record(0, value(world)), ...good]);
    expect(letters).toEqual([code]);
    expect(faults).toEqual([]);
    await expectBooks(world);
  });

  it("is given up when it begins after the end of the log, and what it hides is fetched", async () => {
    const world = makeLog();
    const { keeper, letters } = start(world);
    const far = record(0, { v: 1, lane: 0, from: 1_000_000, entries: [] });
    let tries = 0;
    for (let taken = false; !taken && tries < 50; tries += 1) {
      taken = await keeper.take([far]).then(
        () => true,
        () => false,
      );
    }
    expect({ tries, letters }).toEqual({ tries: 20, letters: ["gap-not-in-log"] });
    await keeper.take([record(1, messageOf([], 11, 11, world.checkpoint()))]);
    await expectBooks(world);
  });
});
