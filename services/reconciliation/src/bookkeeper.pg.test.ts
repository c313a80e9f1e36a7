import {
  auditTotals,
  auditEntry,
  type AuditTotals,
} from "@sealane/rules";
import {
  begin,
  hk,
  makeFundedWorld,
  makeLog,
  ph,
  putTogether,
  takeApart,
  testKeys,
  type World,
} from "@sealane/rules/testing";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import {
  messageOf,
  openTestSchema,
  readBooks,
  record,
  startBooks,
  type TestBooks,
} from "./test-books.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(() => schema.close());

const foldOf = (world: World, entries = world.entries): AuditTotals => {
  const state = begin(world, false);
  for (const note of entries) expect(auditEntry(state, note)).toMatchObject({ ok: true });
  return auditTotals(state);
};

/** Promise 7: the balances in Postgres are the fold of the log, and the sums of their postings. */
const expectBooks = async (world: World, applied = world.entries.length): Promise<void> => {
  const { balances } = foldOf(world, world.entries.slice(0, applied));
  const none = { participant: undefined, currency: undefined };
  const now = await readBooks(schema.sql).balances(none, undefined);
  expect(now).toMatchObject({ applied });
  const sorted = (rows: readonly object[]) =>
    rows.map((row) => Object.entries(row).sort().join(" ")).sort();
  expect(sorted(now.rows)).toEqual(sorted(balances));
  const past = await readBooks(schema.sql).balances(none, applied);
  expect(sorted(past.rows)).toEqual(sorted(balances));
  const { rows } = await schema.sql.query({ text: "select * from book_differences(0)" });
  expect(rows).toEqual([]);
};

/** As the ledger publishes: a message per entry, then the seal of all of them. */
const publish = (world: World) => [
  ...world.entries.map((_, seq) => record(seq, messageOf(world.entries, seq, seq + 1))),
  record(world.entries.length, messageOf([], world.entries.length, undefined, world.checkpoint())),
];

const start = (world: World, options = {}): TestBooks => startBooks(schema.sql, world, options);

describe("a topic that the ledger wrote", () => {
  it("becomes balances that are the fold of the log, and a seal", async () => {
    const world = makeLog();
    const { keeper, letters } = start(world);
    await keeper.take(publish(world));
    await expectBooks(world);
    expect(keeper.standing()).toMatchObject({ applied: 11, sealedSize: 11 });
    expect(letters).toEqual([]);
  });

  it("is posted once when it is told twice, from the middle, and by another instance", async () => {
    const world = makeLog();
    const first = start(world);
    const second = start(world);
    await first.keeper.take(publish(world).slice(0, 5));
    await second.keeper.take(publish(world).slice(0, 8));
    const behind = first.keeper.take(publish(world));
    await expect(behind).rejects.toMatchObject({ code: "books-moved" });
    await first.keeper.take(publish(world));
    await second.keeper.take(publish(world)).catch(() => undefined);
    await second.keeper.take(publish(world));
    await expectBooks(world);
  });

  it("goes on after a restart at every message, with what the fold has to remember", async () => {
    const world = makeLog();
    const messages = publish(world);
    for (const message of messages) await start(world).keeper.take([message]);
    await expectBooks(world);
    const { keeper, fetched } = start(world);
    expect(await keeper.nextOffset(false)).toBe(12n);
    expect(keeper.standing()).toMatchObject({ applied: 11, sealedSize: 11 });
    expect(fetched).toEqual([]);
  });

  it("is not posted twice when the answer to a store got lost", async () => {
    const world = makeLog();
    let losing = true;
    const { keeper } = start(world, {
      store: (store: Parameters<NonNullable<object & { save?: never }["save"]>>[0]) => store,
    });
    const lossy = start(world, {
      store: (store: ReturnType<typeof Object> & { save(books: unknown): Promise<void> }) => ({
        ...store,
        save: async (books: unknown) => {
          await store.save(books);
          if (losing) throw new Error("the connection was lost");
        },
      }),
    });
    await expect(lossy.keeper.take(publish(world))).rejects.toThrow("connection was lost");
    losing = false;
    await lossy.keeper.take(publish(world));
    await keeper.take(publish(world));
    await expectBooks(world);
  });

  it("is completed from the log where messages are missing", async () => {
    const world = makeLog();
    const { keeper, fetched } = start(world);
    await keeper.take([publish(world)[0]!, publish(world)[6]!]);
    expect(fetched).toEqual([1]);
    await expectBooks(world, 7);
    await keeper.take(publish(world).slice(11));
    expect(fetched).toEqual([1, 7]);
    await expectBooks(world);
  });
});
