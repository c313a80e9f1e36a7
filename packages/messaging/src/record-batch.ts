// A record batch (magic 2, uncompressed) in the bytes of Kafka's protocol, written once into memory of
// exactly its size. kafkajs builds each record, batch and request in buffers of their own, copies them
// into one another and sums them with a table in JavaScript: a fifth of the ledger's time, and the
// reason for most of its garbage collections. The conformance tests read ours with kafkajs's decoder
// and with the broker. Source: kafka.apache.org/documentation/#recordbatch
import { crc32c } from "@node-rs/crc32";
import type { WireMessage } from "./wire.ts";

const MAGIC = 2;
/** Before what the checksum covers: offset, length, leader epoch, magic, checksum. */
const CRC_END = 8 + 4 + 4 + 1 + 4;
/** To the first record: attributes, last delta, two times, producer id, epoch, sequence, count. */
const HEAD_BYTES = CRC_END + 2 + 4 + 8 + 8 + 8 + 2 + 4 + 4;

type SizedRecord = {
  readonly message: WireMessage;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Of all that follows the record's own length. */
  readonly bodyBytes: number;
};

export type SizedBatch = { readonly records: readonly SizedRecord[]; readonly bytes: number };

/** How many bytes a signed number takes: zigzag, seven bits a byte. */
const varintBytes = (value: number): number => {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let bytes = 1;
  for (; rest > 0x7f; rest >>>= 7) bytes += 1;
  return bytes;
};

const sized = (bytes: number): number => varintBytes(bytes) + bytes;

const sizeRecord = (message: WireMessage, delta: number): SizedRecord => {
  const { key, value } = message;
  const headers = message.headers === undefined ? [] : Object.entries(message.headers);
  const keyBytes = key === null ? -1 : Buffer.byteLength(key);
  const valueBytes = typeof value === "string" ? Buffer.byteLength(value) : value.length;
  // Attributes and the time's delta are one byte each: nothing is set, and all have the batch's time.
  let bodyBytes = 2 + varintBytes(delta) + sized(valueBytes) + varintBytes(headers.length);
  bodyBytes += keyBytes < 0 ? varintBytes(-1) : sized(keyBytes);
  for (const [name, text] of headers) {
    bodyBytes += sized(Buffer.byteLength(name)) + sized(Buffer.byteLength(text));
  }
  return { message, keyBytes, valueBytes, headers, bodyBytes };
};

/** Looks once at every record: what it will take, before memory for it is asked for. */
export const sizeBatch = (messages: readonly WireMessage[]): SizedBatch => {
  const records = messages.map(sizeRecord);
  const bytes = records.reduce((sum, { bodyBytes }) => sum + sized(bodyBytes), HEAD_BYTES);
  return { records, bytes };
};

const putVarint = (to: Buffer, at: number, value: number): number => {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let next = at;
  for (; rest > 0x7f; rest >>>= 7) to[next++] = (rest & 0x7f) | 0x80;
  to[next++] = rest;
  return next;
};

const putText = (to: Buffer, at: number, text: string): number => {
  const start = putVarint(to, at, Buffer.byteLength(text));
  return start + to.write(text, start);
};

const putRecord = (to: Buffer, at: number, record: SizedRecord, delta: number): number => {
  const { key, value } = record.message;
  let next = putVarint(to, at, record.bodyBytes);
  to[next++] = 0; // attributes
  to[next++] = 0; // the time's delta
  next = putVarint(to, next, delta);
  next = putVarint(to, next, record.keyBytes);
  if (key !== null) next += to.write(key, next);
  next = putVarint(to, next, record.valueBytes);
  next += typeof value === "string" ? to.write(value, next) : value.copy(to, next);
  next = putVarint(to, next, record.headers.length);
  for (const [name, text] of record.headers) next = putText(to, putText(to, next, name), text);
  return next;
};

/**
 * Writes the batch at `start`, without producer id and sequence: nobody here is idempotent.
 * @returns where it ends
 */
export const putBatch = (to: Buffer, start: number, batch: SizedBatch, timeMs: number): number => {
  const { records, bytes } = batch;
  let at = to.writeBigInt64BE(0n, start); // the broker gives the offset
  at = to.writeInt32BE(bytes - 12, at);
  at = to.writeInt32BE(-1, at); // the leader's epoch: not known
  at = to.writeInt8(MAGIC, at);
  const crcAt = at;
  at = start + CRC_END;
  at = to.writeInt16BE(0, at); // attributes: no compression, no transaction
  at = to.writeInt32BE(records.length - 1, at);
  at = to.writeBigInt64BE(BigInt(timeMs), at);
  at = to.writeBigInt64BE(BigInt(timeMs), at);
  at = to.writeBigInt64BE(-1n, at);
  at = to.writeInt16BE(-1, at);
  at = to.writeInt32BE(-1, at);
  at = to.writeInt32BE(records.length, at);
  for (const [delta, record] of records.entries()) at = putRecord(to, at, record, delta);
  to.writeUInt32BE(crc32c(to.subarray(start + CRC_END, at)), crcAt);
  return at;
};
