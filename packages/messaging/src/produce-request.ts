// A produce request's body (versions 3 to 8 have one layout) in one piece of memory.
// Source: kafka.apache.org/protocol#The_Messages_Produce
import type { ProduceRequest } from "./wire.ts";
import { putBatch, sizeBatch } from "./record-batch.ts";

/** No transaction, acknowledgements, time-out, number of topics. */
const HEAD_BYTES = 2 + 2 + 4 + 4;
/** A topic's length of name and number of partitions; a partition's number and length. */
const TOPIC_BYTES = 2 + 4;
const PARTITION_BYTES = 4 + 4;

/** @param nowMs the time that all its records get, in milliseconds since 1970 */
export const encodeProduce = (request: ProduceRequest, nowMs: number): Buffer => {
  const topics = request.topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, messages }) => ({
      partition,
      batch: sizeBatch(messages),
    })),
  }));
  let bytes = HEAD_BYTES;
  for (const { topic, partitions } of topics) {
    bytes += TOPIC_BYTES + Buffer.byteLength(topic);
    for (const { batch } of partitions) bytes += PARTITION_BYTES + batch.bytes;
  }
  const to = Buffer.allocUnsafe(bytes);
  let at = to.writeInt16BE(-1, 0);
  at = to.writeInt16BE(request.acks, at);
  at = to.writeInt32BE(request.timeout, at);
  at = to.writeInt32BE(topics.length, at);
  for (const { topic, partitions } of topics) {
    at = to.writeInt16BE(Buffer.byteLength(topic), at);
    at += to.write(topic, at);
    at = to.writeInt32BE(partitions.length, at);
    for (const { partition, batch } of partitions) {
      at = to.writeInt32BE(partition, at);
      at = to.writeInt32BE(batch.bytes, at);
      at = putBatch(to, at, batch, nowMs);
    }
  }
  return to;
};
