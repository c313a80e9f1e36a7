// The whole local system as processes: Kafka, Postgres, the wallets' cores, the witnesses and every
// service, in the order in which they need each other. Everything is on 127.0.0.1, in one folder,
// and ends when the one who started it ends.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runMigrations } from "@sealane/database";
import { createMessaging, type TopicSpec } from "@sealane/messaging";
import { deadLetterTopic, entriesTopic, inboxTopic, laneTopic } from "@sealane/protocol";
import { startKafka, type KafkaServer } from "./kafka.ts";
import { startPostgres, type PostgresServer } from "./postgres.ts";
import { checkPortsFree, spawnService, waitForReady, type NamedPort } from "./processes.ts";
import { provision, type Home } from "./provision.ts";
import type { SupervisedProcess } from "./supervised-process.ts";
import { lane, liquidityProvider, portPlan, wallets, type Ports } from "./world.ts";

export type StackOptions = {
  /** Everything is below this folder. */
  readonly dir: string;
  readonly ports: Ports;
  /** Existing servers; nothing embedded is started for what is given. */
  readonly databaseUrl?: string | undefined;
  readonly kafkaBrokers?: string | undefined;
  /** Told what is being done, for progress. */
  readonly onStep?: (step: string) => void;
  /** The share of transfers that are traced. */
  readonly traceRatio?: number;
  /** More settings for every service, e.g. failpoints in tests. */
  readonly env?: Readonly<Record<string, string>>;
};

export type ServiceName =
  | "cores"
  | "witness"
  | "hk-wallet"
  | "ph-wallet"
  | "fx-desk"
  | "ledger"
  | "reconciliation";

export type Stack = {
  readonly home: Home;
  readonly ports: Ports;
  readonly urls: Readonly<Record<string, string>>;
  readonly brokers: string;
  readonly databaseUrl: string;
  /** A running service's process. */
  process(name: ServiceName): SupervisedProcess;
  /** Every process of the stack, by name, for measuring. */
  pids(): Readonly<Record<string, number>>;
  /** Starts a service (again); resolves when it is ready. */
  start(name: ServiceName): Promise<void>;
  /** Ends one service with SIGKILL, as a machine would. */
  kill(name: ServiceName): Promise<void>;
  /** Ends one service cleanly. */
  end(name: ServiceName): Promise<void>;
  /** Ends everything that was started, in reverse. */
  stop(): Promise<void>;
  /** Resolves when a process ended that nobody asked to end. */
  readonly failed: Promise<string>;
};

const root = fileURLToPath(new URL("../../", import.meta.url));
const readyMs = 60_000;
const dayMs = 24 * 3_600_000;

const topics = (replication: number): TopicSpec[] => {
  const durable = { "retention.ms": String(7 * dayMs), "max.message.bytes": "1048576" };
  // One broker: an acknowledgement must be on disk. Measured free here (`bench/README.md`).
  const flushed = replication === 1 ? { "flush.messages": "1" } : { "min.insync.replicas": "2" };
  const topic = (name: string, config: Record<string, string>): TopicSpec => ({
    topic: name,
    partitions: 1,
    replication,
    config,
  });
  const participants = [...wallets.map(({ participant }) => participant), liquidityProvider];
  return [
    topic(laneTopic(lane), { ...durable, ...flushed }),
    topic(entriesTopic(lane), durable),
    ...participants.map((participant) => topic(inboxTopic(participant), durable)),
    ...["ledger", "reconciliation", ...participants].map((service) =>
      topic(deadLetterTopic(service), durable),
    ),
  ];
};

const migrate = async (home: Home, adminUrl: string): Promise<void> => {
  const schemas = [
    ["ledger", "ledger"],
    ["reconciliation", "reconciliation"],
    ...wallets.map(({ schema }) => ["wallet-adapter", schema] as const),
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

type Service = {
  readonly name: ServiceName;
  readonly entry: string;
  readonly env: Record<string, string>;
  /** Where it answers; `/livez` says that it runs, `/readyz` that it can do its work. */
  readonly url: string;
};

const plan = (home: Home, options: StackOptions, brokers: string, database: string): Service[] => {
  const { ports } = options;
  const { keys, path } = home;
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const entry = (service: string): string => join(root, service, "src", "main.ts");
  const ledgerUrl = at(ports.ledger);
  const common = (name: string, schema?: string): Record<string, string> => ({
    KAFKA_BROKERS: brokers,
    SEALANE_LANE: String(lane),
    SEALANE_POLICY_FILE: path("trust.policy"),
    SEALANE_LEDGER_URL: ledgerUrl,
    SEALANE_TRACES_FILE: path("logs", `${name}.traces.jsonl`),
    SEALANE_TRACE_RATIO: String(options.traceRatio ?? 1),
    ...(schema === undefined
      ? {}
      : {
          DATABASE_URL: database,
          SEALANE_DATABASE_SCHEMA: schema,
          SEALANE_DATABASE_USER: `sealane_${schema}`,
          SEALANE_DATABASE_PASSWORD_FILE: keys("database", `${schema}.password`),
        }),
    ...options.env,
  });
  const adapters = wallets.map(
    ({ name, participant, schema, portName, corePortName }): Service => ({
      name: name as ServiceName,
      entry: entry("services/wallet-adapter"),
      url: at(ports[portName]),
      env: {
        ...common(name, schema),
        SEALANE_PARTICIPANT: participant,
        SEALANE_ADAPTER_PORT: String(ports[portName]),
        SEALANE_LEDGER_TOKEN_FILE: keys(name, "ledger.token"),
        SEALANE_TRANSFER_KEY_FILE: keys(name, "transfer.key"),
        SEALANE_ENVELOPE_KEY_FILE: keys(name, "envelope.key"),
        SEALANE_REQUEST_KEY_FILE: keys(name, "request.key"),
        SEALANE_WITNESS_KEY_FILE: keys(name, "witness.key"),
        SEALANE_WITNESS_STATE_FILE: path("state", `${name}.witness`),
        SEALANE_CORE_URL: at(ports[corePortName]),
        SEALANE_CORE_TOKEN_FILE: keys(name, "core.token"),
        SEALANE_API_TOKEN_FILE: keys(name, "api.token"),
      },
    }),
  );
  return [
    {
      name: "cores",
      entry: entry("packages/simulator"),
      url: at(ports.hkCore),
      env: { SEALANE_CORES: path("cores.json") },
    },
    {
      name: "witness",
      entry: entry("services/witness"),
      url: at(ports.witness),
      env: {
        SEALANE_WITNESS_PORT: String(ports.witness),
        SEALANE_WITNESS_KEY_FILE: keys("auditor", "witness.key"),
        SEALANE_WITNESS_STATE_FILE: path("state", "auditor.witness"),
        SEALANE_WITNESS_LOGS: path("state", "logs.vkeys"),
      },
    },
    ...adapters,
    {
      name: "fx-desk",
      entry: entry("services/fx-desk"),
      url: at(ports.fxDesk),
      env: {
        ...common("fx-desk"),
        SEALANE_PARTICIPANT: liquidityProvider,
        SEALANE_FX_PORT: String(ports.fxDesk),
        SEALANE_RATE_KEY_FILE: keys("fx-desk", "rates.key"),
        SEALANE_WITNESS_KEY_FILE: keys("fx-desk", "witness.key"),
        SEALANE_WITNESS_STATE_FILE: path("state", "fx-desk.witness"),
        SEALANE_STATE_FILE: path("state", "fx-desk.sheets"),
        SEALANE_API_TOKEN_FILE: keys("fx-desk", "api.token"),
      },
    },
    {
      name: "ledger",
      entry: entry("services/ledger"),
      url: ledgerUrl,
      env: {
        ...common("ledger", "ledger"),
        SEALANE_LEDGER_PORT: String(ports.ledger),
        SEALANE_ENTRY_KEY_FILE: keys("operator", "entry.key"),
        SEALANE_CHECKPOINT_KEY_FILE: keys("operator", "checkpoint.key"),
        SEALANE_KEY_LOG_KEY_FILE: keys("operator", "key-log.key"),
        SEALANE_GENESIS_FILE: path("state", "genesis.json"),
        SEALANE_TILES_DIR: path("tiles"),
        SEALANE_PARTICIPANT_TOKENS_FILE: path("state", "participant-tokens.json"),
        SEALANE_OPEN_BUNDLES: "yes",
      },
    },
    {
      name: "reconciliation",
      entry: entry("services/reconciliation"),
      url: at(ports.reconciliation),
      env: {
        ...common("reconciliation", "reconciliation"),
        SEALANE_RECONCILIATION_PORT: String(ports.reconciliation),
      },
    },
  ];
};

/** The ports that this start will listen on: not those of servers that are given. */
const portsNeeded = ({ ports, kafkaBrokers, databaseUrl }: StackOptions): NamedPort[] =>
  portPlan
    .filter(({ name }) => kafkaBrokers === undefined || !name.startsWith("kafka"))
    .filter(({ name }) => databaseUrl === undefined || name !== "postgres")
    .map(({ name, env, what }) => ({ name: what, port: ports[name], env }));

/** Starts all of it; what was started is stopped again when something fails. */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { ports, dir } = options;
  const step = options.onStep ?? (() => undefined);
  // Passable, so that Postgres's own user reaches its data; keys and state are in private folders.
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  step("ports");
  await checkPortsFree(portsNeeded(options));
  step("keys and policies");
  const home = await provision(dir, ports);
  const running = new Map<ServiceName, SupervisedProcess>();
  const expected = new Set<SupervisedProcess>();
  let kafka: KafkaServer | undefined;
  let postgres: PostgresServer | undefined;
  let stopped = false;
  let fail: (detail: string) => void = () => undefined;
  const failed = new Promise<string>((resolve) => {
    fail = resolve;
  });

  const stop = async (): Promise<void> => {
    stopped = true;
    const all = [...running.values()].reverse();
    await Promise.all(all.map((child) => child.stop(8_000)));
    await Promise.all([kafka?.stop(), postgres?.stop()]);
  };

  try {
    step("Kafka and Postgres");
    [kafka, postgres] = await Promise.all([
      options.kafkaBrokers === undefined
        ? startKafka({
            dir: join(dir, "kafka"),
            port: ports.kafka,
            controllerPort: ports.kafkaController,
            logFile: home.path("logs", "kafka.log"),
          })
        : undefined,
      options.databaseUrl === undefined
        ? startPostgres({
            dir: join(dir, "postgres"),
            port: ports.postgres,
            logFile: home.path("logs", "postgres.log"),
          })
        : undefined,
    ]);
    const brokers = options.kafkaBrokers ?? kafka?.brokers ?? "";
    const databaseUrl = options.databaseUrl ?? postgres?.url ?? "";
    step("topics and tables");
    const messaging = createMessaging({ brokers: brokers.split(","), clientId: "sealane-setup" });
    await Promise.all([messaging.admin().ensureTopics(topics(1)), migrate(home, databaseUrl)]);
    const services = plan(home, options, brokers, databaseUrl);

    const launch = async (service: Service): Promise<void> => {
      const child = await spawnService({
        name: service.name,
        entry: service.entry,
        env: service.env,
        logFile: home.path("logs", `${service.name}.log`),
        nodeArgs: ["--disable-warning=ExperimentalWarning", "--max-old-space-size=1024"],
      });
      running.set(service.name, child);
      void child.exited.then(() => {
        if (stopped || expected.has(child) || running.get(service.name) !== child) return;
        fail(`${service.name} ended by itself: see ${home.path("logs", `${service.name}.log`)}`);
      });
    };
    const ready = (service: Service): Promise<void> =>
      service.name === "cores"
        ? waitForReady(`${service.url}/livez`, readyMs)
        : waitForReady(`${service.url}/readyz`, readyMs);
    const find = (name: ServiceName): Service => {
      const service = services.find((candidate) => candidate.name === name);
      if (service === undefined) throw new Error(`no service is named ${name}`);
      return service;
    };

    const present = services.filter(({ entry }) => existsSync(entry));
    step("services");
    for (const service of present) await launch(service);
    await Promise.race([
      Promise.all(present.map(ready)),
      failed.then((detail) => Promise.reject(new Error(detail))),
    ]);

    return {
      home,
      ports,
      brokers,
      databaseUrl,
      urls: Object.fromEntries(present.map(({ name, url }) => [name, url])),
      process: (name) => {
        const child = running.get(name);
        if (child === undefined) throw new Error(`${name} is not running`);
        return child;
      },
      pids: () => ({
        ...Object.fromEntries([...running].map(([name, child]) => [name, child.pid])),
        ...(kafka === undefined ? {} : { kafka: kafka.pid }),
        ...(postgres === undefined ? {} : { postgres: postgres.pid }),
      }),
      start: async (name) => {
        await launch(find(name));
        await ready(find(name));
      },
      kill: async (name) => {
        const child = running.get(name);
        if (child === undefined) return;
        expected.add(child);
        child.kill("SIGKILL");
        await child.exited;
      },
      end: async (name) => {
        const child = running.get(name);
        if (child === undefined) return;
        expected.add(child);
        await child.stop(8_000);
      },
      stop,
      failed,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
