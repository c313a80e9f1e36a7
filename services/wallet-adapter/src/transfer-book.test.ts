// What is in memory and what is read: a batch's transfers in one query, and nothing forgotten that is not written.
import { beforeEach, expect, test } from "vitest";
import { makeTransferBook } from "./transfer-book.ts";
import type { Kept, ViewStore } from "./view-store.ts";
import type { TransferView } from "./views.ts";

const keptOf = (id: string, status: TransferView["status"] = "credited"): Kept => ({
  view: { id, role: "payer", status, steps: {}, notice: 1, notified: 1 },
  stored: new Set(),
});

const queries: string[][] = [];
const stored = new Map<string, Kept>();
const store = {
  find: (id: string) => {
    queries.push([id]);
    return Promise.resolve(stored.get(id));
  },
  findAll: (ids: readonly string[]) => {
    queries.push([...ids]);
    return Promise.resolve(ids.flatMap((id) => stored.get(id) ?? []));
  },
} as unknown as ViewStore;

beforeEach(() => {
  queries.length = 0;
  stored.clear();
});

test("what a batch is about is read in one query, what is in memory not at all", async () => {
  const book = makeTransferBook(store);
  for (const id of ["a", "b"]) stored.set(id, keptOf(id));
  book.adopt(keptOf("here"));
  await book.withFetched(["a", "here", "b", "nowhere", "a"], async () => {
    expect((await book.findKept("a"))?.view.id).toBe("a");
    expect((await book.findKept("b"))?.view.id).toBe("b");
    expect(await book.findKept("nowhere")).toBeUndefined();
  });
  expect(queries).toEqual([["a", "b", "nowhere"]]);
});

test("what was fetched is used once, and not after its batch: it may have changed since", async () => {
  const book = makeTransferBook(store);
  for (const id of ["a", "b"]) stored.set(id, keptOf(id, "committed"));
  await book.withFetched(["a", "b"], async () => {
    expect((await book.findKept("a"))?.view.status).toBe("committed");
    for (const id of ["a", "b"]) stored.set(id, keptOf(id, "credited"));
    expect((await book.findKept("a"))?.view.status).toBe("credited");
  });
  expect((await book.findKept("b"))?.view.status).toBe("credited");
});

test("what is over leaves the memory, but not before Postgres has it as it is", () => {
  const book = makeTransferBook(store);
  const waiting = { ...keptOf("waiting"), unwritten: true };
  book.adopt(waiting);
  book.adopt(keptOf("written"));
  for (let n = 0; n < 4_000; n += 1) book.adopt(keptOf(String(n)));
  expect(book.get("waiting")).toBe(waiting);
  expect(book.get("written")).toBeUndefined();
});
