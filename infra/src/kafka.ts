// A real Kafka for one machine: one KRaft node (broker and controller), 127.0.0.1 only, durable on
// disk, the same data after a restart. The jars come from Maven (infra/kafka/pom.xml, fetched by
// infra/bootstrap.mjs). A start after kill -9 goes through Kafka's own recovery.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { InfraError } from "./infra-error.ts";
import { checkPortsFree } from "./ports.ts";
import { clearServerRecord, endLeftover, writeServerRecord } from "./process-identity.ts";
import { spawnSupervised, type SupervisedProcess } from "./supervised-process.ts";
import { pollUntil } from "./readiness.ts";

export type KafkaOptions = {
  /** Everything of this broker is below here. */
  readonly dir: string;
  readonly port: number;
  readonly controllerPort: number;
  /** Maximum heap. Default 512. */
  readonly heapMb?: number;
  readonly logFile: string;
  /** Logins, TLS and an authorizer (`kafka-security.ts`); without, whoever is on this machine is let in. */
  readonly security?: KafkaSecurity;
  /** Besides our settings, or in their place: a proxy's port, or a place in a cluster. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** Shared by the brokers of a cluster. Default: a new one. */
  readonly clusterId?: string;
  /** Told about leftovers of earlier runs. Default: nobody. */
  readonly log?: (line: string) => void;
};

export type KafkaSecurity = {
  /** Besides our settings, or in their place. */
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  /** For `StorageTool format`: logins that are there from the beginning. */
  readonly formatArgs: readonly string[];
};

export type KafkaServer = {
  /** `127.0.0.1:PORT`, as `KAFKA_BROKERS` wants it. */
  readonly brokers: string;
  readonly pid: number;
  readonly exited: SupervisedProcess["exited"];
  /** A clean stop; resolves when it has ended. */
  readonly stop: () => Promise<void>;
  readonly kill: (signal: NodeJS.Signals) => void;
};

/** Where bootstrap puts Kafka's jars. */
export const kafkaJars = fileURLToPath(new URL("../.kafka/lib/", import.meta.url));
const START_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 10_000;

/**
 * Starts Kafka and resolves when it answers requests (about 4 s on two cores; 2 s more the first
 * time). Throws `missing-program`, `directory-in-use` or `start-failed` with the end of its log.
 */
export async function startKafka(options: KafkaOptions): Promise<KafkaServer> {
  if (!existsSync(kafkaJars)) {
    throw new InfraError(
      "missing-program",
      "Kafka's jars are missing: run `npm start` or `npm test`",
    );
  }
  await endLeftover(options.dir, options.log ?? (() => undefined));
  // Another Kafka on these ports would answer our probe in the place of ours.
  await checkPortsFree([
    { name: "Kafka", port: options.port, env: "SEALANE_KAFKA_PORT" },
    {
      name: "Kafka's controller",
      port: options.controllerPort,
      env: "SEALANE_KAFKA_CONTROLLER_PORT",
    },
  ]);
  mkdirSync(options.dir, { recursive: true });
  const config = join(options.dir, "server.properties");
  writeFileSync(config, serverProperties(options), { mode: 0o600 });
  await formatOnce(options, config);
  const child = await spawnSupervised({
    name: "kafka",
    command: "java",
    args: [...javaArguments(options), "kafka.Kafka", config],
    logFile: options.logFile,
  });
  writeServerRecord(options.dir, "kafka", child.pid);
  void child.exited.then(() => clearServerRecord(options.dir));
  await untilAnswering(child, options);
  const { pid, exited, kill } = child;
  const stop = () => child.stop(STOP_GRACE_MS);
  return { brokers: `127.0.0.1:${options.port}`, pid, exited, stop, kill };
}

/** As the broker wants it: 16 bytes in base64url, not beginning with a dash. */
export const newClusterId = (): string => `S${randomBytes(16).toString("base64url").slice(1, 22)}`;

/** `StorageTool format`, when the folder holds no cluster yet. */
async function formatOnce(
  { dir, security, ...options }: KafkaOptions,
  config: string,
): Promise<void> {
  if (existsSync(join(dir, "data", "meta.properties"))) return;
  const clusterId = options.clusterId ?? newClusterId();
  const args = ["-cp", `${kafkaJars}*`, "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
  const logins = security?.formatArgs ?? [];
  const format = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", config, ...logins];
  try {
    await promisify(execFile)("java", [...args, ...format], { timeout: START_DEADLINE_MS });
  } catch (error) {
    throw new InfraError("start-failed", "kafka: its folder could not be formatted", error);
  }
}

/**
 * The quick compiler alone: on two cores the thorough one takes its time from everybody else for the
 * first minutes. Acknowledgements of single 500-byte records, p50 / p99 in ms: first 1,000 records 1.5
 * / 7.6 with both compilers and 1.0 / 5.2 without; after 9,000, 0.8 / 4.2 and 0.7 / 2.3; up in 2.4 s and
 * 1.7 s; CPU for 100,000 records in batches the same (0.2 to 0.3 s). The serial collector takes 250 MB
 * instead of 380 MB at the same latencies.
 */
function javaArguments({ heapMb = 512 }: KafkaOptions): string[] {
  return [
    `-Xms${Math.min(heapMb, 256)}m`,
    `-Xmx${heapMb}m`,
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "-cp",
    `${kafkaJars}*`,
  ];
}

function serverProperties(options: KafkaOptions): string {
  const { dir, port, controllerPort, security } = options;
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": join(dir, "data"),
    "auto.create.topics.enable": false,
    "num.partitions": 1,
    "default.replication.factor": 1,
    "log.retention.hours": 168,
    // Lanes' consumers take over after a second, not six.
    "group.min.session.timeout.ms": 1000,
    "group.initial.rebalance.delay.ms": 0,
    // One node: internal topics cannot have more replicas, and need few partitions.
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    // After kill -9 the controller refuses the same broker until its session ends: 9 s by default.
    "broker.session.timeout.ms": 2000,
    "broker.heartbeat.interval.ms": 400,
    // A small machine: fewer threads, and 16 MB instead of 128 MB of heap for compaction.
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 16_777_216,
    ...security?.properties,
    ...options.properties,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

async function untilAnswering(child: SupervisedProcess, options: KafkaOptions): Promise<void> {
  await pollUntil({
    what: "kafka",
    attempt: () => answersApiVersions(options.port),
    exited: child.exited,
    logFile: options.logFile,
    deadlineMs: START_DEADLINE_MS,
    intervalMs: 50,
    onFailure: () => child.stop(1_000),
  });
}

/** Sends one ApiVersions request (key 18, version 0) and waits for an answer without an error. */
function answersApiVersions(port: number): Promise<boolean> {
  // length 10 | api key 18 | version 0 | correlation id 1 | null client id
  const request = Buffer.from("0000000a0012000000000001ffff", "hex");
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    const finish = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once("error", () => finish(false));
    socket.once("close", () => finish(false));
    socket.once("connect", () => socket.write(request));
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 10) finish(received.readInt16BE(8) === 0);
    });
  });
}
