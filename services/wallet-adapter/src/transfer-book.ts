// All transfers that this adapter knows of and somebody may still ask about: recent ones in memory,
// the rest in Postgres. Waiters are told when a view moves.
import type { Kept, ViewStore } from "./view-store.ts";
import { finalStatuses, isTurnedAway, type TransferView } from "./views.ts";

const mostInMemory = 4_000;

export type TransferBook = ReturnType<typeof makeTransferBook>;

export const makeTransferBook = (store: ViewStore) => {
  const kept = new Map<string, Kept>();
  /** What a batch of the inbox is about and was not in memory, as Postgres has it; each is used once. */
  let fetched = new Map<string, Kept | undefined>();
  const waiters = new Map<string, Set<() => void>>();
  const listeners = new Set<(view: TransferView) => void>();

  /** Forgets the oldest that are over and written; they stay in Postgres. */
  const trim = (): void => {
    if (kept.size <= mostInMemory) return;
    for (const [id, { view, unwritten }] of kept) {
      const over = view.status !== "sealed" && finalStatuses.has(view.status);
      if (over && view.notified >= view.notice && unwritten !== true) kept.delete(id);
      if (kept.size <= mostInMemory) return;
    }
  };

  const changed = ({ view }: Kept): void => {
    for (const listener of listeners) listener(view);
    if (!finalStatuses.has(view.status) && !isTurnedAway(view)) return;
    for (const go of waiters.get(view.id) ?? []) go();
  };

  const remember = (entry: Kept): Kept => {
    kept.set(entry.view.id, entry);
    trim();
    return entry;
  };

  return {
    get: (id: string): Kept | undefined => kept.get(id),
    /** A transfer that is new here. */
    put: (view: TransferView): Kept => remember({ view, stored: new Set() }),
    /** A transfer that came from Postgres. */
    adopt: remember,
    changed,
    /** In memory, else in Postgres. */
    find: async (id: string): Promise<TransferView | undefined> =>
      kept.get(id)?.view ?? (await store.find(id))?.view,
    /** What Postgres has, whatever is in memory. */
    findStored: store.find,
    /** The same, with what of it is stored. */
    findKept: async (id: string): Promise<Kept | undefined> => {
      const here = kept.get(id);
      if (here !== undefined) return here;
      if (!fetched.has(id)) return store.find(id);
      const found = fetched.get(id);
      fetched.delete(id);
      return found;
    },
    /**
     * Reads all of these that are not in memory at once, for what `work` looks up: after a start, what ended
     * meanwhile comes in batches of hundreds, and a query for each held everything else up for a minute.
     */
    withFetched: async (ids: readonly string[], work: () => Promise<void>): Promise<void> => {
      const missing = new Set(ids.filter((id) => !kept.has(id)));
      if (missing.size > 1) {
        const found = new Map((await store.findAll([...missing])).map((one) => [one.view.id, one]));
        fetched = new Map([...missing].map((id) => [id, found.get(id)]));
      }
      try {
        await work();
      } finally {
        fetched = new Map(); // from here on others may change what Postgres has
      }
    },
    /** Resolves when the transfer is final or was turned away, or after `waitMs`. */
    waitFinal: (id: string, waitMs: number): Promise<void> =>
      new Promise((resolve) => {
        const waiting = waiters.get(id) ?? new Set();
        waiters.set(id, waiting);
        const go = (): void => {
          clearTimeout(timer);
          waiting.delete(go);
          if (waiting.size === 0) waiters.delete(id);
          resolve();
        };
        const timer = setTimeout(go, waitMs);
        waiting.add(go);
      }),
    /** Told of every view that moved. @returns how to stop listening */
    onChange: (listener: (view: TransferView) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    all: (): IterableIterator<Kept> => kept.values(),
  };
};
