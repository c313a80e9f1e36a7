import { createRequire } from "node:module";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import "./kafkajs-internals.ts";

type Queue = { pending: unknown[]; throttledUntil: number; checkPendingRequests(): void };

const RequestQueue = createRequire(import.meta.url)("kafkajs/src/network/requestQueue") as new (
  options: object,
) => Queue;

describe("the request queue of kafkajs, as we patch it", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("sets no timer while no request waits", () => {
    const queue = new RequestQueue({});
    queue.checkPendingRequests();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("still looks again when a request waits for the end of a throttle", () => {
    const send = vi.fn();
    const queue = new RequestQueue({ logger: { debug: () => undefined } });
    queue.throttledUntil = Date.now() + 50;
    queue.pending.push({ send, expectResponse: true });
    queue.checkPendingRequests();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(51);
    expect(send).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});
