// What the rebuilding fold keeps, and that it refuses whatever does not fit, with its place.
import { fx, hk, makeFundedWorld, origin, ph } from "@sealane/rules/testing";
import { appendLeaves, emptyRange, leafHash, rangeRoot, toBase64, utf8 } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { rebuild, type RebuildOptions } from "./rebuild.ts";

const makeLog = () => {
  const world = makeFundedWorld();
  const first = world.transfer({ key: "first" });
  const second = world.transfer({ key: "second" });
  world.run([world.credit(ph, 1)]);
  const rejected = world.intent({ key: "rejected" });
  world.run([rejected]);
  world.run([world.reject(rejected.body.id)]);
  const entries = world.entries.map((note) => utf8(note));
  const hashes = entries.map((bytes) => leafHash(bytes));
  const rootAt = (size: number): string =>
    toBase64(rangeRoot(appendLeaves(emptyRange(), hashes.slice(0, size))));
  return { world, entries, rootAt, first, second, rejected: rejected.body.id };
};

type Log = ReturnType<typeof makeLog>;

const fold = ({ world, entries }: Log, options: Partial<RebuildOptions> = {}) =>
  rebuild({
    origin,
    history: world.keyLog.history(),
    page: (from) => Promise.resolve(entries.slice(from, from + 3)),
    judgedTo: 0,
    roots: [],
    retellFrom: 0,
    ...options,
  });

describe("rebuilding from entries", () => {
  it("comes to the lane that wrote them", async () => {
    const log = makeLog();
    const { state, ended, uncredited } = await fold(log);
    const lane = log.world.state;
    expect(state.next).toBe(lane.size);
    for (const [participant, n] of lane.chains) {
      expect(state.chains.get(participant)?.next).toBe(n);
    }
    for (const [key, balance] of lane.balances) {
      expect(state.balances.get(key) ?? { postedDebit: 0n }).toMatchObject({
        postedDebit: balance.postedDebit,
      });
    }
    expect([...uncredited].map(([who, list]) => [who, list.map(({ id }) => id)])).toEqual(
      [...lane.uncredited].map(([who, list]) => [who, list.map(({ id }) => id)]),
    );
    const ends = new Map(ended.map(({ id, outcome }) => [id, outcome]));
    expect(ends.get(log.first)).toBe("committed");
    expect(ends.get(log.rejected)).toBe("rejected");
  });

  it("tells each participant again what concerns it, from a place on", async () => {
    const log = makeLog();
    const { retold } = await fold(log, { retellFrom: log.entries.length - 1 });
    const last = [{ seq: log.entries.length - 1, chars: log.entries.at(-1)?.length }];
    expect(Object.fromEntries(retold)).toEqual({ [hk]: last, [ph]: last, [fx]: last });
  });

  it("refuses to stop before what a witness has seen", async () => {
    const log = makeLog();
    const { length } = log.entries;
    const roots = [{ size: length, root: log.rootAt(length), by: "a witness" }];
    await expect(fold(log, { roots })).resolves.toBeDefined();
    const shorter = { ...log, entries: log.entries.slice(0, -1) };
    await expect(fold(shorter, { roots })).rejects.toMatchObject({
      code: "entries-missing",
      position: length - 1,
    });
  });

  it("refuses another history than a witness's", async () => {
    const log = makeLog();
    const roots = [{ size: 3, root: log.rootAt(2), by: "a witness" }];
    await expect(fold(log, { roots })).rejects.toMatchObject({ code: "log-forked", position: 3 });
  });

  it("refuses an entry of which one byte was changed", async () => {
    const log = makeLog();
    const changed = log.entries.map((bytes, at) => {
      if (at !== 4) return bytes;
      const copy = Uint8Array.from(bytes);
      copy[copy.length - 20] = (copy[copy.length - 20] ?? 0) === 65 ? 66 : 65;
      return copy;
    });
    await expect(fold({ ...log, entries: changed })).rejects.toMatchObject({ position: 4 });
  });
});
