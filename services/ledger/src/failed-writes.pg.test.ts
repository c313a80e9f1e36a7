// Each write of the write path fails: once not stored, once stored although its answer was lost. The lane
// throws its state away, loads what is there, and goes on: nothing is lost, nothing twice. And writers
// that lost their lane without knowing it: whatever they do then, nothing new comes of it.
import type { Sql } from "@sealane/database";
import { OperationalError } from "@sealane/runtime";
import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import {
  faultsOfPublished,
  faultsOfStored,
  makeTransfers,
  testLaneKeys,
} from "./testing/commands.ts";
import { openTestSchema, startTestLane, type TestLane } from "./test-lane.ts";

type Statement = Parameters<Sql["query"]>[0];
type Ends = "not stored" | "stored";

const lost = (): OperationalError =>
  new OperationalError("connection-lost", "the answer was lost", { retryable: true });

/** Statements of the write path, as they are known by here. */
const writes = {
  "take the lane": ({ text }: Statement) => text.startsWith("insert into lane "),
  "save a batch": ({ name }: Statement) => name === "lane-save",
  "note what was published": ({ name }: Statement) => name === "lane-sealed",
  "renew the lease": ({ name }: Statement) => name === "lane-renew",
} as const;
type Write = keyof typeof writes;

/** Fails the n-th statement of a kind, before or after it was carried out. */
const failing = (sql: Sql, write: Write, ends: Ends, nth: number) => {
  let seen = 0;
  let failed = 0;
  const query: Sql["query"] = async (statement) => {
    if (!writes[write](statement) || ++seen !== nth) return sql.query(statement);
    failed += 1;
    if (ends === "stored") await sql.query(statement);
    throw lost();
  };
  return { sql: { query }, failed: () => failed };
};

/** Holds back statements of a kind, from a moment on, until they are let go. */
const holding = (sql: Sql, write: Write) => {
  const gate = Promise.withResolvers<void>();
  let held = 0;
  let closed = false;
  const query: Sql["query"] = async (statement) => {
    if (closed && writes[write](statement)) {
      held += 1;
      await gate.promise;
    }
    return sql.query(statement);
  };
  return {
    sql: { query },
    close: () => (closed = true),
    held: () => held,
    letGo: () => gate.resolve(),
  };
};

let schema: Awaited<ReturnType<typeof openTestSchema>>;
const running: TestLane[] = [];
const gates: (() => void)[] = [];
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(async () => {
  for (const open of gates.splice(0)) open();
  await Promise.all(running.splice(0).map((lane) => lane.stop()));
  await schema.close();
});

const eventually = <T>(look: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(look, { timeout: 5_000 });

type Transfers = ReturnType<typeof makeTransfers>;
type Options = Partial<Parameters<typeof startTestLane>[0]>;

const start = ({ nowMs, records }: Transfers, options: Options = {}): TestLane => {
  const lane = startTestLane({
    ...testLaneKeys,
    sql: schema.sql,
    dir: schema.dir,
    clock: () => nowMs,
    records,
    ...options,
  });
  running.push(lane);
  return lane;
};

/** One more record of the topic, which every writer of the lane reads. */
const feed = (lanes: readonly TestLane[], { records }: Transfers, value: string): void => {
  const record = { offset: BigInt(records.length), value: Buffer.from(value) };
  records.push(record);
  for (const lane of lanes) void lane.writer.push([record]);
};

const stored = async (): Promise<{ size: number; open: number }> => {
  const { rows } = await schema.sql.query<{ size: bigint; open: bigint }>({
    text: "select size, (select count(*) from open_transfer) as open from lane",
  });
  return { size: Number(rows[0]?.size), open: Number(rows[0]?.open) };
};

const untilWritten = ({ entries }: Transfers) =>
  eventually(async () => expect(await stored()).toEqual({ size: entries, open: 0 }));

const untilProposed = (lanes: readonly TestLane[], { ids }: Transfers) =>
  eventually(() => {
    const told = lanes.flatMap(({ published }) => published).map(({ value }) => value.toString());
    const proposals = told.filter((value) => value.includes('"type":"proposal"')).join("");
    expect(ids.filter((id) => !proposals.includes(id))).toEqual([]);
  });

/** As the payee does: accepts what was proposed, in a batch each. */
const acceptAll = async (lanes: readonly TestLane[], transfers: Transfers): Promise<void> => {
  await untilProposed(lanes, transfers);
  for (const [at, accept] of transfers.accepts.entries()) {
    feed(lanes, transfers, accept);
    const size = transfers.entries - transfers.accepts.length + at + 1;
    await eventually(async () => expect((await stored()).size).toBe(size));
  }
};

const expectSound = async (lanes: readonly TestLane[], transfers: Transfers): Promise<void> => {
  await untilWritten(transfers);
  expect(await faultsOfStored(schema.sql, transfers.ids)).toEqual([]);
  await eventually(() => {
    const published = lanes.flatMap((lane) => lane.published);
    expect(faultsOfPublished(published, transfers.entries)).toEqual([]);
  });
};

const ends: readonly Ends[] = ["not stored", "stored"];

describe.each(ends)("a write that fails and was %s", (how) => {
  test.each([
    ["take the lane", 1],
    ["save a batch", 1],
    ["save a batch", 2],
    ["save a batch", 4],
    ["note what was published", 1],
  ] as const)("%s, time %i: the lane goes on from what is there", async (write, nth) => {
    const transfers = makeTransfers(6);
    const faulty = failing(schema.sql, write, how, nth);
    const lane = start(transfers, { sql: faulty.sql });
    await acceptAll([lane], transfers);
    await expectSound([lane], transfers);
    await eventually(() => expect(faulty.failed()).toBe(1));
    await eventually(() => expect(lane.errors).toHaveLength(1));
    await eventually(() => expect(lane.writer.trouble()).toBeUndefined());
    await expectSound([lane], transfers);
  });

  test("the lease's renewal: the lane goes on from what is there", async () => {
    const transfers = makeTransfers(6);
    const faulty = failing(schema.sql, "renew the lease", how, 1);
    let { nowMs } = transfers;
    const lane = start(transfers, { sql: faulty.sql, clock: () => nowMs });
    await untilProposed([lane], transfers);
    nowMs += 1_500;
    await eventually(() => expect(faulty.failed()).toBe(1));
    await acceptAll([lane], transfers);
    await expectSound([lane], transfers);
  });

  test("publishing: it is sent again, and nobody gets it twice under two numbers", async () => {
    const transfers = makeTransfers(6);
    let sends = 0;
    let failed = 0;
    const produce = (send: () => void): Promise<void> => {
      sends += 1;
      const fails = sends % 2 === 1;
      if (!fails || how === "stored") send();
      if (!fails) return Promise.resolve();
      failed += 1;
      return Promise.reject(lost());
    };
    const lane = start(transfers, { produce });
    await acceptAll([lane], transfers);
    await expectSound([lane], transfers);
    expect(failed).toBeGreaterThan(1);
  });
});

describe("a writer that lost its lane", () => {
  /** What a lease that ran out looks like to the next writer. */
  const endLease = () =>
    schema.sql.query({ text: "update lane set lease_until = now() - interval '1 second'" });

  test("stopped before it saves, it is fenced when it wakes, and publishes nothing", async () => {
    const transfers = makeTransfers(6);
    const port = holding(schema.sql, "save a batch");
    gates.push(port.letGo);
    const first = start(transfers, { sql: port.sql, holder: "first" });
    await untilProposed([first], transfers);
    port.close();
    feed([first], transfers, transfers.accepts[0] ?? "");
    await eventually(() => expect(port.held()).toBe(1));
    await endLease();
    const second = start(transfers, { holder: "second" });
    for (const accept of transfers.accepts.slice(1)) feed([second], transfers, accept);
    await untilWritten(transfers);
    const before = first.published.length;
    port.letGo();
    await eventually(() => {
      expect(first.errors).toContainEqual({ err: expect.objectContaining({ code: "fenced" }) });
      expect(first.writer.trouble()).toBe("another instance holds the lane");
    });
    expect(first.published).toHaveLength(before);
    await expectSound([first, second], transfers);
  });

  test("stopped before it saves what adds no entry, it is fenced by its epoch alone", async () => {
    const transfers = makeTransfers(6);
    const port = holding(schema.sql, "save a batch");
    gates.push(port.letGo);
    const first = start(transfers, { sql: port.sql, holder: "first" });
    await untilProposed([first], transfers);
    const before = await stored();
    port.close();
    // An intent once more: its payer is told again that it is reserved.
    feed([first], transfers, String(transfers.records.at(-1)?.value));
    await eventually(() => expect(port.held()).toBe(1));
    await endLease();
    const second = start(transfers, { holder: "second" });
    await eventually(() => expect(second.writer.trouble()).toBeUndefined());
    expect(await stored()).toEqual(before);
    port.letGo();
    await eventually(() =>
      expect(first.errors).toContainEqual({ err: expect.objectContaining({ code: "fenced" }) }),
    );
    await acceptAll([second], transfers);
    await expectSound([first, second], transfers);
  });

  test("stopped while it publishes, it sends nothing that the next one has not sent", async () => {
    const transfers = makeTransfers(6);
    const gate = Promise.withResolvers<void>();
    gates.push(gate.resolve);
    const produce = async (send: () => void): Promise<void> => {
      await gate.promise;
      send();
    };
    const first = start(transfers, { holder: "first", produce });
    await eventually(async () => expect((await stored()).open).toBe(6));
    await endLease();
    const second = start(transfers, { holder: "second" });
    await acceptAll([second], transfers);
    await expectSound([second], transfers);
    gate.resolve();
    await eventually(() => expect(first.published.length).toBeGreaterThan(0));
    await expectSound([first, second], transfers);
  });

  test("asked by a witness how it can be behind, it waits when another has the lane", async () => {
    const transfers = makeTransfers(6);
    const first = start(transfers, { holder: "first" });
    await untilProposed([first], transfers);
    await endLease();
    const second = start(transfers, { holder: "second" });
    await eventually(() => expect(second.writer.trouble()).toBeUndefined());
    first.writer.doubt("a witness has seen more than this instance has written");
    await eventually(() => {
      expect(first.writer.trouble()).toBe("another instance holds the lane");
    });
    await acceptAll([second], transfers);
    await expectSound([second], transfers);
    // And it is of use again: the lane is its own when the other one is gone.
    await second.stop();
    await endLease();
    await eventually(() => expect(first.writer.trouble()).toBeUndefined());
    await expectSound([first, second], transfers);
  });

  test("one that takes it over builds on nothing that a witness has seen more of", async () => {
    const transfers = makeTransfers(6);
    const first = start(transfers, { holder: "first" });
    await untilProposed([first], transfers);
    const { size } = await stored();
    const asked: unknown[] = [];
    const second = start(transfers, {
      holder: "second",
      confirm: (...told) => {
        asked.push(told);
        return Promise.resolve("a witness has more: do not sign, recover");
      },
    });
    await first.stop();
    await endLease();
    await eventually(() => expect(second.writer.trouble()).toContain("do not sign"));
    expect(asked).toEqual([[size, false]]);
    for (const accept of transfers.accepts) feed([second], transfers, accept);
    expect((await stored()).size).toBe(size);
    expect(second.published).toEqual([]);
  });

  test("two that take it from each other write one log", async () => {
    const transfers = makeTransfers(12);
    const lanes = [start(transfers), start(transfers)];
    await acceptAll(lanes, transfers);
    await expectSound(lanes, transfers);
    expect(await stored()).toEqual({ size: transfers.entries, open: 0 });
  });
});
