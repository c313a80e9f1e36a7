// The topics from outside: what is on them, and more of it.
import { createMessaging, type IncomingRecord, type Messaging } from "@sealane/messaging";
import { deadLetterTopic, entriesTopic, inboxTopic, laneTopic } from "@sealane/protocol";
import type { FaultWorld } from "./world.ts";

const participants = ["hk-wallet.example", "ph-wallet.example", "fx-desk.example"];

/** Every topic of the world that somebody reads. */
export const readTopics: readonly string[] = [
  laneTopic(0),
  entriesTopic(0),
  ...participants.map(inboxTopic),
];

export const allTopics: readonly string[] = [
  ...readTopics,
  ...["ledger", "reconciliation", ...participants].map(deadLetterTopic),
];

export const openTopics = ({ stack }: FaultWorld): Messaging =>
  createMessaging({ brokers: stack.brokers.split(","), clientId: "fault-test" });

/** Follows a topic from its beginning; `records` grows until it is stopped. */
export const follow = (messaging: Messaging, topic: string) => {
  const records: IncomingRecord[] = [];
  const consumer = messaging.consumer({
    topic,
    groupId: `fault-test-${topic}`,
    fromOffset: () => Promise.resolve(undefined),
    onBatch: (batch) => {
      records.push(...batch);
      return Promise.resolve();
    },
  });
  return { topic, records, stop: () => consumer.stop() };
};
