// What is acknowledged is on the topic, whatever happens to connections: our producer, and as sabotage
// kafkajs's idempotent one, which must turn the suite red.
import { randomUUID } from "node:crypto";
import { idempotentProducer, type SendingProducer } from "@sealane/messaging/testing";
import { eventually } from "../../src/eventually.ts";
import { seconds, type FaultCase, type Stage } from "../stage.ts";
import { follow, openTopics } from "../topics.ts";

const inFlight = 16;
const forSeconds = 20;

const ours = (stage: Stage): Promise<SendingProducer> => {
  const producer = openTopics(stage.world).producer();
  return Promise.resolve({
    send: (topic, value) => producer.send([{ topic, value }]),
    stop: () => producer.stop(),
  });
};

const theirs = (stage: Stage): Promise<SendingProducer> =>
  idempotentProducer(stage.world.stack.brokers.split(","));

/** Sixteen sends at a time while connections are reset; then the topic is read whole. */
const underResets =
  (open: (stage: Stage) => Promise<SendingProducer>) =>
  async (stage: Stage): Promise<void> => {
    const { brokers } = stage.world;
    const messaging = openTopics(stage.world);
    const topic = `test.${randomUUID()}`;
    await messaging.admin().ensureTopics([{ topic, partitions: 1, replication: 1, config: {} }]);
    const producer = await open(stage);
    const acknowledged = new Set<string>();
    let going = true;
    let refused = 0;
    const worker = async (at: number): Promise<void> => {
      for (let n = 0; going; n += 1) {
        const value = `${at}-${n}`;
        try {
          await producer.send(topic, value);
          if (going) acknowledged.add(value);
        } catch {
          refused += 1;
        }
      }
    };
    const workers = Array.from({ length: inFlight }, (_, at) => worker(at));
    const stopResets = brokers.proxy?.resetEvery(300);
    await seconds(forSeconds);
    going = false;
    stopResets?.();
    // A producer whose numbers are out of step may try for ever: what it has not acknowledged is not judged.
    await Promise.race([Promise.all(workers), seconds(10)]);
    await Promise.race([producer.stop(), seconds(3)]);
    const last = messaging.producer();
    await last.send([{ topic, value: "the end" }]);
    await last.stop();
    const reader = follow(messaging, topic);
    const stored = await eventually("the topic is read whole", () => {
      const values = reader.records.map(({ value }) => Buffer.from(value ?? []).toString());
      return Promise.resolve(values.includes("the end") ? values : undefined);
    });
    await reader.stop();
    const kept = new Set(stored);
    const lost = [...acknowledged].filter((value) => !kept.has(value)).length;
    const twice = stored.length - kept.size;
    stage.showed(
      `${acknowledged.size} acknowledged, ${lost} of them lost, ${twice} twice, ${refused} refused`,
    );
    if (lost > 0) stage.fault(`${lost} acknowledged messages are not on the topic`);
  };

export const producerCases: readonly FaultCase[] = [
  {
    name: "producer-under-resets",
    what: "our producer, 16 sends at a time, every connection reset every 300 ms for 20 s",
    run: underResets(ours),
  },
  {
    name: "sabotage-idempotent-producer",
    what: "the same with kafkajs's producer and `idempotent: true`: the case must be red",
    sabotage: true,
    run: underResets(theirs),
  },
];
