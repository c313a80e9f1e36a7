// What waits to be sent: one `Send` per call of `Producer.send` (or per part of a call that is larger
// than a request may be), and how sends are put together into one request.
import type { WireMessage } from "./wire.ts";
import type { MessagingError } from "./messaging-error.ts";

export type OutgoingRecord = {
  readonly topic: string;
  readonly key?: string;
  readonly value: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Send = {
  readonly records: readonly OutgoingRecord[];
  readonly bytes: number;
  readonly deadlineAt: number;
  /** Ends it, once: later calls do nothing. */
  readonly settle: (error?: MessagingError) => void;
  settled: boolean;
  /** Might an attempt have stored some of it? Then its failure is an unknown outcome. */
  maybeStored: boolean;
  lastFault?: unknown;
};

/** The broker takes 1 MiB per topic and request; ours stay below it with the records' overhead. */
const MAX_REQUEST_BYTES = 900_000;
const MAX_REQUEST_RECORDS = 2_000;
const RECORD_OVERHEAD_BYTES = 64;

export type Chunk = { readonly records: OutgoingRecord[]; bytes: number };

/** One chunk, unless the call is larger than a request may be. */
export function toChunks(batch: readonly OutgoingRecord[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (const record of batch) {
    const bytes = sizeOf(record);
    const last = chunks.at(-1);
    const fits = last !== undefined && fitsRequest(last.bytes + bytes, last.records.length + 1);
    if (fits) {
      last.records.push(record);
      last.bytes += bytes;
    } else {
      chunks.push({ records: [record], bytes });
    }
  }
  return chunks;
}

/** Takes sends from the front of the queue while they fit into one request; at least one. */
export function takeGroup(queue: Send[]): Send[] {
  let bytes = 0;
  let records = 0;
  const end = queue.findIndex((send, index) => {
    bytes += send.bytes;
    records += send.records.length;
    return index > 0 && !fitsRequest(bytes, records);
  });
  return queue.splice(0, end === -1 ? queue.length : end);
}

function fitsRequest(bytes: number, records: number): boolean {
  return bytes <= MAX_REQUEST_BYTES && records <= MAX_REQUEST_RECORDS;
}

/** An upper estimate: three bytes for each UTF-16 unit of keys and headers. */
function sizeOf({ key, value, headers = {} }: OutgoingRecord): number {
  const text = Object.entries(headers).reduce((sum, [k, v]) => sum + k.length + v.length, 0);
  const bytes = typeof value === "string" ? Buffer.byteLength(value) : value.byteLength;
  return bytes + ((key?.length ?? 0) + text) * 3 + RECORD_OVERHEAD_BYTES;
}

/** The records of all sends by topic, in order. Bytes are not copied. */
export function toBatches(group: readonly Send[]): Map<string, WireMessage[]> {
  const batches = new Map<string, WireMessage[]>();
  for (const { topic, key, value, headers } of group.flatMap((send) => send.records)) {
    const message: WireMessage = {
      key: key ?? null,
      value: typeof value === "string" ? value : bufferOf(value),
      ...(headers && { headers }),
    };
    const batch = batches.get(topic);
    if (batch) batch.push(message);
    else batches.set(topic, [message]);
  }
  return batches;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
