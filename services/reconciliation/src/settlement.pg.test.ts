// Windows in Postgres: what the log says, on two paths that must agree, and the same again from nothing.
import {
  cut,
  bankLinesOf,
  makeSettlingWorld,
  netsOf,
  policy,
  say,
  settle,
} from "@sealane/rules/testing";
import type { World } from "@sealane/rules/testing";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { openTestSchema, publish, startBooks } from "./test-books.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(() => schema.close());

/** Two windows: one is settled, of the other, by a statement in parts, one participant is held. */
const makeLog = (): World => {
  const world = makeSettlingWorld();
  world.transfer({ key: "a" });
  world.transfer({ key: "b", fixed: "receive", amount: "500.00" });
  settle(world, bankLinesOf(netsOf(cut(world))));
  world.transfer({ key: "c" });
  const nets = netsOf(cut(world, 1));
  const held = bankLinesOf(nets, (_, who) =>
    who === "ph-wallet.example" ? { status: "rejected", reason: "AC04" } : {},
  );
  const window = { corridor: "hkd-php", number: 1, attempt: 0 };
  // In parts: a start may come between two of them.
  const body = { reference: "STATEMENT-2", window, lines: held };
  world.run([say.handedIn(say.statementParts(world.keys(), body, 2))]);
  world.transfer({ key: "d" });
  return world;
};

const dump = async (): Promise<unknown[]> => {
  const tables = [
    "select * from settlement order by lane, name",
    "select * from settlement_entry order by lane, seq",
    "select * from entry order by lane, seq",
    "select * from posting order by lane, seq, ordinal",
    "select * from balance order by lane, account, currency",
  ];
  const all: unknown[] = [];
  for (const text of tables) all.push((await schema.sql.query({ text })).rows);
  return all;
};

describe("windows in the books", () => {
  it("sum to the postings of their transfers, each of which is in one window", async () => {
    const world = makeLog();
    const { keeper, letters, faults } = startBooks(schema.sql, world, { policy });
    await keeper.take(publish(world));
    expect([letters, faults]).toEqual([[], []]);
    const differences = await schema.sql.query({ text: "select * from window_differences(0)" });
    expect(differences.rows).toEqual([]);
    const { rows } = await schema.sql.query<{ windows: bigint; entries: bigint }>({
      text: `select count(*) as entries, count(w.seq) as windows from entry e
        left join settlement_entry w on w.lane = e.lane and w.kind = 'window-cut'
          and w.corridor = e.corridor and e.seq < w.seq and not exists (
            select 1 from settlement_entry earlier where earlier.lane = e.lane
              and earlier.kind = 'window-cut' and earlier.corridor = e.corridor
              and earlier.seq > e.seq and earlier.seq < w.seq)
        where e.corridor is not null`,
    });
    expect(rows).toEqual([{ entries: 4n, windows: 3n }]);
  });

  it("are the same bytes when they are built again from nothing, or entry by entry", async () => {
    const world = makeLog();
    await startBooks(schema.sql, world, { policy }).keeper.take(publish(world));
    const before = await dump();
    await schema.close();
    schema = await openTestSchema(inject("databaseUrl"));
    // A start after each entry: also between a cut and its nets.
    for (const record of publish(world)) {
      await startBooks(schema.sql, world, { policy }).keeper.take([record]);
    }
    expect(await dump()).toEqual(before);
  });
});

it("an adjustment's note with a character that Postgres does not keep does not end the books", async () => {
  const world = makeSettlingWorld();
  world.run([say.adjustment(world.keys(), { note: "a\0b \\u0000 \\\0" })]);
  world.transfer({ key: "after" });
  const { keeper, faults } = startBooks(schema.sql, world, { policy });
  await keeper.take(publish(world));
  expect(faults).toEqual([]);
  expect(keeper.standing()?.applied).toBe(world.entries.length);
  const { rows } = await schema.sql.query<{ note: string }>({
    text: "select body->>'note' as note from settlement_entry where kind = 'adjustment'",
  });
  // What was written as text stays text.
  expect(rows).toEqual([{ note: "a\uFFFDb \\u0000 \\\uFFFD" }]);
});
