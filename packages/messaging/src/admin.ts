// Topics: made by hand (the broker never makes one on its own), one partition each, settings checked at
// every start. Uses kafkajs's admin client as it is: nothing of ours depends on its speed.
import kafkajs, { type SASLOptions } from "kafkajs";
import { ensureAccess, type AccessRule } from "./acls.ts";
import { readCredentials, type MessagingConfig } from "./config.ts";
import type { Link } from "./link.ts";
import { MessagingError, reasonOf } from "./messaging-error.ts";

const { ConfigResourceTypes, Kafka, logLevel } = kafkajs;

export type TopicSpec = {
  readonly topic: string;
  readonly partitions: 1;
  readonly replication: number;
  /** Kafka's topic settings, such as `retention.ms` and `flush.messages`. */
  readonly config?: Readonly<Record<string, string>>;
};

export type Admin = {
  /**
   * Makes the topics that do not exist and sets the named settings on those that do. Throws
   * `bad-topic` when one has another number of partitions, `unavailable` when the broker is away.
   */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** The first offset that the topic still holds, and the one that its next record will get. */
  topicOffsets(topic: string): Promise<{ low: bigint; high: bigint }>;
  /**
   * Adds the rules that are missing; the broker must have an authorizer. Answers with the rules about
   * topics that are there besides these: nobody here takes one away.
   */
  ensureAccess(rules: readonly AccessRule[]): Promise<string[]>;
  /** For tests. */
  deleteTopics(topics: readonly string[]): Promise<void>;
};

const TIMEOUT_MS = 15_000;

type Client = ReturnType<kafkajs.Kafka["admin"]>;

export function createAdmin(config: MessagingConfig, openLink: () => Link): Admin {
  const kafka = clientOf(config);
  const withClient = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const client = kafka.admin();
    try {
      await client.connect();
      return await work(client);
    } catch (error) {
      if (error instanceof MessagingError) throw error;
      throw new MessagingError("unavailable", `kafka: ${reasonOf(error)}`, error);
    } finally {
      await client.disconnect();
    }
  };
  return {
    ensureTopics: (topics) => withClient((client) => ensureTopics(client, topics)),
    topicOffsets: async (topic) => {
      const link = openLink();
      try {
        return await link.offsets(topic);
      } finally {
        link.close();
      }
    },
    ensureAccess: (rules) => withClient((client) => ensureAccess(client, rules)),
    deleteTopics: (topics) =>
      withClient((client) => client.deleteTopics({ topics: [...topics], timeout: TIMEOUT_MS })),
  };
}

function clientOf(config: MessagingConfig): kafkajs.Kafka {
  const { ssl, sasl } = readCredentials(config);
  return new Kafka({
    brokers: [...config.brokers],
    clientId: config.clientId,
    ...(ssl && { ssl: { ...ssl } }),
    ...(sasl && { sasl: sasl as SASLOptions }),
    connectionTimeout: config.connectTimeoutMs ?? 2_000,
    requestTimeout: TIMEOUT_MS,
    logLevel: logLevel.NOTHING,
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000 },
  });
}

async function ensureTopics(client: Client, topics: readonly TopicSpec[]): Promise<void> {
  const existing = new Set(await client.listTopics());
  const missing = topics.filter(({ topic }) => !existing.has(topic));
  if (missing.length > 0) {
    await client.createTopics({
      topics: missing.map(({ topic, partitions, replication, config = {} }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      })),
      waitForLeaders: true,
      timeout: TIMEOUT_MS,
    });
  }
  const present = topics.filter(({ topic }) => existing.has(topic));
  if (present.length > 0) await checkPartitions(client, present);
  for (const spec of present) await ensureConfig(client, spec);
}

async function checkPartitions(client: Client, topics: readonly TopicSpec[]): Promise<void> {
  const { topics: found } = await client.fetchTopicMetadata({ topics: topics.map((t) => t.topic) });
  for (const { name, partitions } of found) {
    if (partitions.length === 1) continue;
    const message = `topic ${name} has ${partitions.length} partitions and must have one`;
    throw new MessagingError("bad-topic", message);
  }
}

/** Sets our settings where they differ. The request replaces all, so those set by others go along. */
async function ensureConfig(client: Client, { topic, config = {} }: TopicSpec): Promise<void> {
  const { resources } = await client.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  });
  const current = resources[0]?.configEntries ?? [];
  const differs = Object.entries(config).some(
    ([name, value]) => current.find((entry) => entry.configName === name)?.configValue !== value,
  );
  if (!differs) return;
  const kept = current.filter((entry) => entry.configSource === TOPIC_SOURCE);
  const wanted = {
    ...Object.fromEntries(kept.map((e) => [e.configName, e.configValue])),
    ...config,
  };
  await client.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: Object.entries(wanted).map(([name, value]) => ({ name, value })),
      },
    ],
  });
}

/** The protocol's mark of a setting that was set on the topic itself. */
const TOPIC_SOURCE = 1;
