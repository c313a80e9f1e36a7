// One connection to the cluster, made for one producer or one consumer, and thrown away at the first
// fault: whoever uses it opens another (5 ms) instead of reasoning about a half-broken one. Nothing in
// here retries, so that each error means one attempt. Every request has a deadline. Only partition 0.
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { readCredentials, type Credentials, type MessagingConfig } from "./config.ts";
import {
  Cluster,
  openSocket,
  type KafkaBroker,
  type KafkaCluster,
  type KafkaLogger,
  type SocketOptions,
} from "./kafkajs-internals.ts";
import { MessagingError } from "./messaging-error.ts";
import type { WireMessage, WireRecord } from "./wire.ts";

const READ_UNCOMMITTED = 0; // nobody here writes transactions
const EARLIEST = -2;
const LATEST = -1;
const NO_OFFSET = "-1";
const COORDINATOR_TRIES = 20;
const COORDINATOR_PAUSE_MS = 100;
const NOT_A_MEMBER = { groupGenerationId: -1, memberId: "" };

export type FetchOptions = {
  readonly topic: string;
  readonly offset: bigint;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
};

export type Fetched = {
  /** From the asked offset on; may hold fewer than the topic has, also none. */
  readonly records: readonly WireRecord[];
  /** Where the next fetch begins. */
  readonly nextOffset: bigint;
  /** The offset that the next record to be written will get. */
  readonly highWatermark: bigint;
};

export type Link = {
  /** Asks where the topics are, so that the first produce need not. Throws if one does not exist. */
  locate(topics: readonly string[]): Promise<void>;
  /** One request per leader, acknowledged by all in-sync replicas; the fault, if any, per topic. */
  produce(batches: ReadonlyMap<string, readonly WireMessage[]>): Promise<Map<string, unknown>>;
  fetch(options: FetchOptions): Promise<Fetched>;
  offsets(topic: string): Promise<{ low: bigint; high: bigint }>;
  committedOffset(groupId: string, topic: string): Promise<bigint | undefined>;
  commitOffset(groupId: string, topic: string, offset: bigint): Promise<void>;
  /** Destroys the sockets at once: every request in flight rejects. */
  close(): void;
};

/** Makes links. The files of secrets are read once, here. */
export function linkFactory(config: MessagingConfig): () => Link {
  const credentials = readCredentials(config);
  const { brokers } = config;
  let opened = 0;
  // A link asks the first broker of its list and no other: each begins with the next, or one broker
  // that is down would keep every link from opening.
  return () => {
    const first = opened % Math.max(1, brokers.length);
    opened += 1;
    const order = [...brokers.slice(first), ...brokers.slice(0, first)];
    return openLink({ ...config, brokers: order }, credentials);
  };
}

function openLink(config: MessagingConfig, credentials: Credentials): Link {
  const sockets = new Set<Socket>();
  const requestTimeout = config.requestTimeoutMs ?? 5_000;
  const cluster = new Cluster({
    logger: silent,
    socketFactory: trackingFactory(sockets),
    brokers: config.brokers,
    ...credentials,
    clientId: config.clientId,
    connectionTimeout: config.connectTimeoutMs ?? 2_000,
    requestTimeout,
    enforceRequestTimeout: true,
    metadataMaxAge: Number.MAX_SAFE_INTEGER, // a moved leader is an error, and errors end the link
    retry: { retries: 0 },
    allowAutoTopicCreation: false,
    maxInFlightRequests: 1,
  });
  const leaders = leaderLookup(cluster);
  return {
    locate: async (topics) => void (await leaders(topics)),
    produce: (batches) => produce(leaders, batches, requestTimeout),
    fetch: (options) => fetchOnce(leaders, options),
    offsets: (topic) => offsetsOf(leaders, topic),
    ...groupOffsets(cluster, leaders),
    close: () => sockets.forEach((socket) => socket.destroy(new Error("link closed"))),
  };
}

const ignore = (): void => undefined;
const silent: KafkaLogger = {
  info: ignore,
  error: ignore,
  warn: ignore,
  debug: ignore,
  namespace: () => silent,
  setLogLevel: ignore,
};

/** kafkajs's `disconnect` waits for the requests in flight; we keep the sockets and destroy them. */
function trackingFactory(sockets: Set<Socket>): (options: SocketOptions) => Socket {
  return (options) => {
    const socket = openSocket(options);
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
}

type Leaders = (topics: readonly string[]) => Promise<Map<string, KafkaBroker>>;

/** The leader of partition 0 of each topic, cached as long as the link lives. */
function leaderLookup(cluster: KafkaCluster): Leaders {
  const known = new Map<string, KafkaBroker>();
  let connected: Promise<void> | undefined;
  return async (topics) => {
    const missing = topics.filter((topic) => !known.has(topic));
    if (missing.length === 0) return known;
    await (connected ??= cluster.connect());
    await cluster.addMultipleTargetTopics(missing);
    for (const topic of missing) {
      const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [0]));
      if (nodeId === undefined) {
        throw new MessagingError("bad-topic", `topic ${topic} has no partition 0`);
      }
      known.set(topic, await cluster.findBroker({ nodeId }));
    }
    return known;
  };
}

async function produce(
  leaders: Leaders,
  batches: ReadonlyMap<string, readonly WireMessage[]>,
  timeoutMs: number,
): Promise<Map<string, unknown>> {
  const known = await leaders([...batches.keys()]);
  const byLeader = Map.groupBy(batches.keys(), (topic) => known.get(topic));
  const faults = new Map<string, unknown>();
  const requests = [...byLeader].map(async ([broker, topics]) => {
    const topicData = topics.map((topic) => ({
      topic,
      partitions: [{ partition: 0, messages: batches.get(topic) ?? [] }],
    }));
    try {
      await broker?.produce({ acks: -1, timeout: timeoutMs, topicData });
    } catch (error) {
      topics.forEach((topic) => faults.set(topic, error));
    }
  });
  await Promise.all(requests);
  return faults;
}

async function fetchOnce(leaders: Leaders, options: FetchOptions): Promise<Fetched> {
  const { topic, offset, maxBytes, maxWaitMs } = options;
  const broker = (await leaders([topic])).get(topic);
  const partition = { partition: 0, fetchOffset: offset.toString(), maxBytes };
  const response = await broker?.fetch({
    isolationLevel: READ_UNCOMMITTED,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    topics: [{ topic, partitions: [partition] }],
  });
  const data = response?.responses[0]?.partitions[0];
  if (data === undefined) throw new MessagingError("bad-topic", `no answer about ${topic}`);
  const last = data.messages.at(-1);
  return {
    // A stored batch comes whole, also when the asked offset is in its middle.
    records: data.messages.filter((r) => !r.isControlRecord && BigInt(r.offset) >= offset),
    nextOffset: last === undefined ? offset : BigInt(last.offset) + 1n,
    highWatermark: BigInt(data.highWatermark),
  };
}

async function offsetsOf(leaders: Leaders, topic: string): Promise<{ low: bigint; high: bigint }> {
  const broker = (await leaders([topic])).get(topic);
  const at = async (timestamp: number): Promise<bigint> => {
    const topics = [{ topic, partitions: [{ partition: 0, timestamp }] }];
    const answer = await broker?.listOffsets({ isolationLevel: READ_UNCOMMITTED, topics });
    const offset = answer?.responses[0]?.partitions[0]?.offset;
    if (offset === undefined) throw new MessagingError("bad-topic", `no offsets of ${topic}`);
    return BigInt(offset);
  };
  return { low: await at(EARLIEST), high: await at(LATEST) };
}

/** A new cluster makes its topic of offsets when first asked, and has no coordinator until then. */
async function findCoordinator(cluster: KafkaCluster, groupId: string): Promise<KafkaBroker> {
  for (let attempt = 0; attempt < COORDINATOR_TRIES; attempt += 1) {
    const found = await cluster.findGroupCoordinator({ groupId }).catch(() => undefined);
    if (found !== undefined) return found;
    await delay(COORDINATOR_PAUSE_MS);
  }
  return cluster.findGroupCoordinator({ groupId });
}

/**
 * Offsets kept for a group that nobody joins: the protocol allows it ("simple consumer"). A link serves
 * one group, so its coordinator is looked up once.
 */
function groupOffsets(
  cluster: KafkaCluster,
  leaders: Leaders,
): Pick<Link, "committedOffset" | "commitOffset"> {
  let coordinator: KafkaBroker | undefined;
  const coordinatorOf = async (groupId: string, topic: string): Promise<KafkaBroker> => {
    await leaders([topic]); // connects, and learns of the brokers
    return (coordinator ??= await findCoordinator(cluster, groupId));
  };
  return {
    committedOffset: async (groupId, topic) => {
      const broker = await coordinatorOf(groupId, topic);
      const topics = [{ topic, partitions: [{ partition: 0 }] }];
      const { responses } = await broker.offsetFetch({ groupId, topics });
      const offset = responses[0]?.partitions[0]?.offset ?? NO_OFFSET;
      return offset === NO_OFFSET ? undefined : BigInt(offset);
    },
    commitOffset: async (groupId, topic, offset) => {
      const broker = await coordinatorOf(groupId, topic);
      const topics = [{ topic, partitions: [{ partition: 0, offset: offset.toString() }] }];
      await broker.offsetCommit({ groupId, ...NOT_A_MEMBER, topics });
    },
  };
}
