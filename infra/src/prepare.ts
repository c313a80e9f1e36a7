// What must be there before a service starts: the topics, and each service's schema and role. Running
// it again changes nothing that is as it should be.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runMigrations } from "@sealane/database";
import type { TopicSpec } from "@sealane/messaging";
import { deadLetterTopic, entriesTopic, inboxTopic, laneTopic } from "@sealane/protocol";
import type { Home } from "./home.ts";
import { lanesOf } from "./lanes.ts";
import { demoWorld, type World } from "./world.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const dayMs = 24 * 3_600_000;

/**
 * The world's topics. One broker flushes each record of a lane; of several, two acknowledge, and one
 * that fell behind never leads (`decisions.md`, Kafka).
 * @param replication 1, or 3 in a cluster
 */
export const topicSpecs = (replication: number, world: World = demoWorld): TopicSpec[] => {
  const cluster = { "min.insync.replicas": "2", "unclean.leader.election.enable": "false" };
  const durable = {
    "retention.ms": String(7 * dayMs),
    "max.message.bytes": "1048576",
    ...(replication === 1 ? {} : cluster),
  };
  // One broker: an acknowledgement must be on disk. Measured free here (`bench/README.md`).
  const flushed = replication === 1 ? { "flush.messages": "1" } : {};
  // A bank's statement is one command, however many parts it has: 2 MB with 10,000 lines.
  const commands = { ...durable, ...flushed, "max.message.bytes": "4194304" };
  const topic = (name: string, config: Record<string, string>): TopicSpec => ({
    topic: name,
    partitions: 1,
    replication,
    config,
  });
  const participants = [...world.wallets, ...world.providers].map(({ participant }) => participant);
  return [
    ...lanesOf(world).flatMap(({ lane }) => [
      topic(laneTopic(lane), commands),
      topic(entriesTopic(lane), durable),
    ]),
    ...participants.map((participant) => topic(inboxTopic(participant), durable)),
    ...["ledger", "reconciliation", ...participants].map((service) =>
      topic(deadLetterTopic(service), durable),
    ),
  ];
};

/** Brings every service's schema up to date; the URL's role may create schemas and roles. */
export const migrateAll = async (
  home: Home,
  adminUrl: string,
  world: World = demoWorld,
): Promise<void> => {
  const schemas = [
    ["ledger", "ledger"],
    ["reconciliation", "reconciliation"],
    ...world.wallets.map(({ schema }) => ["wallet-adapter", schema] as const),
  ] as const;
  for (const [folder, schema] of schemas) {
    const path = join(root, "migrations", folder);
    if (!existsSync(path)) continue;
    await runMigrations({
      adminUrl,
      schema,
      role: {
        name: `sealane_${schema}`,
        passwordFile: home.keys("database", `${schema}.password`),
      },
      folder: path,
    });
  }
};
