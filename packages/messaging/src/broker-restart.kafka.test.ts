// A broker of our own that the tests kill and stop: what was acknowledged is never lost, what was sent
// meanwhile arrives, and nothing has to be restarted by hand.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startKafka, type KafkaOptions, type KafkaServer } from "@sealane/infra";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createMessaging, type Messaging } from "./index.ts";

const dir = mkdtempSync(join(tmpdir(), "sealane-broker-"));
let options: KafkaOptions;
let kafka: KafkaServer;
let messaging: Messaging;

beforeAll(async () => {
  chmodSync(dir, 0o711);
  const [port, controllerPort] = [await freePort(), await freePort()];
  options = { dir: join(dir, "kafka"), port, controllerPort, logFile: join(dir, "log") };
  kafka = await startKafka(options);
  messaging = createMessaging({
    brokers: [kafka.brokers],
    clientId: "restart",
    requestTimeoutMs: 1_000,
  });
});

afterAll(async () => {
  await kafka.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Sends numbers one after the other until told to stop; remembers which were acknowledged. */
function startLoad(topic: string) {
  const producer = messaging.producer();
  const acknowledged: string[] = [];
  let wanted = true;
  const run = async (lane: number): Promise<void> => {
    for (let n = 0; wanted; n += 1) {
      const value = `${lane}-${n}`;
      await producer.send([{ topic, value }], { deadlineMs: 60_000 });
      acknowledged.push(value);
    }
  };
  const lanes = Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(run));
  const stop = async (): Promise<readonly string[]> => {
    wanted = false;
    await lanes;
    await producer.stop();
    return acknowledged;
  };
  return { acknowledged, stop };
}

function missing(acknowledged: readonly string[], received: readonly string[]): string[] {
  const there = new Set(received);
  return acknowledged.filter((value) => !there.has(value));
}

async function collect(topic: string) {
  await messaging
    .admin()
    .ensureTopics([{ topic, partitions: 1, replication: 1, config: { "flush.messages": "1" } }]);
  const received: string[] = [];
  let next = 0n;
  const consumer = messaging.consumer({
    topic,
    groupId: topic,
    fromOffset: async () => next,
    onBatch: async (records) => {
      received.push(...records.map(({ value }) => Buffer.from(value ?? []).toString()));
      next = (records.at(-1)?.offset ?? 0n) + 1n;
    },
  });
  return { received, consumer };
}

it("loses nothing that was acknowledged when the broker is killed under load", async () => {
  const { received, consumer } = await collect("killed");
  const load = startLoad("killed");
  await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(200), {
    timeout: 20_000,
  });
  kafka.kill("SIGKILL");
  await kafka.exited;
  kafka = await startKafka(options);
  const before = load.acknowledged.length;
  await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(before + 200), {
    timeout: 30_000,
  });
  const acknowledged = await load.stop();
  const { high } = await messaging.admin().topicOffsets("killed");
  await vi.waitFor(() => expect(received).toHaveLength(Number(high)), { timeout: 20_000 });
  await consumer.stop();
  expect(missing(acknowledged, received)).toEqual([]);
  // Each lane waits for its acknowledgement, so its numbers arrive in order, some of them twice.
  for (const lane of ["0-", "7-"]) {
    const order = [...new Set(received.filter((value) => value.startsWith(lane)))];
    expect(order).toEqual(order.map((_, n) => `${lane}${n}`));
  }
}, 120_000);

it("goes on by itself when a broker that was stopped wakes up", async () => {
  const { received, consumer } = await collect("stopped");
  const load = startLoad("stopped");
  await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(50), { timeout: 20_000 });
  kafka.kill("SIGSTOP");
  const before = load.acknowledged.length;
  const producer = messaging.producer();
  const late = producer.send([{ topic: "stopped", value: "late" }], { deadlineMs: 2_500 });
  await expect(late).rejects.toMatchObject({ code: expect.stringMatching(/^(failed|unknown)/) });
  kafka.kill("SIGCONT");
  await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(before + 50), {
    timeout: 30_000,
  });
  const acknowledged = await load.stop();
  const { high } = await messaging.admin().topicOffsets("stopped");
  await vi.waitFor(() => expect(received).toHaveLength(Number(high)), { timeout: 20_000 });
  await Promise.all([consumer.stop(), producer.stop()]);
  expect(missing(acknowledged, received)).toEqual([]);
}, 120_000);
