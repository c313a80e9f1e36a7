// Over the test kit's log: 0 and 1 advances, 2 a sheet, 3 committed, 4 rejected, 5 cancelled, 6 credited,
// 7 a sheet, 8 committed, 9 a withdrawal, 10 expired.
import { LogReadError } from "@sealane/client";
import { makeLog, origin, policy } from "@sealane/rules/testing";
import { expect, it } from "vitest";
import { describeEntry, type DetailDeps } from "./entry-detail.ts";
import { openEntry } from "./entry-view.ts";
import { makeLogBook } from "./log-book.ts";
import { searchEntries, type Search } from "./search.ts";

const world = makeLog();
const size = world.entries.length;
const nowMs = 1_795_363_900_000;

/** @param from the first entry that is in memory: what is older comes from the log */
const sources = (from = 0, log: "up" | "down" = "up"): DetailDeps => {
  const book = makeLogBook(() => nowMs);
  const entries = world.entries.map((note, seq) => ({ seq, note }));
  book.add(entries.slice(from), true);
  const gone = () => Promise.reject(new LogReadError("log-unreachable", "down"));
  return {
    book,
    reader: {
      checkpoint: gone,
      fetch: gone,
      entries: (first, to) =>
        log === "up" ? Promise.resolve(world.entries.slice(first, to)) : gone(),
    },
    policy,
    origin,
    keys: { history: () => world.keyLog.history(), reach: () => Promise.resolve() },
    sealed: () => undefined,
    firstSealed: () => undefined,
  };
};

const all: Search = {
  text: "",
  outcome: undefined,
  kinds: "transfers",
  before: undefined,
  limit: 50,
};
const places = async (search: Partial<Search>, deps = sources()): Promise<number[]> =>
  (await searchEntries(deps, { ...all, ...search }, size)).rows.map(({ seq }) => seq);

it("lists transfers, newest first, and every entry when asked", async () => {
  expect(await places({})).toEqual([10, 8, 5, 4, 3]);
  expect(await places({ kinds: "all" })).toEqual(Array.from({ length: 11 }, (_, at) => 10 - at));
});

it("finds by outcome, participant, amount as it is shown, and part of an id", async () => {
  expect(await places({ outcome: "rejected" })).toEqual([4]);
  expect(await places({ text: "FX-DESK" })).toEqual([]);
  expect(await places({ text: "hk-wallet", outcome: "committed" })).toEqual([8, 3]);
  expect(await places({ text: "HKD 1,000.00", outcome: "committed" })).toEqual([3]);
  const id = sources().book.get(3)?.transferId ?? "";
  expect(await places({ text: id.slice(0, 13) })).toEqual([3]);
});

it("pages back to the first entry, through memory and the log alike", async () => {
  const deps = sources(6);
  const first = await searchEntries(deps, { ...all, kinds: "all", limit: 4 }, size);
  expect(first.rows.map(({ seq }) => seq)).toEqual([10, 9, 8, 7]);
  const rest = { ...all, kinds: "all", before: first.older } as const;
  const page = await searchEntries(deps, rest, size);
  expect(page.rows.map(({ seq }) => seq)).toEqual([6, 5, 4, 3, 2, 1, 0]);
  expect(page.older).toBeUndefined();
});

it("shows what is in memory while the log cannot be read, and says what is missing", async () => {
  const page = await searchEntries(sources(6, "down"), { ...all, before: 4 }, size);
  expect(page).toMatchObject({ rows: [], older: 4 });
  expect(page.fault).toMatch(/cannot be read now/);
});

it("counts what arrives by its second: committed, and ended otherwise", () => {
  expect(sources().book.counts(nowMs / 1_000)).toEqual({ committed: 2, ended: 3 });
  expect(sources().book.counts(nowMs / 1_000 - 1)).toEqual({ committed: 0, ended: 0 });
});

it("takes an entry once, whoever brings it", () => {
  const { book } = sources();
  book.add([{ seq: 3, note: world.entries[3]! }], true);
  expect(book.counts(nowMs / 1_000).committed).toBe(2);
  expect(book.end()).toBe(11);
});

it("tells a committed transfer's steps, signers and postings, with its signatures checked", async () => {
  const deps = sources();
  const detail = await describeEntry(deps, deps.book.get(3)!);
  expect(detail.steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "Intent done",
    "Accepted done",
    "Committed done",
    "Sealed waiting",
    "Credited done",
  ]);
  expect(detail.signatures.ok).toBe(true);
  expect(detail.seal.ok).toBe(false);
  const parties = detail.signers.map(({ party }) => party.replace(/^.*\((.*)\)$/, "$1"));
  expect(parties).toEqual(["operator", "payer", "payee"]);
  expect(detail.postings).toHaveLength(3);
});

it.each([
  [4, "Rejected"],
  [5, "Cancelled"],
  [10, "Expired"],
])("tells how entry %d ended, and that no money moved", async (seq, name) => {
  const deps = sources();
  const detail = await describeEntry(deps, deps.book.get(seq)!);
  const failed = detail.steps.filter(({ state }) => state === "failed");
  expect(failed.map((step) => step.name)).toEqual([name]);
  expect(detail.postings).toEqual([]);
  expect(detail.signatures.ok).toBe(true);
});

it("does not call a changed entry's signatures good", async () => {
  const deps = sources();
  const forged = openEntry(3, world.entries[3]!.replace('"1000.00"', '"9000.00"'));
  expect((await describeEntry(deps, forged)).signatures.ok).toBe(false);
});

it("shows bytes that are no entry as unreadable", async () => {
  const detail = await describeEntry(sources(), openEntry(3, "rubbish\n"));
  expect(detail).toMatchObject({ kind: "unreadable", outcome: "unreadable", signers: [] });
});
