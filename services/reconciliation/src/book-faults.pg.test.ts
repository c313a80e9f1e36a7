import {
  cosignedCheckpoint,
  makeFundedWorld,
  makeLog,
  policy,
  putTogether,
  takeApart,
  testKeys,
  witnessKeys,
} from "@sealane/rules/testing";
import { appendLeaves, emptyRange } from "@sealane/tlog";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import {
  messageOf,
  openTestSchema,
  publish,
  readBooks,
  record,
  startBooks,
  type TestBooks,
  type TestBooksOptions,
  type TestWorld,
} from "./test-books.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(() => schema.close());

const start = (world: TestWorld, options: Partial<TestBooksOptions> = {}): TestBooks =>
  startBooks(schema.sql, world, { policy, ...options });

const appliedNow = async (): Promise<number> => {
  const everything = { participant: undefined, currency: undefined };
  return (await readBooks(schema.sql).balances(everything, undefined)).applied;
};

const whole = (entries: readonly string[]) => [record(0, messageOf(entries, 0))];

describe("a log that does not stand", () => {
  it("is posted up to the entry that is bad, also after a restart, and never beyond", async () => {
    const world = makeLog();
    const bad = world.entries.map((note, at) =>
      at === 6 ? note.replace("recorded", "expired") : note,
    );
    for (const begin of [start, start]) {
      const { keeper, faults } = begin(world, { served: () => bad });
      await expect(keeper.take(whole(bad))).rejects.toMatchObject({ retryable: false });
      expect(faults).toMatchObject([{ position: 6 }]);
      expect(keeper.fault()).toMatchObject({ position: 6 });
      await expect(keeper.take(publish(world))).rejects.toMatchObject({ retryable: false });
      expect(await appliedNow()).toBe(6);
    }
  });

  it("is posted up to the second end of an id, in one batch or in two", async () => {
    const world = makeLog();
    const pieces = world.entries.map(takeApart);
    const [last, third] = [pieces[10], pieces[3]];
    if (last === undefined || third === undefined) throw new Error("the log is too short");
    const { time, keys } = last.context;
    const twice = putTogether([...pieces, { ...last, context: { ...last.context, time, keys } }]);
    for (const cut of [0, 11]) {
      const { keeper, faults } = start(world, { served: () => twice });
      if (cut > 0) await keeper.take([record(0, messageOf(twice, 0, cut))]);
      const message = [record(1, messageOf(twice, cut))];
      await expect(keeper.take(message)).rejects.toMatchObject({ code: "ended-twice" });
      await expect(keeper.take(message)).rejects.toMatchObject({ code: "ended-twice" });
      expect(faults).toMatchObject([{ position: 11, code: "ended-twice" }]);
      expect(await appliedNow()).toBe(11);
    }
  });

  it("is not believed against a quorum that cosigned another root", async () => {
    const world = makeLog();
    const other = makeFundedWorld();
    while (other.entries.length < 11) other.transfer({ key: `other-${other.entries.length}` });
    const { keeper, faults } = start(world);
    const [message] = whole(world.entries);
    const forked = record(1, messageOf([], 11, 11, other.checkpoint(11)));
    await expect(keeper.take(message === undefined ? [] : [message, forked])).rejects.toThrow();
    expect(faults).toMatchObject([{ position: 11, code: "root-mismatch" }]);
    expect(await appliedNow()).toBe(11);
    expect((await readBooks(schema.sql).progress())?.sealedSize).toBe(0);
  });

  it("is not believed with a log time that its witnesses had not reached", async () => {
    const world = makeLog();
    const range = appendLeaves(emptyRange(), world.hashes);
    const lastSecond = Math.floor(world.nowMs() / 1_000);
    const sealedAt = (second: number): string =>
      cosignedCheckpoint(testKeys.checkpoint, range, witnessKeys.slice(0, 3), second);
    const { keeper, faults } = start(world);
    await keeper.take(whole(world.entries));
    await keeper.take([record(1, messageOf([], 11, 11, sealedAt(lastSecond - 1)))]);
    expect(keeper.standing()).toMatchObject({ sealedSize: 11 });
    const early = keeper.take([record(2, messageOf([], 11, 11, sealedAt(lastSecond - 3)))]);
    await expect(early).rejects.toMatchObject({ code: "time-ahead" });
    expect(faults).toMatchObject([{ position: 10 }]);
  });
});

describe("tables that somebody else wrote to", () => {
  const tamper = (text: string): Promise<unknown> => schema.admin.query({ text });

  it("refuse to change or lose a posting or an entry", async () => {
    const world = makeLog();
    await start(world).keeper.take(publish(world));
    for (const text of [
      "update posting set amount_minor = 1",
      "delete from posting",
      "truncate posting",
      "update entry set ended_id = null",
      "delete from entry",
      "truncate entry",
    ]) {
      await expect(tamper(text), text).rejects.toMatchObject({ code: "SL001" });
    }
  });

  it("refuse balances whose debits are not their credits", async () => {
    const world = makeLog();
    await start(world).keeper.take(publish(world));
    const text = "update balance set debits = debits + 1 where account like 'hk-wallet%:position'";
    await expect(tamper(text)).rejects.toMatchObject({ code: "SL002" });
  });

  const bothSides =
    "update balance set debits = debits + 1, credits = credits + 1 where currency = 'HKD'";

  it("are found out where both sides were changed, by the next batch", async () => {
    const world = makeLog();
    const { keeper, faults } = start(world);
    await keeper.take(publish(world));
    await tamper(bothSides);
    world.fund();
    const next = keeper.take([record(12, messageOf(world.entries, 11))]);
    await expect(next).rejects.toMatchObject({ code: "balances-differ" });
    expect(faults).toMatchObject([{ position: 13, code: "balances-differ" }]);
  });

  it("are found out where both sides were changed, by the check at the next start", async () => {
    const world = makeLog();
    await start(world).keeper.take(publish(world));
    const { keeper, faults } = start(world);
    expect(await keeper.check()).toEqual([]);
    await tamper(bothSides);
    expect(await keeper.check()).toContain("hk-wallet.example:position HKD");
    expect(faults).toMatchObject([{ code: "balances-differ" }]);
  });

  it("are refused when they hold another log's books", async () => {
    const world = makeLog();
    await start(world).keeper.take(publish(world));
    await tamper("update progress set origin = 'sealane.example/2025/0'");
    const { keeper, faults } = start(world);
    await expect(keeper.take(publish(world))).rejects.toMatchObject({ code: "wrong-log" });
    expect(faults).toMatchObject([{ position: 11, code: "wrong-log" }]);
  });
});
