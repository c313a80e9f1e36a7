// Kafka for the services: a producer, consumers and topics. The only room that imports kafkajs.
import { createAdmin, type Admin } from "./admin.ts";
import { linkFactory } from "./link.ts";
import type { MessagingConfig } from "./config.ts";
import { createConsumer, type Consumer, type ConsumerOptions } from "./consumer.ts";
import { createProducer, type Producer } from "./producer.ts";

export type { AccessRule } from "./acls.ts";
export type { Admin, TopicSpec } from "./admin.ts";
export type { MessagingConfig, SaslLogin, TlsFiles } from "./config.ts";
export type { Consumer, ConsumerLag, ConsumerOptions, IncomingRecord } from "./consumer.ts";
export { MessagingError, type MessagingErrorCode } from "./messaging-error.ts";
export type { Producer, SendOptions } from "./producer.ts";
export type { OutgoingRecord } from "./sends.ts";

export type Messaging = {
  /** A producer with a queue and connections of its own. One per service is enough. */
  producer(): Producer;
  /** Starts to read at once; `stop()` ends it. */
  consumer(options: ConsumerOptions): Consumer;
  admin(): Admin;
};

/**
 * Nothing is connected before it is used. Throws when a file of `tls` or `sasl` cannot be read.
 *
 * @example
 * const messaging = createMessaging({ brokers: ["127.0.0.1:19092"], clientId: "ledger" });
 * await messaging.producer().send([{ topic: "lane.0", key: id, value: bytes }]);
 */
export function createMessaging(config: MessagingConfig): Messaging {
  const openLink = linkFactory(config);
  return {
    producer: () => createProducer(openLink),
    consumer: (options) => createConsumer(openLink, options),
    admin: () => createAdmin(config, openLink),
  };
}
