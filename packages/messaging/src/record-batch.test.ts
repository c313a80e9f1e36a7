// Our record batches, read by kafkajs's own decoder, and compared with what kafkajs would have written.
import { createRequire } from "node:module";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { WireMessage, WireRecord } from "./wire.ts";
import { encodeProduce } from "./produce-request.ts";
import { putBatch, sizeBatch } from "./record-batch.ts";

const require = createRequire(import.meta.url);
type Decoder = { readonly buffer: Buffer };
const KafkajsDecoder = require("kafkajs/src/protocol/decoder") as new (bytes: Buffer) => Decoder;
const decodeBatch = require("kafkajs/src/protocol/recordBatch/v0/decoder") as (
  decoder: Decoder,
) => Promise<{ readonly records: readonly WireRecord[]; readonly maxTimestamp: string }>;
const kafkajsCrc = require("kafkajs/src/protocol/recordBatch/crc32C") as (bytes: Buffer) => number;
const kafkajsProduce = require("kafkajs/src/protocol/requests/produce/v7/request") as (
  request: object,
) => { encode: () => Promise<{ buffer: Buffer }> };

const timeMs = 1_795_347_844_123;

const encode = (messages: readonly WireMessage[]): Buffer => {
  const batch = sizeBatch(messages);
  const to = Buffer.alloc(batch.bytes + 7, 0xee);
  expect(putBatch(to, 7, batch, timeMs)).toBe(to.length);
  expect(to.subarray(0, 7)).toEqual(Buffer.alloc(7, 0xee));
  return to.subarray(7);
};

const text = fc.string({ unit: "grapheme", maxLength: 200 });
const message: fc.Arbitrary<WireMessage> = fc.record({
  key: fc.option(text),
  value: fc.oneof(
    text,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  ),
  headers: fc.dictionary(
    // kafkajs reads a header that is named like a method of objects as that method.
    text.filter((name) => name !== "" && !(name in {})),
    text,
    { maxKeys: 3, noNullPrototype: true },
  ),
});

test("what is written is read back by kafkajs, and its checksum is right", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 40 }), async (messages) => {
      const bytes = encode(messages);
      expect(bytes.readUInt32BE(17)).toBe(kafkajsCrc(bytes.subarray(21)) >>> 0);
      const { records, maxTimestamp } = await decodeBatch(new KafkajsDecoder(bytes));
      expect(maxTimestamp).toBe(String(timeMs));
      expect(
        records.map(({ key, value, headers }) => ({
          key: key?.toString("utf8") ?? null,
          value: value?.toString("hex"),
          headers: Object.entries(headers).map(([name, to]) => [name, String(to)]),
        })),
      ).toEqual(
        messages.map(({ key, value, headers = {} }) => ({
          key: key === null ? null : Buffer.from(key).toString("utf8"),
          value: Buffer.from(value as string).toString("hex"),
          headers: Object.entries(headers).map(([name, to]) => [name, Buffer.from(to).toString()]),
        })),
      );
    }),
    { numRuns: 200 },
  );
});

test("values of every length of a length, and many records", async () => {
  for (const length of [0, 1, 63, 64, 8_191, 8_192, 1_048_575]) {
    const value = Buffer.alloc(length, 7);
    const { records } = await decodeBatch(new KafkajsDecoder(encode([{ key: null, value }])));
    expect(records[0]?.value?.equals(value)).toBe(true);
  }
  const many = Array.from({ length: 9_000 }, (_, at) => ({ key: null, value: `record ${at}` }));
  const { records } = await decodeBatch(new KafkajsDecoder(encode(many)));
  expect(records.map(({ value }) => value?.toString())).toEqual(many.map(({ value }) => value));
  expect(records.at(-1)?.offset).toBe("8999");
});

test("a request is what kafkajs would write, but for the ids of a producer that we do not have", async () => {
  const topicData = [
    { topic: "lane.0", partitions: [{ partition: 0, messages: [{ key: "k", value: "one" }] }] },
    {
      topic: "entries.0",
      partitions: [{ partition: 0, messages: [{ key: null, value: Buffer.from([1, 2, 3]) }] }],
    },
  ];
  const request = { acks: -1, timeout: 5_000, topicData };
  const ours = encodeProduce(request, timeMs);
  const withTimes = topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, messages }) => ({
      partition,
      firstSequence: -1,
      messages: messages.map((one) => ({ ...one, timestamp: timeMs })),
    })),
  }));
  const made = kafkajsProduce({ ...request, topicData: withTimes, producerEpoch: -1 });
  const theirs = (await made.encode()).buffer;
  // kafkajs says 0 for the leader's epoch, which a producer does not know.
  const epochs = [...theirs.keys()].filter((at) => ours[at] !== theirs[at]);
  expect(epochs).toHaveLength(8);
  expect(epochs.map((at) => [ours[at], theirs[at]])).toEqual(epochs.map(() => [0xff, 0]));
});
