// Writing behind: what comes together is one statement, nothing is left out, and a position is never
// ahead of what it covers.
import { describe, expect, it } from "vitest";
import { makePersister } from "./persister.ts";
import type { Changes, InboxPosition, Kept } from "./view-store.ts";
import type { TransferView } from "./views.ts";

const keptOf = (id: string): Kept => {
  const view: TransferView = {
    id,
    role: "payer",
    status: "received",
    steps: {},
    notice: 0,
    notified: 0,
  };
  return { view, stored: new Set() };
};

const at = (nextOffset: bigint): InboxPosition => ({
  lane: 0,
  nextOffset,
  nextN: 0,
  nextChain: 0,
  sealedTo: 0,
  creditedTo: 0,
});

/** A store that fails `failures` times first. */
const storeOf = (failures = 0) => {
  const saved: Changes[] = [];
  let left = failures;
  const save = (changes: Changes): Promise<void> => {
    if (left-- > 0) return Promise.reject(new Error("the database is away"));
    saved.push(changes);
    return Promise.resolve();
  };
  const errors: unknown[] = [];
  const persister = makePersister(
    { save },
    () => 0,
    (error) => void errors.push(error),
  );
  return { saved, errors, persister };
};

describe("the read model's writer", () => {
  it("writes a view that moved several times once, as it is last", async () => {
    const { saved, persister } = storeOf();
    const kept = keptOf("a");
    persister.view(kept);
    kept.view.status = "committed";
    persister.view(kept);
    persister.view(keptOf("b"));
    expect(persister.pending()).toBe(2);
    await persister.flush();
    expect(saved.map(({ views }) => views.map(({ view }) => view.status))).toEqual([
      ["committed", "received"],
    ]);
    expect(persister.pending()).toBe(0);
  });

  it("writes a position with the last of the views that it covers, not before", async () => {
    const { saved, persister } = storeOf();
    for (let n = 0; n < 4_500; n += 1) persister.view(keptOf(String(n)));
    persister.position(at(7n));
    await persister.flush();
    expect(saved.map(({ views }) => views.length)).toEqual([2_000, 2_000, 500]);
    expect(saved.map(({ positions }) => positions)).toEqual([[], [], [at(7n)]]);
  });

  it("keeps the newest position of each lane", async () => {
    const { saved, persister } = storeOf();
    persister.position(at(1n));
    persister.position({ ...at(2n), lane: 1 });
    persister.position(at(3n));
    await persister.flush();
    expect(saved.map(({ positions }) => positions)).toEqual([[at(3n), { ...at(2n), lane: 1 }]]);
  });

  it("tries again when the database is away, with all that it had", async () => {
    const { saved, errors, persister } = storeOf(2);
    persister.view(keptOf("a"));
    persister.position(at(1n));
    await persister.flush();
    expect(errors).toHaveLength(2);
    expect(saved).toHaveLength(1);
    expect(saved[0]?.views).toHaveLength(1);
  });

  it("writes what waits when it is stopped", async () => {
    const { saved, persister } = storeOf();
    persister.view(keptOf("a"));
    await persister.stop();
    expect(saved[0]?.views.map(({ view }) => view.id)).toEqual(["a"]);
  });
});
