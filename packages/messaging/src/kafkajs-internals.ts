// The parts of kafkajs that we use: its protocol layer (connections, requests, records), below its
// producer and consumer. Those two are where its faults are: sequences that lose messages, retries
// that hide an unknown outcome, groups that need 29 s to rejoin. kafkajs is at its last version and
// pinned exactly, so these internals do not move; the conformance tests would show it if they did.
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { encodeProduce } from "./produce-request.ts";
import type { ProduceRequest, TopicPartitions, WireRecord } from "./wire.ts";

const require = createRequire(import.meta.url);

export type KafkaBroker = {
  produce(request: ProduceRequest): Promise<unknown>;
  fetch(request: {
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: TopicPartitions<{ partition: number; fetchOffset: string; maxBytes: number }>[];
  }): Promise<{
    responses: {
      topicName: string;
      partitions: { highWatermark: string; lastStartOffset: string; messages: WireRecord[] }[];
    }[];
  }>;
  listOffsets(request: {
    isolationLevel: number;
    topics: TopicPartitions<{ partition: number; timestamp: number }>[];
  }): Promise<{ responses: { topic: string; partitions: { offset: string }[] }[] }>;
  offsetFetch(request: {
    groupId: string;
    topics: TopicPartitions<{ partition: number }>[];
  }): Promise<{ responses: { topic: string; partitions: { offset: string }[] }[] }>;
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: TopicPartitions<{ partition: number; offset: string }>[];
  }): Promise<unknown>;
};

export type KafkaCluster = {
  connect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  findBroker(options: { nodeId: string }): Promise<KafkaBroker>;
  findGroupCoordinator(options: { groupId: string }): Promise<KafkaBroker>;
};

export type KafkaLogger = {
  info(message: string, extra?: object): void;
  error(message: string, extra?: object): void;
  warn(message: string, extra?: object): void;
  debug(message: string, extra?: object): void;
  namespace(name: string): KafkaLogger;
  setLogLevel(level: number): void;
};

export type ClusterOptions = {
  readonly logger: KafkaLogger;
  readonly socketFactory: (options: SocketOptions) => Socket;
  readonly brokers: readonly string[];
  readonly ssl?: object;
  readonly sasl?: object;
  readonly clientId: string;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: true;
  readonly metadataMaxAge: number;
  readonly retry: { readonly retries: number };
  readonly allowAutoTopicCreation: false;
  readonly maxInFlightRequests: number;
};

export type SocketOptions = {
  readonly host: string;
  readonly port: number;
  readonly ssl?: object;
  readonly onConnect: () => void;
};

/** What kafkajs's requests encode themselves into: memory, and how much of it is used. */
type Encoded = { readonly buf: Buffer; readonly offset: number; readonly buffer: Buffer };

type RequestToSend = {
  readonly correlationId: number;
  readonly clientId: string;
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly encode: () => Promise<Encoded>;
  };
};

const encoded = (buffer: Buffer): Encoded => ({ buf: buffer, offset: buffer.length, buffer });

/** A request's frame: its length, its header, and its body copied once. */
const frame = async ({ correlationId, clientId, request }: RequestToSend): Promise<Encoded> => {
  const { buffer: body } = await request.encode();
  const clientBytes = Buffer.byteLength(clientId);
  const bytes = 2 + 2 + 4 + 2 + clientBytes + body.length;
  const to = Buffer.allocUnsafe(4 + bytes);
  let at = to.writeInt32BE(bytes, 0);
  at = to.writeInt16BE(request.apiKey, at);
  at = to.writeInt16BE(request.apiVersion, at);
  at = to.writeInt32BE(correlationId, at);
  at = to.writeInt16BE(clientBytes, at);
  at += to.write(clientId, at);
  body.copy(to, at);
  return encoded(to);
};

// Before anything of kafkajs holds them: the frame of every request, and the body of a produce request.
const framePath = require.resolve("kafkajs/src/protocol/request");
require(framePath);
(require.cache[framePath] as NodeJS.Module).exports = frame;

type Protocol = (request: ProduceRequest) => {
  readonly request: object;
  readonly response: object;
};
const produceProtocol = require("kafkajs/src/protocol/requests/produce") as {
  protocol: (options: { version: number }) => Protocol;
};
const originalProtocol = produceProtocol.protocol;
produceProtocol.protocol = (options) => {
  const original = originalProtocol(options);
  return (request) => {
    const made = original(request);
    // Ours writes no producer id. Nobody here has one but the fault suite's sabotage.
    if (Number(request.producerId ?? -1) >= 0) return made;
    const encode = async (): Promise<Encoded> => encoded(encodeProduce(request, Date.now()));
    return { ...made, request: { ...made.request, encode } };
  };
};

/** kafkajs's connection pool and metadata of one cluster. */
export const Cluster = require("kafkajs/src/cluster") as new (
  options: ClusterOptions,
) => KafkaCluster;

/** kafkajs's own way to open a socket (TCP or TLS). */
export const openSocket = (
  require("kafkajs/src/network/socketFactory") as () => (options: SocketOptions) => Socket
)();

type RequestQueue = {
  pending: unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
};

const requestQueue = (require("kafkajs/src/network/requestQueue") as { prototype: RequestQueue })
  .prototype;
const schedule = requestQueue.scheduleCheckPendingRequests;

// kafkajs schedules a look at the requests that wait, also when none does, by a timer of "-1 - now" ms:
// a loop of 2,471 timers a second in an idle client, and a TimeoutNegativeWarning on Node 24. Nothing
// waits: nothing to look at; the next request that has to wait schedules the look itself.
requestQueue.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
  if (this.pending.length > 0) schedule.call(this);
};
