// One thing at a time for each key, in order of arrival, with a bound on how many wait.

export type Locks = {
  /** Runs `work` alone; undefined when too many wait already. */
  run<T>(key: string, work: () => Promise<T>): Promise<T | undefined>;
};

/** Makes locks on which at most `maxWaiting` callers wait per key, the one inside included. */
export function makeLocks(maxWaiting: number): Locks {
  const tails = new Map<string, { tail: Promise<unknown>; waiting: number }>();
  return {
    async run<T>(key: string, work: () => Promise<T>): Promise<T | undefined> {
      const lock = tails.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
      tails.set(key, lock);
      if (lock.waiting >= maxWaiting) return undefined;
      lock.waiting += 1;
      const mine = lock.tail.then(work);
      lock.tail = mine.catch(() => undefined);
      try {
        return await mine;
      } finally {
        lock.waiting -= 1;
      }
    },
  };
}
