// Sabotage, for the fault suite alone: kafkajs's own producer with `idempotent: true`, which loses messages
// that it has acknowledged when connections are reset (the room's README). In the place of ours, the suite has
// to see it.
import { createRequire } from "node:module";
import type { Kafka as KafkaClient } from "kafkajs";

const { Kafka, logLevel } = createRequire(import.meta.url)("kafkajs") as {
  Kafka: new (config: object) => KafkaClient;
  logLevel: { readonly NOTHING: number };
};

/** What the suite asks of a producer: resolves when the value is acknowledged. */
export type SendingProducer = {
  send(topic: string, value: string): Promise<void>;
  stop(): Promise<void>;
};

/** A producer as nobody here uses it. @param brokers `host:port` */
export const idempotentProducer = async (brokers: readonly string[]): Promise<SendingProducer> => {
  const kafka = new Kafka({
    clientId: "sabotage",
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 100, initialRetryTime: 50, maxRetryTime: 500 },
  });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 16 });
  await producer.connect();
  return {
    send: async (topic, value) => {
      await producer.send({ topic, acks: -1, messages: [{ value, partition: 0 }] });
    },
    stop: () => producer.disconnect(),
  };
};
