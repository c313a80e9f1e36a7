// An instance that stands by for another's lane: it begins none, leaves a lane that is renewed alone, takes one
// that is not, and goes on with just what was stored.
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import {
  faultsOfPublished,
  faultsOfStored,
  makeTransfers,
  testLaneKeys,
} from "./testing/commands.ts";
import { openTestSchema, startTestLane, type TestLane } from "./test-lane.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
const running: TestLane[] = [];
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((lane) => lane.stop()));
  await schema.close();
});

const eventually = <T>(look: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(look, { timeout: 30_000 });

/** Longer than a busy machine holds a process up. */
const leaseMs = 10_000;

type Transfers = ReturnType<typeof makeTransfers>;
type Options = Partial<Parameters<typeof startTestLane>[0]>;

const start = ({ nowMs, records }: Transfers, options: Options): TestLane => {
  const { sql, dir } = schema;
  const startedMs = performance.now();
  // It goes: a lease is renewed by it.
  const clock = (): number => Math.floor(nowMs + performance.now() - startedMs);
  const lane = startTestLane({ ...testLaneKeys, sql, dir, clock, records, ...options });
  running.push(lane);
  return lane;
};

const laneRow = async (): Promise<{ holder: string; size: number } | undefined> => {
  const { rows } = await schema.sql.query<{ holder: string; size: bigint }>({
    text: "select holder, size from lane",
  });
  const [row] = rows;
  return row === undefined ? undefined : { holder: row.holder, size: Number(row.size) };
};

const leaseUntil = async (): Promise<number> => {
  const { rows } = await schema.sql.query<{ ms: number }>({
    text: "select (extract(epoch from lease_until) * 1000)::float8 as ms from lane",
  });
  return rows[0]?.ms ?? 0;
};

test("begins no lane, and takes one over when its holder is gone", async () => {
  const transfers = makeTransfers(4);
  const held: boolean[] = [];
  const standby = start(transfers, {
    holder: "other",
    standbyAfterMs: 0,
    leaseMs,
    onHeld: (isHeld) => held.push(isHeld),
  });
  await eventually(() => expect(held).toContain(false));
  expect(await laneRow()).toBeUndefined();

  const home = start(transfers, { holder: "home", leaseMs });
  await eventually(async () => expect((await laneRow())?.size).toBe(3));
  // As long as it is renewed it is left alone.
  const looks = held.length;
  const until = await leaseUntil();
  await eventually(async () => expect(await leaseUntil()).toBeGreaterThan(until));
  await eventually(() => expect(held.length).toBeGreaterThan(looks + 3));
  expect(await laneRow()).toMatchObject({ holder: "home" });
  expect(held).not.toContain(true);

  await home.stop();
  await eventually(() => expect(held.at(-1)).toBe(true));
  expect(await laneRow()).toMatchObject({ holder: "other", size: 3 });
  for (const line of transfers.accepts) await standby.push(line);
  await eventually(async () => expect((await laneRow())?.size).toBe(transfers.entries));
  expect(await faultsOfStored(schema.sql, transfers.ids)).toEqual([]);
  expect(faultsOfPublished([...home.published, ...standby.published], transfers.entries)).toEqual(
    [],
  );
});

test("a holder that is stopped in order lets the lane go: nobody waits for its lease", async () => {
  const transfers = makeTransfers(2);
  // Longer than this test may take.
  const hour = 3_600_000;
  const home = start(transfers, { holder: "home", leaseMs: hour });
  await eventually(async () => expect((await laneRow())?.size).toBe(3));
  const standby = start(transfers, { holder: "other", standbyAfterMs: 0, leaseMs: hour });
  await eventually(() => expect(standby.writer.trouble()).toContain("another instance"));

  await home.stop();
  await eventually(async () => expect(await laneRow()).toMatchObject({ holder: "other" }));
  await eventually(() => expect(standby.writer.trouble()).toBeUndefined());
});

test("whoever stands by has the tree of what is sealed, and of nothing that is only stored", async () => {
  const transfers = makeTransfers(4);
  const home = start(transfers, { holder: "home", leaseMs });
  await eventually(async () => expect((await laneRow())?.size).toBe(3));
  const standby = start(transfers, { holder: "other", standbyAfterMs: 0, leaseMs });
  await eventually(() => expect(standby.writer.trouble()).toContain("another instance"));
  expect(standby.treeSize()).toBe(0);

  await schema.sql.query({ text: "update lane set sealed_size = 2" });
  await eventually(() => expect(standby.treeSize()).toBe(2));
  await home.stop();
  await eventually(() => expect(standby.treeSize()).toBe(3));
});
