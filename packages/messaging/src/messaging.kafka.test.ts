import { randomUUID } from "node:crypto";
import { createConnection } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { createMessaging, type Consumer, type ConsumerOptions } from "./index.ts";

const brokers = inject("kafkaBrokers").split(",");
const messaging = createMessaging({ brokers, clientId: "conformance" });
const admin = messaging.admin();
const producer = messaging.producer();
const consumers: Consumer[] = [];
const warnings: string[] = [];
const onWarning = (warning: Error): void => void warnings.push(warning.name);

async function newTopic(config: Record<string, string> = {}): Promise<string> {
  const topic = `conformance.${randomUUID()}`;
  await admin.ensureTopics([{ topic, partitions: 1, replication: 1, config }]);
  return topic;
}

function consume(topic: string, options: Partial<ConsumerOptions> = {}) {
  const values: string[] = [];
  const consumer = messaging.consumer({
    topic,
    groupId: `group.${topic}`,
    onBatch: async (records) =>
      void values.push(...records.map(({ value }) => Buffer.from(value ?? []).toString())),
    ...options,
  });
  consumers.push(consumer);
  return { consumer, values };
}

const numbered = (topic: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ topic, value: `${from + index}` }));

const numbers = (to: number): string[] => Array.from({ length: to }, (_, index) => `${index}`);

beforeAll(() => void process.on("warning", onWarning));

afterAll(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await producer.stop();
  process.off("warning", onWarning);
  // kafkajs without our patch warns of negative timers in every idle client.
  expect(warnings).toEqual([]);
});

describe("a round trip through a real broker", () => {
  it("keeps order, bytes, keys and headers", async () => {
    const topic = await newTopic();
    const bytes = new Uint8Array([0, 255, 128, 10]);
    await producer.send([
      { topic, key: "payer", value: bytes, headers: { traceparent: "00-ab", "x-ñ": "₱" } },
      { topic, value: "" },
    ]);
    const records: object[] = [];
    const before = Date.now() - 60_000;
    consume(topic, { onBatch: async (batch) => void records.push(...batch) });
    await vi.waitFor(() => expect(records).toHaveLength(2), { timeout: 10_000 });
    expect(records[0]).toMatchObject({
      offset: 0n,
      key: "payer",
      value: Buffer.from(bytes),
      headers: { traceparent: "00-ab", "x-ñ": "₱" },
    });
    expect(records[1]).toMatchObject({ offset: 1n, key: undefined, headers: {} });
    expect((records[0] as { timestampMs: number }).timestampMs).toBeGreaterThan(before);
  });

  it("keeps the order of 5,000 records from many calls at once", async () => {
    const topic = await newTopic();
    const { values } = consume(topic);
    const sends = Array.from({ length: 250 }, (_, n) =>
      producer.send(numbered(topic, n * 20, n * 20 + 20)),
    );
    await Promise.all(sends);
    await vi.waitFor(() => expect(values).toHaveLength(5_000), { timeout: 20_000 });
    expect(values).toEqual(numbers(5_000));
  });

  it("sends to several topics with one call", async () => {
    const topics = [await newTopic(), await newTopic()];
    await producer.send(topics.map((topic) => ({ topic, value: "x" })));
    for (const topic of topics) {
      expect(await admin.topicOffsets(topic)).toEqual({ low: 0n, high: 1n });
    }
  });

  it("stores a call that is larger than a request may be", async () => {
    const topic = await newTopic();
    const value = new Uint8Array(300_000);
    await producer.send(Array.from({ length: 7 }, () => ({ topic, value })));
    expect((await admin.topicOffsets(topic)).high).toBe(7n);
  });

  it("refuses a record that the broker does not take, and stores its neighbours", async () => {
    const topic = await newTopic();
    const huge = producer.send([{ topic, value: new Uint8Array(3_000_000) }]);
    const fine = producer.send([{ topic, value: "x" }]);
    await expect(huge).rejects.toMatchObject({ code: "failed" });
    await fine;
    expect((await admin.topicOffsets(topic)).high).toBe(1n);
  });

  it("says that a topic which nobody made does not exist", async () => {
    const send = producer.send([{ topic: `nobody.${randomUUID()}`, value: "x" }]);
    await expect(send).rejects.toMatchObject({ code: "failed" });
  });
});

describe("delivery at least once", () => {
  it("delivers again what a handler failed on, from the service's own offset", async () => {
    const topic = await newTopic();
    await producer.send(numbered(topic, 0, 100));
    const applied: string[] = [];
    const codes: string[] = [];
    let faults = 2;
    const { consumer } = consume(topic, {
      maxRecords: 30,
      fromOffset: async () => BigInt(applied.length),
      onError: ({ code }) => codes.push(code),
      onBatch: async (records) => {
        if (applied.length >= 60 && faults-- > 0) throw new Error("the database is away");
        applied.push(...records.map(({ value }) => Buffer.from(value ?? []).toString()));
      },
    });
    await vi.waitFor(() => expect(applied).toHaveLength(100), { timeout: 10_000 });
    expect(applied).toEqual(numbers(100));
    expect(codes).toEqual(["handler-failed", "handler-failed"]);
    expect(consumer.lag()).toEqual({ position: 100n, highWatermark: 100n });
  });

  it("goes on after the committed offset of its group", async () => {
    const topic = await newTopic();
    await producer.send(numbered(topic, 0, 3));
    const first = consume(topic);
    await vi.waitFor(() => expect(first.values).toEqual(numbers(3)), { timeout: 10_000 });
    await first.consumer.stop();
    await producer.send(numbered(topic, 3, 5));
    const second = consume(topic);
    await vi.waitFor(() => expect(second.values).toEqual(["3", "4"]), { timeout: 10_000 });
  });

  it("reports records that retention removed before the service read them", async () => {
    const topic = await newTopic();
    await producer.send(numbered(topic, 0, 3));
    const codes: string[] = [];
    const { consumer, values } = consume(topic, {
      fromOffset: async () => 7n,
      onError: ({ code }) => codes.push(code),
    });
    await vi.waitFor(() => expect(codes).toContain("offset-lost"), { timeout: 10_000 });
    await consumer.stop();
    expect(values).toEqual([]);
  });
});

describe("topics", () => {
  it("makes them with their settings, and changes settings of those that are there", async () => {
    const topic = await newTopic({ "flush.messages": "1" });
    const spec = { topic, partitions: 1, replication: 1 } as const;
    await admin.ensureTopics([{ ...spec, config: { "retention.ms": "604800000" } }]);
    await admin.ensureTopics([{ ...spec, config: { "retention.ms": "604800000" } }]);
    await producer.send([{ topic, value: "x" }]);
    await expect(admin.topicOffsets(topic)).resolves.toEqual({ low: 0n, high: 1n });
  });

  it("says so when the broker is away", async () => {
    const closed = await new Promise<number>((resolve) => {
      const probe = createConnection({ host: "127.0.0.1", port: 1 });
      probe.once("error", () => resolve(1));
    });
    const away = createMessaging({ brokers: [`127.0.0.1:${closed}`], clientId: "conformance" });
    const send = away.producer().send([{ topic: "t", value: "x" }], { deadlineMs: 200 });
    await expect(send).rejects.toMatchObject({ code: "failed" });
    const errors: string[] = [];
    const onError = ({ code }: { code: string }): void => void errors.push(code);
    const consumer = away.consumer({ topic: "t", groupId: "g", onBatch: async () => {}, onError });
    await vi.waitFor(() => expect(errors).toContain("unavailable"), { timeout: 10_000 });
    await consumer.stop();
  });
});

it("opens a link although the first broker of the list is down", async () => {
  const topic = await newTopic();
  const partly = createMessaging({
    brokers: ["127.0.0.1:1", ...brokers],
    clientId: "first-broker-down",
    connectTimeoutMs: 500,
  });
  const sender = partly.producer();
  await sender.send([{ topic, value: "through the second" }]);
  await sender.stop();
  const { values } = consume(topic);
  await vi.waitUntil(() => values.length === 1, { timeout: 10_000 });
  expect(values).toEqual(["through the second"]);
});
