// A link for tests of our own queues and loops: the test decides how each request ends. It proves
// nothing about Kafka; the conformance tests do that with a real broker.
import type { WireMessage, WireRecord } from "./wire.ts";
import type { Fetched, FetchOptions, Link } from "./link.ts";

export type FakeLink = Link & { closed: boolean };

export type FakeHandlers = {
  locate?: (topics: readonly string[]) => Promise<void>;
  produce?: (batches: ReadonlyMap<string, readonly WireMessage[]>) => Promise<Map<string, unknown>>;
  fetch?: (options: FetchOptions) => Promise<Fetched>;
  offsets?: (topic: string) => Promise<{ low: bigint; high: bigint }>;
  committedOffset?: (groupId: string) => Promise<bigint | undefined>;
  commitOffset?: (groupId: string, topic: string, offset: bigint) => Promise<void>;
};

/** A link that does what `handlers` say, and nothing where they say nothing. */
export function fakeLink(handlers: FakeHandlers): FakeLink {
  const link: FakeLink = {
    closed: false,
    locate: handlers.locate ?? (async () => undefined),
    produce: handlers.produce ?? (async () => new Map()),
    fetch: handlers.fetch ?? (() => new Promise<Fetched>(() => undefined)),
    offsets: handlers.offsets ?? (async () => ({ low: 0n, high: 1_000_000n })),
    committedOffset: handlers.committedOffset ?? (async () => undefined),
    commitOffset: handlers.commitOffset ?? (async () => undefined),
    close: () => void (link.closed = true),
  };
  return link;
}

/** An error as the broker's answers cause them. */
export function protocolError(type: string): Error {
  return Object.assign(new Error(type), { type });
}

/** A fetch's answer with records `from` to `to` (not included), whose values are their offsets. */
export function fetchedRange(from: number, to: number, highWatermark = to): Fetched {
  const records: WireRecord[] = [];
  for (let offset = from; offset < to; offset += 1) {
    const value = Buffer.from(`${offset}`);
    const meta = { timestamp: "0", headers: {}, key: null, isControlRecord: false };
    records.push({ ...meta, offset: `${offset}`, value });
  }
  return { records, nextOffset: BigInt(to), highWatermark: BigInt(highWatermark) };
}
