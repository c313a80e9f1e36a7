// Kafka for the stack's own tools: the broker that was started, or one of somebody's, with the login and
// the authority that our environment names.
import { createMessaging, type Messaging } from "@sealane/messaging";
import { readKafkaSettings } from "@sealane/runtime";

/** @param brokers `host:port`, separated by commas */
export const openKafka = (brokers: string, clientId: string): Messaging => {
  const env = { SEALANE_KAFKA_PLAINTEXT: "yes", ...process.env };
  return createMessaging({ ...readKafkaSettings(env, brokers), clientId });
};
