import { describe, expect, it, vi } from "vitest";
import { createConsumer, type ConsumerOptions } from "./consumer.ts";
import { fakeLink, fetchedRange, type FakeHandlers } from "./fake-link.ts";
import type { FetchOptions } from "./link.ts";
import type { MessagingError } from "./messaging-error.ts";

/** A topic with `size` records from 0 on; a fetch at its end waits for ever. */
function topicOf(size: number, perFetch = 10) {
  const asked: bigint[] = [];
  const fetch = ({ offset }: FetchOptions) => {
    asked.push(offset);
    const from = Number(offset);
    if (from >= size) return new Promise<never>(() => undefined);
    return Promise.resolve(fetchedRange(from, Math.min(size, from + perFetch), size));
  };
  return { fetch, asked, offsets: async () => ({ low: 0n, high: BigInt(size) }) };
}

function consume(handlers: FakeHandlers, options: Partial<ConsumerOptions>) {
  const seen: bigint[] = [];
  const errors: MessagingError[] = [];
  const links: ReturnType<typeof fakeLink>[] = [];
  const consumer = createConsumer(
    () => {
      const link = fakeLink(handlers);
      links.push(link);
      return link;
    },
    {
      topic: "t",
      groupId: "g",
      onBatch: async (records) => void seen.push(...records.map(({ offset }) => offset)),
      onError: (error) => errors.push(error),
      ...options,
    },
  );
  return { consumer, seen, errors, links };
}

const offsetsUpTo = (count: number): bigint[] => Array.from({ length: count }, (_, n) => BigInt(n));

describe("where it begins", () => {
  it("begins at the earliest record when the service knows no offset", async () => {
    const { consumer, seen } = consume(topicOf(25), { fromOffset: async () => undefined });
    await vi.waitFor(() => expect(seen).toEqual(offsetsUpTo(25)));
    expect(consumer.lag()).toEqual({ position: 25n, highWatermark: 25n });
    await consumer.stop();
  });

  it("begins at the service's offset, and commits nothing then", async () => {
    const commitOffset = vi.fn(async () => undefined);
    const handlers = { ...topicOf(25), commitOffset };
    const { consumer, seen } = consume(handlers, { fromOffset: async () => 23n });
    await vi.waitFor(() => expect(seen).toEqual([23n, 24n]));
    await consumer.stop();
    expect(commitOffset).not.toHaveBeenCalled();
  });

  it.each([26n, -1n])("says that records are lost when offset %d is not there", async (offset) => {
    const { consumer, seen, errors } = consume(topicOf(25), { fromOffset: async () => offset });
    await vi.waitFor(() => expect(errors[0]).toMatchObject({ code: "offset-lost" }));
    await consumer.stop();
    expect(seen).toEqual([]);
  });

  it("begins at the group's committed offset and commits what is handled", async () => {
    const committed: bigint[] = [];
    const handlers: FakeHandlers = {
      ...topicOf(25),
      committedOffset: async () => 20n,
      commitOffset: async (_group, _topic, offset) => void committed.push(offset),
    };
    const { consumer, seen } = consume(handlers, {});
    await vi.waitFor(() => expect(seen).toHaveLength(5));
    await consumer.stop();
    expect(committed.at(-1)).toBe(25n);
  });
});

describe("commits", () => {
  it("commits no offset before its records are handled", async () => {
    const committed: bigint[] = [];
    const handlers: FakeHandlers = {
      ...topicOf(25),
      committedOffset: async () => 0n,
      commitOffset: async (_group, _topic, offset) => void committed.push(offset),
    };
    let handled = 0n;
    const early: bigint[] = [];
    const { consumer } = consume(handlers, {
      maxRecords: 5,
      onBatch: async (records) => {
        // Long enough for a commit that does not wait to be made.
        for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
        early.push(...committed.filter((offset) => offset > handled));
        handled = (records.at(-1)?.offset ?? 0n) + 1n;
      },
    });
    await vi.waitFor(() => expect(handled).toBe(25n));
    await consumer.stop();
    expect(early).toEqual([]);
    expect(committed.at(-1)).toBe(25n);
  });
});

describe("batches", () => {
  it("hands over at most maxRecords at a time", async () => {
    const sizes: number[] = [];
    const onBatch = async (records: readonly unknown[]) => void sizes.push(records.length);
    const { consumer } = consume(topicOf(20, 20), { onBatch, maxRecords: 8 });
    await vi.waitFor(() => expect(sizes).toEqual([8, 8, 4]));
    await consumer.stop();
  });

  it("hands over the next batch only when the last one is done", async () => {
    let running = 0;
    let most = 0;
    let handled = 0;
    const onBatch = async (records: readonly unknown[]) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      handled += records.length;
    };
    const { consumer } = consume(topicOf(50), { onBatch });
    await vi.waitFor(() => expect(handled).toBe(50));
    expect(most).toBe(1);
    await consumer.stop();
  });

  it("goes past records that are not ours to see", async () => {
    const empty = { records: [], nextOffset: 1n, highWatermark: 1n };
    const topic = topicOf(1);
    const fetch = (options: FetchOptions) =>
      options.offset === 0n ? Promise.resolve(empty) : topic.fetch(options);
    const { consumer, seen } = consume({ ...topic, fetch }, {});
    await vi.waitFor(() => expect(consumer.lag()?.position).toBe(1n));
    expect(seen).toEqual([]);
    await consumer.stop();
  });
});

describe("faults", () => {
  it("gives the same records again, over a new link, when the handler throws", async () => {
    const handled: bigint[] = [];
    let faults = 2;
    const { consumer, errors, links } = consume(topicOf(25), {
      fromOffset: async () => BigInt(handled.length),
      onBatch: async (records) => {
        if (handled.length === 10 && faults-- > 0) throw new Error("no");
        handled.push(...records.map(({ offset }) => offset));
      },
    });
    await vi.waitFor(() => expect(handled).toEqual(offsetsUpTo(25)));
    expect(errors.map(({ code }) => code)).toEqual(["handler-failed", "handler-failed"]);
    expect(links.map(({ closed }) => closed)).toEqual([true, true, false]);
    await consumer.stop();
  });

  it("begins again at the service's offset when the broker is lost", async () => {
    const topic = topicOf(25);
    let lost = false;
    const fetch = (options: FetchOptions) => {
      if (lost || options.offset < 10n) return topic.fetch(options);
      lost = true;
      return Promise.reject(new Error("connection lost"));
    };
    const applied: bigint[] = [];
    const { consumer, errors } = consume(
      { ...topic, fetch },
      {
        fromOffset: async () => BigInt(applied.length),
        onBatch: async (records) => void applied.push(...records.map(({ offset }) => offset)),
      },
    );
    await vi.waitFor(() => expect(applied).toEqual(offsetsUpTo(25)));
    expect(errors.map(({ code }) => code)).toEqual(["unavailable"]);
    await consumer.stop();
  });

  it("reports a commit that failed, and delivers again rather than less", async () => {
    let committed = 0n;
    let failures = 1;
    const handlers: FakeHandlers = {
      ...topicOf(30),
      committedOffset: async () => committed,
      commitOffset: async (_group, _topic, offset) => {
        if (failures-- > 0) throw new Error("not the coordinator");
        committed = offset;
      },
    };
    const { consumer, seen } = consume(handlers, {});
    await vi.waitFor(() => expect(committed).toBe(30n));
    await consumer.stop();
    expect([...new Set(seen)]).toEqual(offsetsUpTo(30));
  });
});

describe("pause and stop", () => {
  it("fetches nothing while paused, and goes on where it was", async () => {
    const topic = topicOf(30);
    const seen: bigint[] = [];
    const { consumer } = consume(topic, {
      onBatch: async (records) => {
        seen.push(...records.map(({ offset }) => offset));
        if (seen.length === 10) consumer.pause();
      },
    });
    await vi.waitFor(() => expect(seen).toHaveLength(10));
    expect(topic.asked).toEqual([0n]);
    consumer.resume();
    await vi.waitFor(() => expect(seen).toEqual(offsetsUpTo(30)));
    await consumer.stop();
  });

  it("stops while a fetch waits, and while it is paused", async () => {
    const idle = consume(topicOf(0), {});
    await vi.waitFor(() => expect(idle.links).toHaveLength(1));
    await idle.consumer.stop(30_000);
    expect(idle.links[0]?.closed).toBe(true);
    const paused = consume(topicOf(0), {});
    paused.consumer.pause();
    await paused.consumer.stop(30_000);
    expect(paused.links[0]?.closed).toBe(true);
  });

  it("waits for the batch at hand, and hands over nothing more", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const batches: number[] = [];
    const { consumer } = consume(topicOf(30), {
      onBatch: async (records) => {
        batches.push(records.length);
        await promise;
      },
    });
    await vi.waitFor(() => expect(batches).toEqual([10]));
    const stopped = consumer.stop(30_000);
    resolve();
    await stopped;
    expect(batches).toEqual([10]);
  });
});
