// All transfers that this adapter knows of and somebody may still ask about: recent ones in memory,
// the rest in Postgres. Waiters are told when a view moves.
import type { Kept, ViewStore } from "./view-store.ts";
import { finalStatuses, type TransferView } from "./views.ts";

type Waiter = { readonly until: "final" | "any"; readonly go: () => void };

const mostInMemory = 20_000;

export type TransferBook = ReturnType<typeof makeTransferBook>;

export const makeTransferBook = (store: ViewStore) => {
  const kept = new Map<string, Kept>();
  const waiters = new Map<string, Waiter[]>();
  const listeners = new Set<(view: TransferView) => void>();

  /** Forgets the oldest that are over; they stay in Postgres. */
  const trim = (): void => {
    if (kept.size <= mostInMemory) return;
    for (const [id, { view }] of kept) {
      const over = view.status !== "sealed" && finalStatuses.has(view.status);
      if (over && view.notified >= view.notice) kept.delete(id);
      if (kept.size <= mostInMemory) return;
    }
  };

  const changed = ({ view }: Kept): void => {
    for (const listener of listeners) listener(view);
    const waiting = waiters.get(view.id);
    if (waiting === undefined) return;
    const still = waiting.filter(({ until, go }) => {
      if (until === "final" && !finalStatuses.has(view.status)) return true;
      go();
      return false;
    });
    if (still.length === 0) waiters.delete(view.id);
    else waiters.set(view.id, still);
  };

  const remember = (entry: Kept): Kept => {
    kept.set(entry.view.id, entry);
    trim();
    return entry;
  };

  return {
    get: (id: string): Kept | undefined => kept.get(id),
    /** A transfer that is new here. */
    put: (view: TransferView): Kept => remember({ view, envelope: undefined, stored: new Set() }),
    /** A transfer that came from Postgres. */
    adopt: remember,
    changed,
    /** In memory, else in Postgres. */
    find: async (id: string): Promise<TransferView | undefined> =>
      kept.get(id)?.view ?? (await store.find(id))?.view,
    /** What Postgres has, whatever is in memory. */
    findStored: store.find,
    /** The same with the sealed personal data. */
    findKept: async (id: string): Promise<Kept | undefined> =>
      kept.get(id) ?? (await store.find(id)),
    /** Resolves when the transfer is final, or after `waitMs`. */
    waitFinal: (id: string, waitMs: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        const go = (): void => {
          clearTimeout(timer);
          resolve();
        };
        const waiting = waiters.get(id) ?? [];
        waiting.push({ until: "final", go });
        waiters.set(id, waiting);
      }),
    /** Told of every view that moved. @returns how to stop listening */
    onChange: (listener: (view: TransferView) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    all: (): IterableIterator<Kept> => kept.values(),
    size: () => kept.size,
  };
};
