// A topic as its producers and readers see it: what is acknowledged stands in it, once or several times,
// not always in the order in which it was sent. What was not acknowledged may stand there too.
import type { Sim } from "./sim.ts";

export type Topic<T> = {
  /** By offset. */
  readonly records: readonly T[];
  /** @returns whether it was acknowledged; if not, the outcome is unknown */
  readonly produce: (record: T) => boolean;
  /** Lets in what has been on its way long enough; all of it when the run comes to rest. */
  readonly deliver: () => void;
  readonly underway: () => number;
};

export type TopicOptions = {
  /** Probability that an acknowledged record is not there for its reader: who numbers them may. */
  readonly lossy: boolean;
};

export const makeTopic = <T>(sim: Sim, name: string, { lossy }: TopicOptions): Topic<T> => {
  const records: T[] = [];
  let late: { readonly record: T; readonly atMs: number }[] = [];
  const dice = sim.dice(`topic ${name}`);

  const produce = (record: T): boolean => {
    if (sim.hits("reorder", 0.03)) {
      late.push({ record, atMs: sim.now + dice.int(800) });
      return false;
    }
    if (sim.hits("loss", 0.03)) return lossy;
    records.push(record);
    return !sim.hits("duplicate", 0.05);
  };

  const deliver = (): void => {
    if (late.length === 0) return;
    const due = late.filter(({ atMs }) => sim.calm || atMs <= sim.now);
    if (due.length === 0) return;
    late = late.filter((one) => !due.includes(one));
    while (due.length > 0) {
      const [next] = due.splice(dice.int(due.length), 1);
      if (next !== undefined) records.push(next.record);
    }
  };

  return { records, produce, deliver, underway: () => late.length };
};

/** Where one reader of a topic stands. */
export type Reader<T> = {
  /** The next records with their offsets; sometimes some of those before them again. */
  readonly read: (most: number) => readonly { readonly offset: number; readonly record: T }[];
  readonly behind: () => boolean;
  next: number;
};

export const makeReader = <T>(sim: Sim, topic: Topic<T>): Reader<T> => {
  const reader: Reader<T> = {
    next: 0,
    behind: () => reader.next < topic.records.length,
    read: (most) => {
      const again = reader.next > 0 && sim.hits("redeliver", 0.05);
      const from = again ? Math.max(0, reader.next - 3) : reader.next;
      const part = topic.records.slice(from, from + most);
      const read = part.map((record, at) => ({ offset: from + at, record }));
      // Who dies before it has stored its offset is set back by its owner.
      reader.next = Math.max(reader.next, from + part.length);
      return read;
    },
  };
  return reader;
};
